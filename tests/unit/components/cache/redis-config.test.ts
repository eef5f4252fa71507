/** Redis' configuration: a broker never forgets, a cache may. */
import { redisConfig } from "../../../../components/cache/redis-config.ts";

describe("redis.conf", () => {
  const policy = (use: Parameters<typeof redisConfig>[0]) =>
    /^maxmemory-policy (\S+)$/m.exec(redisConfig(use, 256, "password"))?.[1];

  test("a Redis that holds the broker never evicts: an evicted task is a lost one", () => {
    expect(policy("all")).toBe("noeviction");
    expect(policy("broker")).toBe("noeviction");
  });

  test("a Redis that is a cache alone does", () => {
    expect(policy("cache")).toBe("allkeys-lru");
  });

  test("writes everything down, a broker before it answers", () => {
    expect(redisConfig("broker", 256, "password")).toMatch(/^appendonly yes\nappendfsync always$/m);
    expect(redisConfig("all", 256, "password")).toMatch(/^appendonly yes\nappendfsync everysec$/m);
  });
});

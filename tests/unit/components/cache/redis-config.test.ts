/** Redis' configuration: a broker never forgets, a cache may; on servers nobody gets in without TLS. */
import { configCommand, redisConfig, type RedisSettings } from "../../../../components/cache/redis-config.ts";

const settings = (more: Partial<RedisSettings> = {}): RedisSettings => ({
  ...{ use: "broker", maxMemoryMb: 256, tls: false, formerClients: false },
  ...more,
});
const valueOf = (key: string, more: Partial<RedisSettings>) =>
  new RegExp(`^${key} (.+)$`, "m").exec(redisConfig(settings(more)))?.[1];

describe("redis.conf", () => {
  test("a Redis that holds the broker never evicts: an evicted task is a lost one", () => {
    expect(valueOf("maxmemory-policy", { use: "all" })).toBe("noeviction");
    expect(valueOf("maxmemory-policy", { use: "broker" })).toBe("noeviction");
  });

  test("a Redis that is a cache alone does", () => {
    expect(valueOf("maxmemory-policy", { use: "cache" })).toBe("allkeys-lru");
  });

  test("writes everything down, a broker before it answers", () => {
    expect(valueOf("appendonly", {})).toBe("yes");
    expect(valueOf("appendfsync", { use: "broker" })).toBe("always");
    expect(valueOf("appendfsync", { use: "all" })).toBe("everysec");
  });

  test("with TLS there is no port without it, but for clients of the version before", () => {
    expect([valueOf("port", { tls: true }), valueOf("tls-port", { tls: true })]).toEqual(["0", "6381"]);
    expect(valueOf("port", { tls: true, formerClients: true })).toBe("6379");
    expect([valueOf("port", {}), valueOf("tls-port", {})]).toEqual(["6379", undefined]);
  });

  test("users come from a file, which is another one for clients of the version before", () => {
    expect(valueOf("aclfile", {})).toBe("/etc/orion/redis/current/users.acl");
    expect(valueOf("aclfile", { formerClients: true })).toBe("/etc/orion/redis/current/former.acl");
  });
});

test("a running server takes over what may change, and nothing that is read at the start only", () => {
  const command = configCommand(settings({ tls: true, use: "cache" }));
  expect(command).toMatch(/^CONFIG SET port "0" maxmemory "256mb" maxmemory-policy "allkeys-lru" .*tls-port "6381"\n$/);
  expect(command).not.toMatch(/aclfile|unixsocket|\bdir\b|bind/);
});

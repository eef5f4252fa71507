/** The components that hold data: exactly what each asks the engine for, in a preview and in an update. */
import { Cache } from "../../../components/cache/cache.ts";
import { redisConfig } from "../../../components/cache/redis-config.ts";
import { Database } from "../../../components/database/database.ts";
import { postgresSettings } from "../../../components/database/postgres-settings.ts";
import { postgresProbe, redisProbe } from "../../../components/runtime/docker/health.ts";
import { compose } from "../support/compose.ts";
import { containerBasics, healthOf, known, named, placeOf, serviceOf } from "../support/place.ts";

const modes = ["preview", "up"] as const;
const onPort = (port: number, containerPort: number) => ({
  published: [{ address: "127.0.0.1", port, containerPort }],
});

describe.each(modes)("Database in mode %s", (mode) => {
  const database = (kind: "volume" | "memory") =>
    compose(mode, () => {
      const service = serviceOf("database", onPort(5432, 5432));
      return new Database("database", { place: placeOf("postgres"), service, data: { kind } });
    });

  test("the server's container", async () => {
    const { resources } = await database("volume");
    const password = { "[secret]": known(mode, "generated-database-password") };
    expect(named(resources, "database-server").inputs).toEqual({
      ...containerBasics("database", 60),
      name: "orion-test-database",
      image: known(mode, "sha256:local-image-postgres"),
      command: [
        "postgres",
        ...Object.entries(postgresSettings(512)).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
      ],
      envs: [
        "POSTGRES_USER=orion_user",
        "POSTGRES_DB=orion_db",
        "POSTGRES_PASSWORD_FILE=/etc/orion/postgres-password",
        "PGUSER=orion_user",
        "PGDATABASE=orion_db",
        "PGDATA=/var/lib/postgresql/data",
      ],
      networksAdvanced: [{ name: "orion-test-network", aliases: ["database"] }],
      ports: [{ ip: "127.0.0.1", external: 5432, internal: 5432, protocol: "tcp" }],
      uploads: [{ file: "/etc/orion/postgres-password", content: password, permissions: "0444" }],
      volumes: [{ volumeName: "orion-test-database-data", containerPath: "/var/lib/postgresql/data" }],
      healthcheck: healthOf(postgresProbe("orion_user", "orion_db")),
      shmSize: 128,
    });
  });

  test("its data and the password that opens it are protected", async () => {
    const { resources } = await database("volume");
    expect(named(resources, "database-data").options.protect).toBe(true);
    expect(named(resources, "database-password").options.protect).toBe(true);
  });

  test("a test database keeps everything in memory, and nothing of it is protected", async () => {
    const { resources } = await database("memory");
    const { inputs } = named(resources, "database-server");
    expect(inputs["tmpfs"]).toEqual({ "/var/lib/postgresql/data": "rw,size=1g" });
    expect(inputs["volumes"]).toBeUndefined();
    expect(inputs["command"]).toEqual(expect.arrayContaining(["fsync=off"]));
    expect(resources.filter(({ type }) => type.includes("Volume"))).toEqual([]);
    expect(resources.filter(({ options }) => options.protect)).toEqual([]);
  });
});

test("PostgreSQL is tuned from its memory: a quarter shared buffers, three quarters cache", () => {
  expect(postgresSettings(4096)).toMatchObject({ shared_buffers: "1024MB", effective_cache_size: "3072MB" });
});

describe.each(modes)("Cache in mode %s", (mode) => {
  const cache = () =>
    compose(mode, () => {
      const service = serviceOf("cache", onPort(6380, 6379));
      return new Cache("cache", { place: placeOf("redis"), service, use: "all", maxMemoryMb: 256 });
    });

  test("the server's container", async () => {
    const { resources } = await cache();
    const secret = (value: string) => ({ "[secret]": known(mode, value) });
    expect(named(resources, "cache-server").inputs).toEqual({
      ...containerBasics("cache", 30, 512),
      name: "orion-test-cache",
      image: known(mode, "sha256:local-image-redis"),
      command: ["redis-server", "/etc/orion/redis.conf"],
      envs: [secret("REDISCLI_AUTH=generated-cache-password")],
      networksAdvanced: [{ name: "orion-test-network", aliases: ["cache"] }],
      ports: [{ ip: "127.0.0.1", external: 6380, internal: 6379, protocol: "tcp" }],
      uploads: [
        {
          file: "/etc/orion/redis.conf",
          content: secret(redisConfig("all", 256, "generated-cache-password")),
          permissions: "0444",
        },
      ],
      volumes: [{ volumeName: "orion-test-cache-data", containerPath: "/data" }],
      healthcheck: healthOf(redisProbe),
      shmSize: 64,
    });
  });

  test("its data outlives it", async () => {
    const { resources } = await cache();
    expect(named(resources, "cache-data").options).toMatchObject({ retainOnDelete: true });
  });
});

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

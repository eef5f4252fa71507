/** Redis: exactly what it asks the engine for, in a preview and in an update. */
import { Cache } from "../../../../components/cache/cache.ts";
import { redisConfig } from "../../../../components/cache/redis-config.ts";
import { compose } from "../../support/compose.ts";
import { redisProbe } from "../../../../components/runtime/docker/health.ts";
import {
  containerBasics,
  filesAt,
  filesOf,
  healthOf,
  known,
  modes,
  named,
  onPort,
  runtimeOf,
  serviceOf,
} from "../../support/runtime.ts";

describe.each(modes)("Cache in mode %s", (mode) => {
  const cache = () =>
    compose(mode, () => {
      const service = serviceOf("cache", onPort(6380, 6379));
      return new Cache("cache", { runtime: runtimeOf("redis"), service, use: "all", maxMemoryMb: 256 });
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
      volumes: [{ volumeName: "orion-test-cache-data", containerPath: "/data" }, filesAt("/etc/orion")],
      healthcheck: healthOf(redisProbe),
      shmSize: 64,
    });
    expect(filesOf(resources, "cache-server")).toEqual({
      "redis.conf": { text: secret(redisConfig("all", 256, "generated-cache-password")), mode: "0444" },
    });
  });

  test("its data outlives it", async () => {
    const { resources } = await cache();
    expect(named(resources, "cache-data").options).toMatchObject({ retainOnDelete: true });
  });
});

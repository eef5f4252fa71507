/** Redis: exactly what it asks the engine for, in a preview and in an update. */
import { Cache } from "../../../../components/cache/cache.ts";
import { redisProbe } from "../../../../components/runtime/docker/health.ts";
import { compose } from "../../support/compose.ts";
import { containerOf, modes, named, onPort, runtimeOf, serviceOf } from "../../support/runtime.ts";

describe.each(modes)("Cache in mode %s", (mode) => {
  const cache = (tls = false) =>
    compose(mode, () => {
      const service = serviceOf("cache", onPort(6380, 6379));
      const args = { runtime: runtimeOf("redis"), service, use: "all" as const, maxMemoryMb: 256 };
      const endpoint = { address: "10.20.1.11:6381", ...(tls && { authorityFile: "/etc/orion/ca.crt" }) };
      const certificate = { certificate: "CERTIFICATE", privateKey: "KEY", authority: "AUTHORITY" };
      return new Cache("cache", { ...args, endpoint, ...(tls && { tls: certificate }) });
    });

  test("the server's container knows no secret: they are in its live files", async () => {
    const { resources } = await cache();
    expect(named(resources, "cache-server").inputs).toEqual({
      ...containerOf({ mode, kind: "cache", image: "redis", stopSeconds: 30, probe: redisProbe }),
      command: ["sh", "/etc/orion/redis/current/start"],
      ports: [{ ip: "127.0.0.1", external: 6380, internal: 6379, protocol: "tcp" }],
      volumes: [
        { volumeName: "orion-test-cache-data", containerPath: "/data" },
        { volumeName: "orion-test-cache-files", containerPath: "/etc/orion/redis", readOnly: true },
      ],
    });
    expect(named(resources, "cache-server").options.dependencies).toContain("orion:index:LiveFiles cache-config");
  });

  test("users, configuration and certificate are live files, and those with secrets are secrets", async () => {
    const { resources } = await cache(true);
    const { files } = named(resources, "cache-config").inputs as { files: Record<string, unknown> };
    const secrets = Object.entries(files).flatMap(([file, text]) => (typeof text === "string" ? [] : [file]));
    expect(secrets.sort()).toEqual(
      ["admin-password", "ca.crt", "former.acl", "monitor-password", "tls.crt", "tls.key", "users.acl"].sort(),
    );
    expect(Object.keys(files)).toEqual(expect.arrayContaining(["redis.conf", "former.conf", "start", "reload"]));
  });

  test("its data outlives it", async () => {
    const { resources } = await cache();
    expect(named(resources, "cache-data").options).toMatchObject({ retainOnDelete: true });
  });
});

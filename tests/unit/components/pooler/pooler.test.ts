/** The pooler: exactly what it asks the engine for, and the ways that lead to it. */
import * as pulumi from "@pulumi/pulumi";
import { Authority } from "../../../../components/authority/authority.ts";
import { pgbouncerConfig } from "../../../../components/pooler/pgbouncer-config.ts";
import { Pooler } from "../../../../components/pooler/pooler.ts";
import { poolerProbe } from "../../../../components/runtime/docker/health.ts";
import { poolerConsole } from "../../../../topology/services/pgbouncer.ts";
import { compose } from "../../support/compose.ts";
import { sharedGraph } from "../../support/graphs.ts";
import { containerOf, expendable, modes, named, runtimeOf, serviceOf } from "../../support/runtime.ts";
import { stackOf } from "../../policy/support.ts";

const config = { connections: 10, upstream: "direct" } as const;

describe.each(modes)("Pooler in mode %s", (mode) => {
  const pooler = () =>
    compose(mode, () => {
      const args = { runtime: runtimeOf("pooler"), service: { ...serviceOf("pgbouncer"), reads: false }, config };
      const password = pulumi.secret("lookup");
      return new Pooler("pgbouncer", { ...args, password, authority: new Authority("authority", { protect: false }) });
    });

  test("PgBouncer without any privilege, whose files are live", async () => {
    const { resources } = await pooler();
    expect(named(resources, "pgbouncer-server").inputs).toEqual({
      ...containerOf({ mode, kind: "pgbouncer", image: "pooler", stopSeconds: 15, probe: poolerProbe(poolerConsole) }),
      command: [...expendable, "pgbouncer", "/etc/orion-pooler/current/pgbouncer.ini"],
      volumes: [{ volumeName: "orion-test-pgbouncer-files", containerPath: "/etc/orion-pooler", readOnly: true }],
    });
    const { files } = named(resources, "pgbouncer-config").inputs as { files: Record<string, unknown> };
    expect(files["pgbouncer.ini"]).toBe(pgbouncerConfig(config));
    expect(files["users.txt"]).toEqual({ "[secret]": '"orion_pooler" "lookup"\n' });
    expect(named(resources, "pgbouncer-tls-request").inputs).toMatchObject({ dnsNames: ["pgbouncer", "gateway"] });
  });
});

test("a gateway leads to poolers that answer already, and DATABASE_URL is the one without them", async () => {
  const [before, after] = [
    await sharedGraph(stackOf("scale"), "up"),
    await sharedGraph(stackOf("scale", { database: { pooler: true } }), "up"),
  ];
  const gateway = named(after.resources, "gateway-app-nbg1-1");
  expect(gateway.options.dependencies).toContain("docker:index/container:Container pgbouncer-app-nbg1-1-server");
  const urls = (resources: typeof after.resources) =>
    JSON.stringify(named(resources, "app-nbg1-1-1").inputs["envs"]).match(/DATABASE\w*URL=[^"]+/g);
  expect(urls(after.resources)).toEqual(urls(before.resources));
  // Apps that run already when the gateway leads to a pooler connect to it as they are: it has no channel binding.
  expect(named(before.resources, "app-nbg1-1-1").inputs["envs"]).toContain("PGCHANNELBINDING=prefer");
  // What holds data is what it was: roles, files and access rules change while it runs.
  for (const name of [
    "database-server",
    "replica-1-server",
    "cache-server",
    "broker-server",
    "gateway-app-nbg1-1-server",
  ])
    expect(named(after.resources, name).inputs).toEqual(named(before.resources, name).inputs);
});

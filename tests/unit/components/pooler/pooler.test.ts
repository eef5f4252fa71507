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
      const args = {
        runtime: runtimeOf("pooler"),
        service: { ...serviceOf("pgbouncer"), reads: false },
        config: pgbouncerConfig(config),
      };
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

const authority = "-----BEGIN CERTIFICATE-----\nprovider\n-----END CERTIFICATE-----\n";

describe("a stack whose database can be moved", () => {
  const inMode = (mode: "provision" | "external", phase: "mvp" | "scale") =>
    sharedGraph(
      stackOf(
        phase,
        {
          ...(phase === "mvp" && { gateway: { enabled: true } }),
          database: { mode, pooler: true, movable: true, memoryMb: 2560, maxConnections: 120, authority },
        },
        ["databaseUrl"],
      ),
      "up",
    );

  test.each(["mvp", "scale"] as const)(
    "in phase %s every container but the release is the same with its own database and with an external one",
    async (phase) => {
      const [own, external] = [await inMode("provision", phase), await inMode("external", phase)];
      const containers = ({ resources }: typeof own) =>
        resources
          .filter(({ type }) => type === "docker:index/container:Container")
          .map(({ name, inputs }) => [name, inputs]);
      expect(containers(external)).toEqual(containers(own));
      const urls = JSON.stringify(containers(external)).match(/DATABASE_\w*URL=[^"]+/g) ?? [];
      expect([...new Set(urls.map((url) => url.replace(/.*@/, "")))].toSorted()).toEqual([
        "gateway:5432/orion_db",
        "gateway:5432/orion_session",
        "gateway:5433/orion_db",
      ]);
    },
  );

  test("its poolers lead to the external one, which they verify by its own authority, and ask the stack's own who may log in", async () => {
    const { resources } = await inMode("external", "mvp");
    const { files } = named(resources, "pgbouncer-core-1-config").inputs as { files: Record<string, unknown> };
    const server = "host=secret.invalid port=5432 dbname='secret' user='secret' password='databaseUrl'";
    expect(JSON.stringify(files["pgbouncer.ini"])).toContain(
      `orion_db = ${server}\\norion_session = ${server} pool_mode=session\\npostgres = host=gateway port=5434 dbname=postgres\\n`,
    );
    expect(JSON.stringify(files["ca.crt"])).toContain("provider");
    expect(JSON.stringify(files["users.txt"])).toMatch(/orion_pooler[^]*orion_app_a[^]*orion_reader/);
    // Nor do reads go to the stack's own one, which has what it had.
    const gateway = named(resources, "gateway-core-1-config").inputs as { files: Record<string, unknown> };
    expect(JSON.stringify(gateway.files["haproxy.cfg"])).toMatch(/reads[^]*pgbouncer-core-1:6432/);
  });
});

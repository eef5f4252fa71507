/** The database: exactly what it asks the engine for, in a preview and in an update. */
import { Database } from "../../../../components/database/database.ts";
import { postgresSettings } from "../../../../components/database/postgres-settings.ts";
import { compose } from "../../support/compose.ts";
import { Authority } from "../../../../components/authority/authority.ts";
import { servicesOf } from "../../../../topology/topology.ts";
import { stackOf } from "../../policy/support.ts";
import { postgresProbe } from "../../../../components/runtime/docker/health.ts";
import {
  containerOf,
  filesAt,
  filesOf,
  known,
  modes,
  named,
  onPort,
  runtimeOf,
  serviceOf,
} from "../../support/runtime.ts";

describe.each(modes)("Database in mode %s", (mode) => {
  const database = (kind: "volume" | "memory") =>
    compose(mode, () => {
      const service = serviceOf(kind === "volume" ? "database" : "test-database", onPort(5432, 5432));
      return new Database("database", { runtime: runtimeOf("postgres"), service, data: { kind } });
    });

  test("the server's container", async () => {
    const { resources } = await database("volume");
    const password = { "[secret]": known(mode, "generated-database-password") };
    expect(named(resources, "database-server").inputs).toEqual({
      ...containerOf({
        ...{ mode, kind: "database", image: "postgres", stopSeconds: 60 },
        probe: postgresProbe("orion_monitor", "orion_db"),
      }),
      command: [
        "postgres",
        ...Object.entries(postgresSettings(512)).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
      ],
      envs: [
        "POSTGRES_USER=orion_user",
        "POSTGRES_DB=orion_db",
        "POSTGRES_PASSWORD_FILE=/etc/orion/postgres-password",
        "POSTGRES_INITDB_ARGS=--data-checksums",
        "PGUSER=orion_user",
        "PGDATABASE=orion_db",
        "PGDATA=/var/lib/postgresql/data",
      ],
      ports: [{ ip: "127.0.0.1", external: 5432, internal: 5432, protocol: "tcp" }],
      volumes: [
        { volumeName: "orion-test-database-data", containerPath: "/var/lib/postgresql/data" },
        filesAt("/etc/orion"),
      ],
      shmSize: 128,
    });
    expect(filesOf(resources, "database-server")).toEqual({ "postgres-password": { text: password, mode: "0444" } });
  });

  test("on a server, access rules, certificate and key are live files, and the container waits for them", async () => {
    const { resources } = await compose(mode, () => {
      const runtime = runtimeOf("postgres");
      const { topology } = stackOf("scale");
      const [service] = servicesOf(topology, "database");
      if (!service) throw new Error("no database");
      const authority = new Authority("authority", { protect: true });
      const data = { kind: "directory", path: "/mnt/orion-data/postgres" } as const;
      return new Database("database", { runtime, service, data, access: { topology, authority } });
    });
    const { inputs, options } = named(resources, "database-server");
    expect(options.dependencies).toContain("orion:index:LiveFiles database-files-live");
    expect(inputs["volumes"]).toContainEqual({
      ...{ volumeName: "orion-test-database-files", containerPath: "/etc/orion-postgres", readOnly: true },
    });
    expect(inputs["command"]).toEqual(
      expect.arrayContaining([
        "ssl=on",
        "log_connections=on",
        "log_statement=ddl",
        expect.stringMatching(/^hba_file=/),
      ]),
    );
    const files = named(resources, "database-files-live").inputs["files"] as Record<string, unknown>;
    expect(Object.keys(files)).toEqual(["ca.crt", "pg_hba.conf", "server.crt", "server.key"]);
    expect(files["server.key"]).toEqual({ "[secret]": known(mode, "key-database-files-tls-key") });
    expect(named(resources, "database-files-tls-request").inputs).toMatchObject({
      ...{ dnsNames: ["database", "gateway"], ipAddresses: ["10.20.1.11"] },
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
    expect(inputs["tmpfs"]).toMatchObject({ "/var/lib/postgresql/data": "rw,size=320m" });
    expect(inputs["volumes"]).toEqual([filesAt("/etc/orion")]);
    expect(inputs["command"]).toEqual(expect.arrayContaining(["fsync=off"]));
    // The image's entrypoint gives up root when the command is PostgreSQL's.
    expect(inputs["command"]).toMatchObject({ 0: "postgres" });
    expect(resources.flatMap(({ type, name }) => (type.endsWith(":Volume") ? [name] : []))).toEqual([
      "database-server-files",
    ]);
    expect(resources.filter(({ options }) => options.protect)).toEqual([]);
  });
});

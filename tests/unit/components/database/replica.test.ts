/** A replica: what it asks the engine for, and the shell that it starts with. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { postgresSettings } from "../../../../components/database/postgres-settings.ts";
import { Replica } from "../../../../components/database/replica.ts";
import { createSlotScript, dropSlotScript, replicaCommand } from "../../../../components/database/replication.ts";
import { Authority } from "../../../../components/authority/authority.ts";
import { servicesOf } from "../../../../topology/topology.ts";
import { stackOf } from "../../policy/support.ts";
import { compose } from "../../support/compose.ts";
import { named, runtimeOf } from "../../support/runtime.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

describe.each(["preview", "up"] as const)("Replica in mode %s", (mode) => {
  const replica = () =>
    compose(mode, () => {
      const runtime = runtimeOf("postgres");
      const { topology } = stackOf("scale");
      const [service] = servicesOf(topology, "replica");
      const [primary] = servicesOf(topology, "database");
      if (!service || !primary) throw new Error("no replica");
      return new Replica("replica-1", {
        ...{ runtime, service, topology, maxConnections: 100, source: service.follows },
        ...{ path: "/mnt/orion-data/postgres", replicationPassword: pulumi.secret("of the role") },
        authority: new Authority("authority", { protect: true }),
        primary: { runtime, service: primary },
      });
    });

  test("follows the primary by a slot of its own, with settings that let it", async () => {
    const { resources } = await replica();
    const { inputs, options } = named(resources, "replica-1-server");
    const command = inputs["command"] as string[];
    expect(command.slice(4)).toEqual(
      expect.arrayContaining([
        ...Object.entries(postgresSettings(3072)).map(([key, value]) => `${key}=${value}`),
        "primary_slot_name=replica_1",
        "hot_standby_feedback=on",
        "ssl=on",
      ]),
    );
    expect(inputs["mounts"]).toMatchObject([
      { source: "/mnt/orion-data/postgres", target: "/var/lib/postgresql/data" },
    ]);
    expect(options.dependencies).toContain("orion:index:SqlScript replica-1-admission");
  });

  test("verifies its primary, also for the first copy", async () => {
    const { inputs } = named((await replica()).resources, "replica-1-server");
    const command = (inputs["command"] as string[]).join("\n");
    expect(command.match(/sslmode=verify-full sslrootcert=\S+\/ca.crt channel_binding=require/g)).toHaveLength(2);
    expect(command).not.toContain("sslmode=require");
  });

  test("shows its password in a file that is a secret, and nowhere else", async () => {
    const { resources } = await replica();
    const files = named(resources, "replica-1-files-live").inputs["files"] as Record<string, unknown>;
    expect(files["passwords"]).toEqual({ "[secret]": "10.20.1.11:5432:*:orion_replication:of the role\n" });
    expect(JSON.stringify(named(resources, "replica-1-server").inputs)).not.toContain("of the role");
  });

  test("gets a slot at the primary by SQL over the socket, which is dropped with it", async () => {
    const { inputs, options } = named((await replica()).resources, "replica-1-admission");
    expect(inputs).toMatchObject({
      ...{ container: "orion-prod-database", variables: { slot: "replica_1" } },
      ...{ script: createSlotScript, removal: dropSlotScript },
    });
    // Its identity in the version before: deleted instead of taken over, it would drop the slot.
    expect(options.aliases).toEqual(["orion:index:Task replica-1-admission"]);
  });
});

describe("its start", () => {
  const folder = temporaryFolder("replica");
  const data = join(folder, "data");
  const program = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };
  /** Runs the container's command with programs of this test in place of PostgreSQL's. @returns what it printed */
  const start = (): { code: number | null; output: string } => {
    const [shell = "", ...args] = replicaCommand(
      { host: "10.20.1.11", port: "5432", slot: "replica_1" },
      { ssl: "on" },
    );
    const env = { PATH: `${folder}:${process.env["PATH"] ?? ""}`, PGDATA: data };
    const { status, stdout, stderr } = spawnSync(shell, args, { env, encoding: "utf8" });
    return { code: status, output: stdout + stderr };
  };
  beforeEach(() => {
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data);
    for (const name of ["install", "chown"]) program(name, "exit 0");
    program("setpriv", 'while [ "$1" != env ]; do shift; done; exec "$@"');
    program("docker-entrypoint.sh", 'echo "started: $*"');
    program("pg_controldata", "echo 'max_connections setting:              100'");
    program(
      "pg_basebackup",
      'for last; do :; done; mkdir "$last" "$last/base"; echo 15 > "$last/PG_VERSION"; echo copied',
    );
  });

  test("copies the primary's data once, and keeps it at later starts", () => {
    expect(start()).toEqual({ code: 0, output: "copied\nstarted: postgres -c ssl=on\n" });
    expect(readdirSync(data).sort()).toEqual(["PG_VERSION", "base", "standby.signal"]);
    expect(start()).toEqual({ code: 0, output: "started: postgres -c ssl=on\n" });
  });

  test("what is left of a copy that broke off is no data", () => {
    mkdirSync(join(data, "incoming"));
    writeFileSync(join(data, "half"), "");
    expect(start().output).toContain("copied");
    expect(existsSync(join(data, "half"))).toBe(false);
  });

  test("allows as many connections as its primary did, until it has replayed the lower number", () => {
    program(
      "pg_controldata",
      "echo 'max_worker_processes setting:         8\nmax_connections setting:              200'",
    );
    expect(start().output).toContain("started: postgres -c ssl=on -c max_connections=200\n");
    program("pg_controldata", "echo 'max_connections setting:              100'");
    expect(start().output).toBe("started: postgres -c ssl=on\n");
  });

  test("does not start without a copy", () => {
    program("pg_basebackup", "echo 'no route to host' >&2; exit 1");
    const { code, output } = start();
    expect(code).not.toBe(0);
    expect(output).not.toContain("started");
  });

  test("one that has become a primary stays one, with its data", () => {
    writeFileSync(join(data, "PG_VERSION"), "15\n");
    expect(start()).toEqual({ code: 0, output: "started: postgres -c ssl=on\n" });
    expect(readdirSync(data)).toEqual(["PG_VERSION"]);
  });
});

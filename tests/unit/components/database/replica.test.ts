/** A replica: what it asks the engine for, and the shell that it starts with. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { postgresSettings } from "../../../../components/database/postgres-settings.ts";
import { Replica } from "../../../../components/database/replica.ts";
import { admissionScript, dismissalScript, replicaCommand } from "../../../../components/database/replication.ts";
import { compose } from "../../support/compose.ts";
import { filesOf, known, named, runtimeOf, serviceOf } from "../../support/runtime.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

describe.each(["preview", "up"] as const)("Replica in mode %s", (mode) => {
  const replica = () =>
    compose(mode, () => {
      const runtime = runtimeOf("postgres");
      const published = [{ address: "10.20.1.22", port: 5432, containerPort: 5432 }];
      const own = serviceOf("database", { name: "replica-1", published });
      const replicaService = { ...own, kind: "replica", follows: "10.20.1.11:5432" } as const;
      return new Replica("replica-1", {
        ...{ runtime, service: replicaService, maxConnections: 100 },
        ...{ address: "10.20.1.22:5432", path: "/mnt/orion-data/postgres" },
        ...{ databasePassword: pulumi.secret("of the platform"), source: "10.20.1.11:5432" },
        primary: { runtime, service: serviceOf("database") },
      });
    });

  test("follows the primary by a slot of its own, with settings that let it", async () => {
    const { resources } = await replica();
    const { inputs, options } = named(resources, "replica-1-server");
    const command = inputs["command"] as string[];
    expect(command.slice(4)).toEqual(
      expect.arrayContaining([
        ...Object.entries(postgresSettings(512)).map(([key, value]) => `${key}=${value}`),
        "primary_slot_name=replica_1",
        "hot_standby_feedback=on",
        "ssl=on",
      ]),
    );
    expect(inputs["mounts"]).toMatchObject([
      { source: "/mnt/orion-data/postgres", target: "/var/lib/postgresql/data" },
    ]);
    expect(options.dependencies).toContain("orion:index:Task replica-1-admission");
  });

  test("shows its password in a file that is a secret, and nowhere else", async () => {
    const { resources } = await replica();
    const password = known(mode, "generated-replica-1-password");
    const content = mode === "preview" ? "[unknown]" : `10.20.1.11:5432:*:orion_replication:${password}\n`;
    const { inputs } = named(resources, "replica-1-server");
    expect(filesOf(resources, "replica-1-server")).toMatchObject({
      "replication-passwords": { text: { "[secret]": content }, mode: "0400" },
    });
    expect(JSON.stringify(inputs["command"])).not.toContain(password);
  });

  test("registers at the primary by SQL, and its slot is dropped with it", async () => {
    const { inputs } = named((await replica()).resources, "replica-1-admission");
    expect(inputs).toMatchObject({
      command: ["sh", "-c", admissionScript("replica-1")],
      removal: ["sh", "-c", dismissalScript("replica-1")],
      environment: {
        PGHOST: "database",
        PGPASSWORD: { "[secret]": "of the platform" },
        REPLICATION_PASSWORD: { "[secret]": known(mode, "generated-replica-1-password") },
      },
    });
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

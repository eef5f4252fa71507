/**
 * The archive of the database's changes: the product's own image, configuration and command against a real PostgreSQL and the
 * rehearsal's R2, which has to speak TLS for pgBackRest.
 */
import { join } from "node:path";
import { spawn } from "node:child_process";
import { tryRun } from "../../common/process.ts";
import { alertCommand, archiveCommand, archiveSettingsFile } from "../../common/server-contract.ts";
import {
  archiveEnvironment,
  archiveFiles,
  archiveSettings,
  configurationText,
  gapFile,
  pushScript,
} from "../../components/database/archive-config.ts";
import { archiveScript, archiveSettingsText } from "../../components/database/archive-script.ts";
import { settingArguments } from "../../components/database/postgres-settings.ts";
import { filesDirectory, ownDirectory, takeFiles } from "../../components/database/postgres-tls.ts";
import { ensureImages } from "../../images/ensure.ts";
import { Edge } from "../../rehearsal/cloudflare/edge/edge.ts";
import { accessKeys } from "../../rehearsal/cloudflare/objects/keys.ts";
import { R2Endpoint } from "../../rehearsal/cloudflare/objects/r2-endpoint.ts";
import { S3Server } from "../../rehearsal/cloudflare/objects/s3-server.ts";
import { addBucket } from "../../rehearsal/cloudflare/r2.ts";
import type { CloudflareObjects } from "../../rehearsal/cloudflare/state.ts";
import { World } from "../../rehearsal/cloudflare/world.ts";
import { MachineImages } from "../../rehearsal/machines/docker/images.ts";
import { ensureProgram, storage as storageProgram } from "../../rehearsal/programs/programs.ts";
import { Store } from "../../rehearsal/store.ts";
import { eventually } from "../../testing/eventually.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { progressOn } from "../../toolchain/src/progress.ts";
import { freePort } from "../../common/ports.ts";

const root = process.cwd();
const accountId = "0".repeat(32);
const host = `${accountId}.r2.cloudflarestorage.com`;
const bucket = "orion-files-backups";
const name = `orion-pgbackrest-${process.pid}`;
const server = `${name}-server`;
const filesVolume = `${name}-files`;
const data = join(temporaryFolder("pgbackrest"), "postgres");
// A minute on an idle machine.
jest.setTimeout(600_000);

let s3: S3Server;
let edge: Edge;
let image: string;
/** Options of \`docker run\` for a container that reaches R2 by its name. */
let known: readonly string[];

/** Runs a program asynchronously: R2 is in this process. */
async function run(program: string, args: readonly string[], input = ""): Promise<{ code: number; output: string }> {
  const child = spawn(program, args);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.stdin.on("error", () => undefined).end(input);
  return new Promise((settle, fail) => {
    child.once("error", fail);
    child.once("close", (code) => {
      settle({ code: code ?? -1, output });
    });
  });
}
async function docker(...args: readonly string[]): Promise<string> {
  const { code, output } = await run("docker", args);
  if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${output}`);
  return output.trim();
}
const sql = (text: string) => docker("exec", name, "psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-c", text);
const archive = (...words: readonly string[]) => run("docker", ["exec", server, archiveCommand, ...words]);
async function archived(...words: readonly string[]): Promise<string> {
  const { code, output } = await archive(...words);
  if (code !== 0) throw new Error(`orion-archive ${words.join(" ")}: ${output}`);
  return output;
}
const alerts = () => docker("exec", server, "sh", "-c", "cat /run/alerts 2>/dev/null; rm -f /run/alerts");
const answers = () =>
  eventually(async () => {
    await docker("exec", name, "pg_isready", "-h", "127.0.0.1");
  }, 60);
/** Whole seconds, so that no change is of the second itself. */
async function pause(): Promise<string> {
  await new Promise((go) => setTimeout(go, 1200));
  const now = await sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')");
  await new Promise((go) => setTimeout(go, 1200));
  return now;
}
const ordersOf = (output: string): string | undefined => /restored public\.orders: (\d+) rows/.exec(output)?.[1];

/** The server's command with its settings, on this machine's Docker Engine; alerts go into a file. */
async function startServer(): Promise<void> {
  const images = new MachineImages({ root, logs: temporaryFolder("logs"), progress: progressOn(process.stderr) });
  await docker(
    ...["run", "--detach", "--init", "--name", server, "--network", "none", "--entrypoint", "sleep"],
    ...["--volume", "/var/run/docker.sock:/var/run/docker.sock", "--volume", `${join(data, "..")}:${join(data, "..")}`],
    ...[await images.name("server"), "infinity"],
  );
  const settings = { container: name, image, filesVolume, data, database: "orion_db" };
  const files = {
    [archiveCommand]: archiveScript,
    [archiveSettingsFile]: archiveSettingsText(settings),
    [alertCommand]: '#!/bin/sh\n{ echo "$*"; [ $# -ne 1 ] || cat; } >> /run/alerts\n',
    "/usr/local/bin/docker": `#!/bin/sh
case $1 in run) shift; exec /usr/bin/docker run ${known.join(" ")} "$@" ;; *) exec /usr/bin/docker "$@" ;; esac
`,
    // The server has no systemd: a base backup begins at once.
    "/usr/local/bin/systemctl": `#!/bin/sh\necho "$*" >> /run/started\n`,
  };
  for (const [path, text] of Object.entries(files)) {
    const write = `mkdir -p /run/lock "$(dirname ${path})"; cat > ${path}; chmod 0755 ${path}`;
    const { code, output } = await run("docker", ["exec", "--interactive", server, "sh", "-euc", write], text);
    if (code !== 0) throw new Error(output);
  }
}

async function startDatabase(configuration: string, authority: string): Promise<void> {
  const files = {
    "authority.pem": authority,
    [archiveFiles.configuration]: configuration,
    [archiveFiles.push]: pushScript,
  };
  for (const [file, text] of Object.entries(files)) {
    const write = `mkdir -p /files/current; cat > /files/current/${file}`;
    const mount = ["--volume", `${filesVolume}:/files`, "--entrypoint", "sh"];
    const { code, output } = await run(
      "docker",
      ["run", "--rm", "--interactive", ...mount, image, "-euc", write],
      text,
    );
    if (code !== 0) throw new Error(output);
  }
  await runDatabase();
}

async function runDatabase(): Promise<void> {
  const environment = { ...archiveEnvironment, PGUSER: "orion_user", PGDATABASE: "orion_db", POSTGRES_PASSWORD: "any" };
  await docker(
    ...[
      "run",
      "--detach",
      "--init",
      "--name",
      name,
      ...known,
      "--read-only",
      "--tmpfs",
      "/tmp",
      "--tmpfs",
      "/var/run/postgresql",
    ],
    ...["--volume", `${data}:/var/lib/postgresql/data`, "--volume", `${filesVolume}:${filesDirectory}:ro`],
    ...["--env", "POSTGRES_USER=orion_user", "--env", "POSTGRES_DB=orion_db"],
    ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    ...[image, "sh", "-c", `${takeFiles} && exec docker-entrypoint.sh postgres "$@"`, "postgres"],
    ...settingArguments(archiveSettings),
  );
  await answers().catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await docker("logs", "--tail", "30", name)}`);
  });
}

beforeAll(async () => {
  const ensured = await ensureImages({ root, cache: temporaryFolder("images"), names: ["database"] });
  image = ensured[0]?.reference ?? "";
  const program = await ensureProgram(storageProgram, { root });
  s3 = new S3Server({ program, folder: temporaryFolder("objects"), port: await freePort(), token: "any", accountId });
  const store = new Store<CloudflareObjects>(":memory:");
  const world = new World({ store, token: "any", accountId, now: () => new Date() });
  const gateway = await docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}");
  const ports = { https: await freePort(), http: await freePort() };
  const objects = new R2Endpoint({ world, storage: s3, port: await freePort() });
  edge = new Edge({ world, address: gateway, ports, objects });
  await Promise.all([s3.start(), edge.start()]);
  await s3.createBucket(bucket);
  addBucket(world, bucket, "default");
  await s3.setKeys(accessKeys(world));
  const configuration = configurationText({
    ...{ bucket, endpoint: `https://${host}:${ports.https}`, cipherKey: "any", days: 14, queueGb: 1 },
    ...{ accessKeyId: world.ownerKey.id, secretAccessKey: world.ownerKey.secret },
  });
  // Here no name server knows the storage's name, and its authority is in no bundle.
  const here = `[global]\nrepo1-storage-ca-file=${ownDirectory}/authority.pem\n`;
  known = ["--add-host", `${host}:${gateway}`];
  await docker("volume", "create", filesVolume);
  await docker(
    "run",
    "--rm",
    "--volume",
    `${join(data, "..")}:/d`,
    "--entrypoint",
    "mkdir",
    image,
    "-p",
    "/d/postgres",
  );
  await startServer();
  const small = configuration.replace("queue-max=1GiB", "queue-max=64MiB").replace("io-timeout=20", "io-timeout=3");
  await startDatabase(small.replace("[global]\n", here), await edge.authority());
}, 900_000);

afterAll(async () => {
  await tryRun("docker", ["rm", "--force", "--volumes", name, server]);
  // The data belongs to another user.
  await tryRun("docker", [
    "run",
    "--rm",
    "--volume",
    `${join(data, "..")}:/d`,
    "--entrypoint",
    "sh",
    image,
    "-c",
    "rm -rf /d/*",
  ]);
  await tryRun("docker", ["volume", "rm", filesVolume]);
  await edge.stop();
  await s3.stop();
});

describe("the archive", () => {
  let first: string;
  let second: string;

  test("registers the database by itself, and begins a base backup", async () => {
    expect(await archived("check")).toBe("");
    expect(await docker("exec", server, "cat", "/run/started")).toBe("start --no-block orion-archive-backup.service");
    expect((await archive("drill", "2026-01-01 00:00:00")).output).toContain("there is no base backup yet");
    await sql("CREATE TABLE orders (id int PRIMARY KEY, reference text)");
    // Large and not compressible, so that it is uploaded in parts.
    await sql(
      "CREATE TABLE big AS SELECT n, gen_random_uuid() a, gen_random_uuid() b FROM generate_series(1, 200000) n",
    );
    expect(await archived("backup")).toMatch(
      /a full base backup is complete \(\d+ s\); base backups now: 1, every second/,
    );
    expect(await alerts()).toBe("");
  });

  test("a drill restores to a second: every change up to it is there, and none after it", async () => {
    // What PostgreSQL could not archive before it was registered does not count.
    await sql("SELECT pg_stat_reset_shared('archiver')");
    await sql("INSERT INTO orders SELECT n, 'first ' || n FROM generate_series(1, 100) n");
    first = await pause();
    await sql("INSERT INTO orders SELECT n, 'second ' || n FROM generate_series(101, 150) n");
    await sql("DELETE FROM orders WHERE id <= 20");
    second = await pause();
    await sql("DROP TABLE big");
    expect(await archived("backup")).toContain("a diff base backup is complete");
    await sql("TRUNCATE orders");

    const output = await archived("drill", first);
    expect(ordersOf(output)).toBe("100");
    expect(output).toMatch(/the first change that is left out is of /);
    expect(output).toMatch(new RegExp(`${first} was restored: 2 tables, 200100 rows; \\d+ s in all`));
    const query = "SELECT count(*), min(id), max(reference) FROM orders";
    const asked = await run("docker", [
      "exec",
      "--env",
      `ORION_DRILL_QUERY=${query}`,
      server,
      archiveCommand,
      "drill",
      second,
    ]);
    expect(asked.output).toContain("130|21|second 150");
    expect(await docker("ps", "--all", "--quiet", "--filter", "name=orion-archive-drill")).toBe("");
    // Nothing of it has gone into the archive, and the database has not noticed.
    expect(await sql("SELECT count(*) FROM orders")).toBe("0");
    expect(await sql("SELECT failed_count FROM pg_stat_archiver")).toBe("0");
  });

  test.each([
    ["tomorrow", "allowed: UTC as 2026-11-29 12:00:05"],
    ["2026-13-41 00:00:00", "allowed: UTC as 2026-11-29 12:00:05"],
    ["2126-01-01 00:00:00", "is not in the past"],
    ["2020-01-01 00:00:00", "cannot be restored: the oldest base backup was complete at"],
    ["2020-01-01 00:00:00'; touch /run/broken; '", "allowed: UTC as"],
  ])("the time %p is refused, and nothing is changed", async (time, why) => {
    for (const verb of ["drill", "restore"]) {
      const { code, output } = await archive(verb, time);
      expect([code, output]).toEqual([1, expect.stringContaining(why)]);
    }
    expect(await docker("exec", server, "ls", "/run")).not.toContain("broken");
    expect(await sql("SELECT 1")).toBe("1");
  });

  test("a restore takes the data back to that second, keeps that of now aside, and archives on", async () => {
    await sql("INSERT INTO orders VALUES (1000, 'after the accident')");
    const output = await archived("restore", second);
    const [, aside = ""] = /that of before is in (\S+):/.exec(output) ?? [];
    expect(aside).toMatch(/postgres\.before-\d{8}T\d{6}Z$/);
    expect(await docker("exec", server, "cat", `${aside}/PG_VERSION`)).toBe("15");
    expect(await sql("SELECT count(*), min(id) FROM orders")).toBe("130|21");
    expect(await sql("SELECT count(*) FROM pg_file_settings WHERE name ~ '^(recovery_target|restore_command)'")).toBe(
      "0",
    );
    expect(await sql("SELECT timeline_id > 1 FROM pg_control_checkpoint()")).toBe("t");
  });

  test("on the new timeline it goes on: another second, after another base backup, can be restored", async () => {
    await sql("INSERT INTO orders VALUES (2000, 'after the restore')");
    expect(await archived("backup", "full")).toContain("base backups now: 3");
    await sql("INSERT INTO orders VALUES (2001, 'later')");
    const third = await pause();
    await sql("INSERT INTO orders VALUES (2002, 'too late')");
    expect(ordersOf(await archived("drill", third))).toBe("132");
    // And so can one from before the restore.
    expect(ordersOf(await archived("drill", first))).toBe("100");
  });

  /** Finishes segments with changes in them. */
  async function write(segments: number): Promise<void> {
    for (let segment = 0; segment < segments; segment++) {
      await sql("SELECT pg_logical_emit_message(false, 'orion', 'any'); SELECT pg_switch_wal()");
    }
  }
  const waiting = async () => Number(/^waiting (\d+)/m.exec(await archived("facts"))?.[1]);
  /** As if what waits had been there for ten minutes. */
  const wait = () =>
    docker("exec", server, "sh", "-c", `touch -d '10 minutes ago' ${data}/pg_wal/archive_status/*.ready`);
  const failures = () => sql("SELECT failed_count FROM pg_stat_archiver");

  test("while the storage cannot be reached, changes wait and people are told; then it catches up by itself", async () => {
    await alerts();
    await docker("network", "disconnect", "bridge", name);
    const before = await failures();
    await sql("INSERT INTO orders VALUES (3000, 'while nothing could be archived')");
    await write(2);
    await eventually(async () => {
      expect(Number(await failures())).toBeGreaterThan(Number(before));
    }, 180);
    expect(await waiting()).toBeGreaterThan(1);
    await wait();
    expect(await archived("check")).toContain("segments wait, the oldest one for");
    await archived("check");
    // Once, and not at every look.
    expect((await alerts()).match(/the database's changes are not archived/g)).toHaveLength(1);
    await docker("network", "connect", "bridge", name);
    await eventually(async () => {
      expect(await waiting()).toBe(0);
    }, 180);
    expect(await archived("check")).toBe("");
    const time = await pause();
    await sql("DELETE FROM orders");
    expect(ordersOf(await archived("drill", time))).toBe("134");
  });

  test("more than the queue holds is given up, not kept until the disk is full: people are told, and a full base backup ends the gap", async () => {
    await docker("network", "disconnect", "bridge", name);
    // Of 16 MB each; the queue holds 64.
    await write(6);
    await eventually(async () => {
      expect(await archived("facts").catch(() => "")).toMatch(/^$|^gap \d+$/m);
      expect(await docker("exec", server, "ls", data)).toContain(gapFile);
    }, 240);
    await docker("network", "connect", "bridge", name);
    await archived("check");
    expect(await alerts()).toContain("changes of the database were given up and are not archived");
    expect(await archived("facts")).toMatch(/^gap \d+$/m);
    expect(await archived("backup")).toContain("a full base backup is complete");
    expect(await archived("facts")).not.toMatch(/^gap/m);
    await sql("INSERT INTO orders VALUES (4000, 'after the gap')");
    const time = await pause();
    expect(ordersOf(await archived("drill", time))).toBe("1");
  });

  test("after the loss of the data, a new database gets everything that was archived, and goes on with the archive", async () => {
    await sql("INSERT INTO orders VALUES (5000, 'the last one')");
    await write(1);
    await eventually(async () => {
      expect(await waiting()).toBe(0);
    }, 60);
    await docker("rm", "--force", "--volumes", name);
    await docker(
      "run",
      "--rm",
      "--volume",
      `${data}:/d`,
      "--entrypoint",
      "find",
      image,
      "/d",
      "-mindepth",
      "1",
      "-delete",
    );
    await runDatabase();
    await docker("exec", server, "rm", "-rf", "/run/orion-archive");
    await alerts();
    // What is in the archive is of another database, and stays.
    await archived("check");
    expect(await alerts()).toContain("the database's archive cannot be written");
    expect(await archived("restore", "latest")).toContain("the database has the data of latest");
    expect(await sql("SELECT string_agg(id::text, ',' ORDER BY id) FROM orders")).toBe("4000,5000");
    expect(await archived("backup", "full")).toContain("a full base backup is complete");
  });
});

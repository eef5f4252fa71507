/** pgBackRest against the rehearsal's R2, which has to speak TLS for it: archive, backup and restore of a real database. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tryRun } from "../../common/process.ts";
import { officialImages } from "../../config/images.ts";
import { hashOf } from "../../common/images/context.ts";
import { buildImage } from "../../common/images/docker-build.ts";
import { builderEnvironment, localImages } from "../../common/images/engine.ts";
import { Edge } from "../../rehearsal/cloudflare/edge/edge.ts";
import { accessKeys } from "../../rehearsal/cloudflare/objects/keys.ts";
import { R2Endpoint } from "../../rehearsal/cloudflare/objects/r2-endpoint.ts";
import { S3Server } from "../../rehearsal/cloudflare/objects/s3-server.ts";
import { addBucket } from "../../rehearsal/cloudflare/r2.ts";
import type { CloudflareObjects } from "../../rehearsal/cloudflare/state.ts";
import { World } from "../../rehearsal/cloudflare/world.ts";
import { ensureProgram, storage as storageProgram } from "../../rehearsal/programs/programs.ts";
import { Store } from "../../rehearsal/store.ts";
import { eventually } from "../../testing/eventually.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { freePort } from "../../common/ports.ts";

const root = process.cwd();
const accountId = "0".repeat(32);
const host = `${accountId}.r2.cloudflarestorage.com`;
const bucket = "orion-files-backups";
const name = `orion-pgbackrest-${process.pid}`;
const restored = `${name}-restored`;
const password = "pgbackrest";
jest.setTimeout(300_000);

let s3: S3Server;
let edge: Edge;
let image: string;
/** Arguments of `docker run` for a container that reaches R2 by its names. */
let reach: readonly string[];

/** Runs a program asynchronously: R2 is in this process. */
async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tryRun(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout.trim();
}
const docker = (...args: readonly string[]) => run("docker", ...args);
const backrest = (...args: readonly string[]) =>
  docker("exec", "--user", "postgres", name, "pgbackrest", "--stanza=orion", ...args);
const sql = (container: string, text: string) =>
  docker("exec", "--user", "postgres", container, "psql", "-v", "ON_ERROR_STOP=1", "-tAc", text);
const answers = (container: string) =>
  eventually(async () => {
    await docker("exec", container, "pg_isready", "-h", "127.0.0.1");
  }, 60);

async function imageWithBackrest(): Promise<string> {
  const base = await docker("image", "inspect", "--format", "{{.Id}}", officialImages.postgres);
  const lines = [
    `FROM ${officialImages.postgres}`,
    "RUN apt-get -qq update && apt-get -qq install --yes --no-install-recommends pgbackrest ca-certificates >/dev/null",
    "RUN install --directory --owner postgres --group postgres /var/log/pgbackrest /var/spool/pgbackrest",
  ];
  const files = [{ path: "Dockerfile", content: Buffer.from(`${lines.join("\n")}\n`), kind: "file" as const }];
  const reference = `orion/test-pgbackrest:${hashOf(files, base).slice(0, 12)}`;
  if ((await localImages(tryRun, [reference])).has(reference)) return reference;
  const tools = { runner: tryRun, logs: temporaryFolder("logs"), environment: await builderEnvironment(tryRun) };
  await buildImage(tools, { title: "pgbackrest", reference, files, args: {}, labels: {} });
  return reference;
}

beforeAll(async () => {
  image = await imageWithBackrest();
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
  const folder = temporaryFolder("pgbackrest");
  // PostgreSQL's user in the container reads it.
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, "ca.pem"), await edge.authority(), { mode: 0o644 });
  const settings = {
    ...{ "repo1-type": "s3", "repo1-s3-bucket": bucket, "repo1-s3-endpoint": host, "repo1-s3-region": "auto" },
    ...{ "repo1-s3-key": world.ownerKey.id, "repo1-s3-key-secret": world.ownerKey.secret },
    ...{ "repo1-storage-port": ports.https, "repo1-storage-ca-file": "/etc/pgbackrest/ca.pem", "repo1-path": "/pg" },
    ...{
      "repo1-retention-full": 1,
      "repo1-bundle": "y",
      "start-fast": "y",
      "process-max": 2,
      "log-level-console": "warn",
    },
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const text = ["[global]", ...lines, "[orion]", "pg1-path=/var/lib/postgresql/data", ""].join("\n");
  writeFileSync(join(folder, "pgbackrest.conf"), text, { mode: 0o644 });
  reach = [
    ...["--add-host", `${host}:${gateway}`, "--add-host", `${bucket}.${host}:${gateway}`],
    ...["--volume", `${folder}:/etc/pgbackrest:ro`, "--env", `POSTGRES_PASSWORD=${password}`],
  ];
}, 900_000);

afterAll(async () => {
  await tryRun("docker", ["rm", "--force", "--volumes", name, restored]);
  await edge.stop();
  await s3.stop();
});

test("a database is archived, backed up and restored with what came after the backup", async () => {
  const archiving = ["-c", "archive_mode=on", "-c", "archive_command=pgbackrest --stanza=orion archive-push %p"];
  await docker("run", "--detach", "--name", name, ...reach, image, "postgres", ...archiving);
  await answers(name);
  await backrest("stanza-create");
  // What PostgreSQL could not archive while there was no stanza does not count.
  await sql(name, "SELECT pg_stat_reset_shared('archiver')");
  await backrest("check");
  // Large and not compressible, so that its file is uploaded in parts.
  await sql(
    name,
    "CREATE TABLE big AS SELECT n, gen_random_uuid() a, gen_random_uuid() b FROM generate_series(1, 200000) n",
  );
  await backrest("--type=full", "backup");
  await sql(name, "CREATE TABLE later AS SELECT 42 AS answer");
  await backrest("--type=incr", "backup");
  await sql(name, "INSERT INTO later VALUES (43)");
  await sql(name, "SELECT pg_switch_wal()");
  await eventually(async () => {
    const waiting = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";
    expect(await sql(name, waiting)).toBe("0");
  }, 60);
  expect(await sql(name, "SELECT archived_count > 3, failed_count FROM pg_stat_archiver")).toBe("t|0");
  const digest = "SELECT count(*), md5(string_agg(a::text || b, '' ORDER BY n)) FROM big";
  const before = await sql(name, digest);
  // Both ways of naming a bucket lead to the same one.
  for (const style of ["host", "path"]) {
    expect(await backrest(`--repo1-s3-uri-style=${style}`, "repo-ls", "backup/orion")).toContain("backup.info");
  }
  await docker("rm", "--force", "--volumes", name);

  const restore = "pgbackrest --stanza=orion restore && exec postgres";
  await docker(
    "run",
    "--detach",
    "--name",
    restored,
    ...reach,
    "--user",
    "postgres",
    "--entrypoint",
    "sh",
    image,
    "-c",
    restore,
  );
  await answers(restored);
  expect(await sql(restored, digest)).toBe(before);
  expect(await sql(restored, "SELECT string_agg(answer::text, ',' ORDER BY answer) FROM later")).toBe("42,43");
});

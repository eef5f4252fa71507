/** Backups and their restore drill on a real server, with a real PostgreSQL and a real S3 server. */
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { run as runProgram } from "../../../common/process.ts";
import { Alerts } from "../../../components/alerts/alerts.ts";
import { Backup } from "../../../components/database/backup.ts";
import { keyPair } from "../../../components/database/backup-key.ts";
import { presets } from "../../../config/presets.ts";
import { officialImages } from "../../../config/images.ts";
import { hostFilesSchema, type HostFilesInputs, removeHostFiles, writeHostFiles } from "../../../plugin/host-files.ts";
import { compose, type Recorded } from "../../unit/support/compose.ts";
import { named, runtimeOf } from "../../unit/support/runtime.ts";
import { backupNow, borrowedDrill, lend } from "../../../tools/backup.ts";
import { Engine } from "../../../tools/engines.ts";
import { RehearsalCloud } from "../../../testing/cloud.ts";
import { blockWith } from "../../../testing/documented.ts";
import { eventually } from "../../../testing/eventually.ts";
import { remainsOf } from "../../../testing/cloud-remains.ts";
import { type Ran, succeed } from "../../../testing/sandbox.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(300_000);

const own = { name: "backups", block: 97 };
const cloud = new RehearsalCloud(root, { ...own, port: 8970, machines: "docker" });
const bucket = "orion-files-backups";
const password = "p4ssw0rd-of-the-database";
const key = keyPair(Buffer.alloc(32, 7));
let address: string;
let files: HostFilesInputs;

const run = (command: string): Ran => cloud.ssh(address, command);
const on = (command: string): string => succeed(run(command)).trim();
const sql = (text: string): string =>
  succeed(
    cloud.feed(
      address,
      text,
      "docker exec -i orion-prod-database psql -XqtA -v ON_ERROR_STOP=1 -U orion_user orion_db",
    ),
  );
const rclone = (command: string) =>
  `docker run --rm -i --env-file /etc/orion/backup/store.env ${officialImages.rclone} --config= ${command}`;
const place = `store:${bucket}/postgresql`;
const objects = (): string[] =>
  on(rclone(`lsf ${place}`))
    .split("\n")
    .filter(Boolean)
    .sort();
/** Times, without the marks behind them. */
const backups = (): string[] =>
  on("orion-backup list")
    .split("\n")
    .flatMap((line) => line.split(" ")[0] || []);
const newest = (): string => backups()[0] ?? "";
const backup = (): Ran => cloud.feed(address, backupNow, "sh -s");
const drill = (words = ""): Ran => run(`ORION_BACKUP_KEY=/run/key orion-restore-drill ${words}`);
const opened = (object: string): string => `orion-backup cat ${object} | age --decrypt --identity /run/key`;
const journal = (): string => on("journalctl --unit orion-backup --output cat --lines 50");
const leftovers = (at = address): string =>
  succeed(
    cloud.ssh(
      at,
      ["container ls --all", "volume ls", "network ls"]
        .map((list) => `docker ${list} -q -f name=orion-restore`)
        .join("; ") + "; ls -d /run/orion-* 2>/dev/null || true",
    ),
  );

/** What a text of rows could hide: every kind of value, names that need quotes, tables that are not quite tables. */
const schema = `
  CREATE ROLE reporting LOGIN PASSWORD 'secret of reporting';
  CREATE EXTENSION pg_trgm;
  CREATE TYPE mood AS ENUM ('sad', 'happy');
  CREATE TABLE orders (
    id bigserial PRIMARY KEY, reference uuid NOT NULL, placed timestamptz DEFAULT now(), price numeric(10,2),
    weight double precision, tags text[], details jsonb, picture bytea, mood mood, took interval, t text, r int);
  INSERT INTO orders (reference, price, weight, tags, details, picture, mood, took, t, r)
    SELECT gen_random_uuid(), n * 1.01, n / 3.0, ARRAY['a', NULL], jsonb_build_object('n', n), decode(md5(n::text), 'hex'),
      'happy', n * interval '1 min', repeat('x', n % 50), n FROM generate_series(1, 60000) AS n;
  CREATE INDEX ON orders USING gin (t gin_trgm_ops);
  CREATE TABLE "Strange name, isn't it" (n int);
  INSERT INTO "Strange name, isn't it" VALUES (1), (1), (NULL);
  CREATE TABLE nothing ();
  CREATE SCHEMA archive;
  CREATE TABLE archive.years (year int) PARTITION BY RANGE (year);
  CREATE TABLE archive.old PARTITION OF archive.years FOR VALUES FROM (0) TO (2000);
  INSERT INTO archive.years SELECT generate_series(1900, 1999);
  CREATE UNLOGGED TABLE sessions (id int);
  INSERT INTO sessions VALUES (1);
  GRANT SELECT ON orders TO reporting;
`;

beforeAll(async () => {
  cloud.up();
  await Promise.all([cloud.deliver(officialImages.postgres), cloud.deliver(officialImages.rclone)]);
  await cloud.bucket(bucket);
  address = await server("core");
  on(
    `docker network create orion-test-network; docker pull -q ${officialImages.postgres}; docker pull -q ${officialImages.rclone}`,
  );
  on(
    `docker run -d --name orion-prod-database --network orion-test-network --network-alias database -e POSTGRES_USER=orion_user -e POSTGRES_DB=orion_db ` +
      `-e POSTGRES_PASSWORD=${password} ${officialImages.postgres}`,
  );
  bringKey();
  await installAlerts();
  files = await filesOf(address);
  await eventually(() => {
    on("docker exec orion-prod-database pg_isready -h 127.0.0.1");
  }, 90);
  sql(schema);
});

afterAll(() => {
  cloud.dispose();
});

async function server(name: string): Promise<string> {
  const keys = await cloud.hetzner("GET", "/ssh_keys?name=key");
  if (JSON.stringify(keys["ssh_keys"]) === "[]") {
    await cloud.make("/ssh_keys", "ssh_key", { name: "key", public_key: cloud.publicKey });
  }
  await cloud.make("/servers", "server", { name, server_type: "cx23", image: "debian-12", ssh_keys: ["key"] });
  const at = await cloud.address(name);
  await cloud.booted(at);
  await eventually(() => {
    succeed(cloud.ssh(at, "docker version"));
  }, 90);
  return at;
}

/** What the program asks the engine for, with this cloud's own values. */
async function filesOf(host: string, user = "orion_user", database = "orion_db"): Promise<HostFilesInputs> {
  const { accessKeyId, secretAccessKey } = await cloud.accessKey(bucket);
  const store = {
    ...{ bucket: pulumi.output(bucket), endpoint: `https://${cloud.settings.accountId}.r2.cloudflarestorage.com` },
    ...{ accessKeyId: pulumi.output(accessKeyId), secretAccessKey: pulumi.secret(secretAccessKey) },
  };
  const databaseUrl = `postgresql://${user}:${password}@database:5432/${database}`;
  const { resources } = await compose(
    "up",
    () =>
      new Backup("backup", {
        runtime: runtimeOf("postgres", "rclone", "app"),
        store,
        databaseUrl,
        external: user !== "orion_user",
        recipient: key.recipient,
        policy: { ...presets.mvp.backups, weekly: 0, monthly: 0, lockDays: 0 },
      }),
  );
  return inputsOf(named(resources, "backup-files").inputs, host);
}

/** The inputs of a resource, with the values that only the engine and this cloud know. */
function inputsOf({ files: written, ...inputs }: Recorded["inputs"], host: string): HostFilesInputs {
  const known = JSON.stringify(written)
    .replaceAll("postgres:test", officialImages.postgres)
    .replaceAll("rclone:test", officialImages.rclone)
    .replace(/\{"\[secret\]":("(?:[^"\\]|\\.)*")\}/g, "$1");
  const texts: unknown = JSON.parse(known);
  return hostFilesSchema.parse({
    ...{ ...inputs, host: `ssh://root@${host}`, sshOptions: cloud.sshOptions, files: texts },
  });
}

const bringKey = (): void => {
  on(`umask 077; echo ${key.identity} > /run/key`);
};

/** Alerts go to a web server on the server itself, which writes them into /run/alerts. */
async function installAlerts(): Promise<void> {
  const sink = `
import http.server, json
class Sink(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.keep("heartbeat " + self.path)
    def do_POST(self): self.keep(json.loads(self.rfile.read(int(self.headers["content-length"])))["text"])
    def keep(self, text):
        open("/run/alerts", "a").write(text + "\\n"); self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", 9099), Sink).serve_forever()
`;
  cloud.feed(address, sink, "cat > /run/sink.py");
  on("systemd-run --quiet --unit alert-sink python3 /run/sink.py");
  const { resources } = await compose(
    "up",
    () =>
      new Alerts("alerts", {
        ...{
          runtime: runtimeOf(),
          stack: "prod",
          server: "core-1",
          webhook: pulumi.secret("http://127.0.0.1:9099/alert"),
        },
        heartbeats: { backup: pulumi.secret("http://127.0.0.1:9099/backup"), drill: undefined },
      }),
  );
  await writeHostFiles(inputsOf(named(resources, "alerts-files").inputs, address), runProgram);
}
/** What people were told since the last call. */
const alerts = (): string => on("cat /run/alerts; rm -f /run/alerts");

describe("the files", () => {
  test("arrive with their modes, and the timer waits for the night; once more changes nothing", async () => {
    await writeHostFiles(files, runProgram);
    await writeHostFiles(files, runProgram, files);
    expect(on("stat -c '%a %U' /etc/orion/backup /etc/orion/backup/*")).toBe(
      ["700 root", ...Array<string>(3).fill("600 root")].join("\n"),
    );
    expect(on("systemctl is-enabled orion-backup.timer && systemctl is-active orion-backup.timer")).toBe(
      "enabled\nactive",
    );
    expect(on("systemctl show --property NextElapseUSecRealtime orion-backup.timer")).toMatch(/ 0[23]:\d\d:\d\d UTC$/);
    expect(on("ls -d /etc/orion/backup/*.new || true")).not.toContain("store");
  });

  test("a command that fails is told with its reason, and no secret", async () => {
    const failing = { ...files, command: ["sh", "-c", "cat /etc/orion/backup/database.env; exit 3"] };
    const written = writeHostFiles(failing, runProgram);
    await expect(written).rejects.toThrow("its files were written, but 'sh -c cat");
    await expect(written).rejects.not.toThrow(password);
  });
});

describe("a backup", () => {
  test("before the first backup the list is empty", () => {
    expect(backups()).toEqual([]);
    expect(run("orion-restore-drill")).toEqual({
      code: 1,
      output: `orion-restore-drill: there is no complete backup in the bucket ${bucket}\n`,
    });
  });

  test("is the dump, the roles and a manifest of what is in it", () => {
    succeed(backup());
    const time = newest();
    expect(time).toMatch(/^\d{8}T\d{6}Z$/);
    expect(objects()).toEqual(["dump.age", "globals.sql.age", "manifest", "sums.age"].map((what) => `${time}.${what}`));
    const manifest = on(`orion-backup cat ${time}.manifest`).split("\n");
    expect(manifest.map((line) => line.split(" ")[0])).toEqual([
      ...["orion-backup", "taken", "source", "lsn", "system", "table", "table", "table", "table", "table"],
      ...["database", "server", "bytes", "file", "file", "file"],
    ]);
    expect(
      manifest.filter((line) => line.startsWith("table")).map((line) => line.replace(/^table (\d+) - /, "$1 ")),
    ).toEqual([
      ...[
        "100 archive.old",
        `3 public."Strange name, isn't it"`,
        "0 public.nothing",
        "60000 public.orders",
        "1 public.sessions",
      ],
    ]);
    expect(on(opened(`${time}.globals.sql.age`))).toContain("CREATE ROLE reporting");
    expect(on(`orion-backup cat ${time}.dump.age | sha256sum`).split(" ")[0]).toBe(manifest.at(-2)?.split(" ")[2]);
    expect(alerts()).toBe("heartbeat /backup");
    expect(journal()).toContain(`${time} is complete`);
    expect(journal()).not.toContain(password);
  });

  test("is of one moment, whatever is written while it is taken", () => {
    on(
      `nohup sh -c 'while true; do docker exec orion-prod-database psql -q -U orion_user orion_db -c "INSERT INTO sessions SELECT generate_series(1, 500); ` +
        `DELETE FROM orders WHERE id = (SELECT min(id) FROM orders)"; done' >/dev/null 2>&1 & echo $! > /run/writer`,
    );
    succeed(backup());
    on("pkill -P $(cat /run/writer); kill $(cat /run/writer) || true");
    expect(succeed(drill())).toMatch(/ok {7}public\.sessions: \d+ rows/);
  });

  test("that breaks off counts for nothing, and takes no older one away", async () => {
    const before = backups();
    on(
      `nohup sh -c 'until docker exec orion-prod-database psql -XtA -U orion_user orion_db -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity ` +
        `WHERE application_name = \\$\\$pg_dump\\$\\$ AND state <> \\$\\$idle\\$\\$" | grep -q t; do :; done' >/dev/null 2>&1 &`,
    );
    expect(backup().code).not.toBe(0);
    expect(journal()).toMatch(/\.dump\.age is not complete: the command that produces it failed$/m);
    // systemd starts it again in an hour, and people know before.
    await eventually(() => {
      expect(alerts()).toMatch(/orion-backup\.service failed \(exit-code\)[^]*\.dump\.age is not complete/);
    });
    expect(backups()).toEqual(before);
    expect(objects().length).toBeGreaterThan(before.length * 4);
    expect(leftovers()).toBe("");
    // The session that held the snapshot is gone, too.
    await eventually(() => {
      expect(on("docker ps --all --format '{{.Names}}'")).toBe("orion-prod-database");
    });
  });

  test("takes away what is older than a week, but not the newest seven, nor what is no backup's", () => {
    const [real = ""] = backups();
    const days = ["01", "02", "03", "04", "05", "06", "07"].map((day) => `202001${day}T010000Z`);
    const copies = days.flatMap((time) =>
      ["dump.age", "globals.sql.age", "manifest"].map((what) => [`${real}.${what}`, `${time}.${what}`] as const),
    );
    const script = [...copies, [`${real}.dump.age`, "20200108T010000Z.dump.age"] as const]
      .map(([from, to]) => `rclone --config= copyto ${place}/${from} ${place}/${to} && `)
      .join("");
    on(
      `${rclone("").replace("docker run", "docker run --entrypoint sh").replace("--config= ", "")} -c '${script}true'`,
    );
    on(`echo other | ${rclone(`rcat ${place}/notes.txt`)}`);
    const recent = objects().filter((name) => !name.startsWith("2020"));
    succeed(backup());
    const kept = backups();
    expect(kept.slice(0, 3).every((time) => time > "2025")).toBe(true);
    expect(kept.slice(3)).toEqual(days.slice(3).reverse());
    expect(objects().filter((name) => name.startsWith("2020"))).toHaveLength(4 * 3);
    // What broke off today is kept as long as if it had not: another server might still be writing it.
    expect(objects()).toEqual(expect.arrayContaining(recent));
    expect(journal()).toContain("complete backups now: 7, deleted for their age: 3");
  });
});

describe("the restore drill", () => {
  test("says table by table that all is there, how old it is and how long it took, and leaves nothing behind", () => {
    const output = succeed(drill());
    expect(output).toMatch(/^backup \d{8}T\d{6}Z of orion_db: [\d.]+[KM]?B, 0 h \d+ min old$/m);
    expect(output).toMatch(/^ok {7}public\.orders: \d+ rows$/m);
    expect(output).toMatch(/was restored: 5 tables, \d+ rows, all as they were backed up; \d+ s in all$/m);
    expect(leftovers()).toBe("");
  });

  test("rows that are gone, others in place of them, and tables that are not there are named", () => {
    const before = newest();
    sql(
      "DELETE FROM archive.years WHERE year < 1910; UPDATE sessions SET id = id + 1; DROP TABLE nothing; CREATE TABLE more ();",
    );
    succeed(backup());
    // A dump that lacks what was counted: sums of the backup before.
    const forged = newest();
    on(
      `{ orion-backup cat ${forged}.manifest | grep -v 'sums.age$'; ` +
        `orion-backup cat ${before}.manifest | grep 'sums.age$' | sed s/${before}/${forged}/; } > /run/forged; ` +
        `orion-backup cat ${before}.sums.age > /run/sums; ${rclone(`rcat ${place}/${forged}.sums.age`)} < /run/sums; ` +
        `${rclone(`rcat ${place}/${forged}.manifest`)} < /run/forged`,
    );
    const { code, output } = drill();
    on(rclone(`deletefile ${place}/${forged}.manifest`));
    expect(code).toBe(1);
    expect(output).toContain("DIFFERS  archive.old: 100 rows were backed up, 90 restored");
    expect(output).toContain("DIFFERS  public.sessions: as many rows, but other contents");
    expect(output).toContain("DIFFERS  public.nothing: it is missing");
    expect(output).toContain("DIFFERS  public.more: it was not in the backup");
    expect(output).toMatch(/^ok {7}public\.orders/m);
    expect(output).toContain("4 of the checks failed");
    expect(leftovers()).toBe("");
  });

  test("one byte that is another in the bucket is noticed", () => {
    const dump = `${newest()}.dump.age`;
    on(
      `orion-backup cat ${dump} > /run/dump; cp /run/dump /run/other; ` +
        `printf '\\377' | dd of=/run/other bs=1 seek=$(($(stat -c %s /run/dump) / 2)) conv=notrunc status=none`,
    );
    on(`${rclone(`rcat ${place}/${dump}`)} < /run/other`);
    const { code, output } = drill();
    on(`${rclone(`rcat ${place}/${dump}`)} < /run/dump`);
    expect(code).toBe(1);
    expect(output).toContain(`FAILED   ${dump} is not what was written: its SHA-256 differs`);
    expect(leftovers()).toBe("");
  });

  test("a missing object of a backup is named, and so is a backup that does not exist", () => {
    const dump = `${newest()}.dump.age`;
    on(`orion-backup cat ${dump} > /run/dump; ${rclone(`deletefile ${place}/${dump}`)}`);
    const { code, output } = drill();
    on(`${rclone(`rcat ${place}/${dump}`)} < /run/dump`);
    expect(code).toBe(1);
    expect(output).toContain(`${dump} is not in the bucket any more; do not rely on ${newest()}`);
    expect(run("orion-backup cat 20010101T000000Z.dump.age")).toEqual({
      code: 1,
      output: `orion-backup: there is no 20010101T000000Z.dump.age in the bucket ${bucket}\n`,
    });
    expect(run("orion-restore-drill 20010101T000000Z")).toEqual({
      code: 1,
      output: expect.stringContaining("there is no complete backup 20010101T000000Z; there are: ") as unknown,
    });
    expect(leftovers()).toBe("");
  });

  test("on another server, which has nothing of it before and nothing after", async () => {
    const guest = await server("guest");
    const engine = (at: string) => Engine.onServer([...cloud.sshOptions, `root@${at}`]);
    const folder = lend(engine(address), engine(guest), key.identity);
    const { code, stdout } = engine(guest).captureOnHost(...borrowedDrill(folder));
    expect(stdout).toMatch(/was restored: 5 tables/);
    expect(code).toBe(0);
    expect(leftovers(guest)).toBe(`${folder}\n`);
    expect(succeed(cloud.ssh(guest, "ls /etc/orion /usr/local/sbin 2>/dev/null || true"))).not.toContain("orion-");
  });

  test("ended in the middle, it clears up", () => {
    // Not after so many seconds: on a fast machine it is through by then.
    const cutOff = `ORION_BACKUP_KEY=/run/key orion-restore-drill & drill=$!
      until [ -n "$(docker ps --quiet --filter name=orion-restore-drill)" ]; do
        kill -0 $drill || exit 99
        sleep 0.1
      done
      kill -TERM $drill
      wait $drill`;
    expect([1, 143]).toContain(run(cutOff).code);
    expect(leftovers()).toBe("");
  });
});

test("by hand, as docs/backups.md says, everything comes back, and what there was stays under another name", () => {
  const { text: commands } = blockWith("docs/backups.md", "orion-backup list");
  expect(commands).toMatch(/^time=\d{8}T\d{6}Z /m);
  // Whoever has a session stands in the way.
  on(
    `docker run -d --name worker --label role=worker --network orion-test-network --env-file /etc/orion/backup/database.env ` +
      `${officialImages.postgres} psql -c 'SELECT pg_sleep(3600)'`,
  );
  sql("DROP TABLE orders; CREATE TABLE afterwards ()");
  cloud.feed(address, commands.replace(/^time=\S+/m, `time=${newest()}`), "cat > /run/restore");
  on("sh -eu /run/restore");
  expect(sql("SELECT count(*) > 50000, to_regclass('afterwards') FROM orders").trim()).toBe("t|");
  expect(sql("\\c orion_db_before\nSELECT to_regclass('orders'), to_regclass('afterwards')").trim()).toBe(
    "|afterwards",
  );
  expect(on("docker inspect --format '{{.State.Running}}' worker")).toBe("true");
  on("docker rm --force worker");
  // The page ends with the key's removal.
  expect(run("cat /run/key").code).not.toBe(0);
  bringKey();
  on("docker exec orion-prod-database dropdb --username orion_user orion_db_before");
});

test("an external database without superuser rights is backed up in the same way", async () => {
  sql(`CREATE ROLE tenant LOGIN PASSWORD '${password}'`);
  sql("CREATE DATABASE theirs OWNER tenant");
  succeed(
    cloud.feed(
      address,
      "CREATE TABLE mine AS SELECT generate_series(1, 100) AS n",
      "docker exec -i orion-prod-database psql -q -U tenant theirs",
    ),
  );
  await writeHostFiles(await filesOf(address, "tenant", "theirs"), runProgram, files);
  // It is not what was backed up before.
  const { code, output } = backup();
  expect({ code, output }).toEqual({
    ...{
      code: 3,
      output: expect.stringContaining("it is of the database theirs, the one before is of orion_db") as unknown,
    },
  });
  expect(on(opened(`${newest()}.globals.sql.age`))).not.toContain("SCRAM-SHA-256");
  expect(succeed(drill())).toContain("ok       public.mine: 100 rows");
  succeed(run(`orion-backup accept ${newest()}`));
  succeed(backup());
});

test("what R2 locks, the server's own credentials neither delete nor overwrite; backups go on", async () => {
  const lock = (rules: readonly unknown[]) =>
    cloud.call("PUT", `/client/v4/accounts/${cloud.settings.accountId}/r2/buckets/${bucket}/lock`, { rules });
  const condition = { type: "Age", maxAgeSeconds: 86_400 };
  expect((await lock([{ id: "orion", enabled: true, prefix: "postgresql/", condition }])).status).toBe(200);
  const dump = `${place}/${newest()}.dump.age`;
  expect(run(rclone(`deletefile ${dump} --low-level-retries 1 --retries 1`)).output).toContain(
    "ObjectLockedByBucketPolicy",
  );
  expect(run(`echo other | ${rclone(`rcat ${dump} --retries 1`)}`).output).toContain("ObjectLockedByBucketPolicy");
  expect(on(`${rclone(`cat ${dump}`)} | head -c 21`)).toBe("age-encryption.org/v1");
  succeed(backup());
  on(`echo other | ${rclone(`rcat store:${bucket}/elsewhere`)}; ${rclone(`deletefile store:${bucket}/elsewhere`)}`);
  expect((await lock([])).status).toBe(200);
  on(rclone(`deletefile ${dump}`));
});

test("taken away, no timer and no credential stays", async () => {
  await removeHostFiles(files, runProgram);
  expect(run("systemctl is-enabled orion-backup.timer").code).not.toBe(0);
  expect(on("ls /etc/orion/backup /usr/local/sbin/orion-* || true")).not.toMatch(/env|orion-backup$/);
});

test("nothing stays behind", async () => {
  cloud.down();
  await eventually(() => {
    expect(Object.values(remainsOf(own)).flat()).toEqual([]);
  });
});

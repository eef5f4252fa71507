/**
 * The scripts of backup and restore drill with a real primary, a real replica and a real S3 server, on this machine's Docker
 * Engine: what a replica that lost its primary, an emptied database and a missing key lead to.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { keyPair } from "../../components/database/backup-key.ts";
import { BackupLab } from "../../testing/backup-lab.ts";
import { eventually } from "../../testing/eventually.ts";
import { succeed } from "../../testing/sandbox.ts";

jest.setTimeout(300_000);

const [primary, replica] = [`orion-test-backups-${process.pid}`, `orion-test-backups-${process.pid}-replica`];
const lab = new BackupLab({
  ...{ root: resolve(__dirname, "..", ".."), primary, replica },
  policy: { replicaWaitSeconds: 5, fluctuating: ["public.outb*"] },
});
const { alerts, beats, key, sql } = lab;

beforeAll(async () => {
  await lab.start();
  await lab.startReplica();
  await sql(primary, "CREATE TABLE orders (id int PRIMARY KEY, text text); CREATE TABLE outbox (id int)");
  await sql(primary, "INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, 100) AS n");
  await sql(primary, "INSERT INTO outbox SELECT generate_series(1, 100)");
});
beforeEach(() => {
  alerts.length = 0;
  beats.length = 0;
});
afterAll(() => lab.stop());

test("a replica that follows is dumped: up to the position that the primary had, and a monitor hears of it", async () => {
  const position = await sql(primary, "SELECT pg_current_wal_lsn()");
  expect(succeed(await lab.backup())).toMatch(/orion_db: 2 tables counted at [0-9A-F]+\/[0-9A-F]+ of the replica/);
  const text = await lab.manifest();
  expect(text).toMatch(/^orion-backup 2\ntaken \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\nsource replica\nlsn \S+\n/);
  expect(text).toContain("table 100 - public.orders\n");
  const [, lsn = ""] = /^lsn (.*)$/m.exec(text) ?? [];
  expect(await sql(primary, `SELECT '${lsn}'::pg_lsn >= '${position}'::pg_lsn`)).toBe("t");
  expect([alerts, beats]).toEqual([[], ["/backup"]]);
});

test("what is in the bucket is encrypted: the server has the public key only", async () => {
  const time = lab.newest;
  for (const object of ["dump.age", "globals.sql.age", "sums.age"]) {
    expect(succeed(await lab.command("cat", `${time}.${object}`))).toMatch(/^age-encryption\.org\/v1\n/);
  }
});

test("the drill restores it with the key, and says what it needs without", async () => {
  const refused = await lab.drill();
  expect(refused.code).toBe(1);
  expect(refused.output).toContain("is encrypted: its key is needed. make restore-drill brings it");
  expect(succeed(await lab.drill(key.identity))).toMatch(/^ok {7}public\.orders: 100 rows$/m);
  expect(beats).toEqual(["/drill"]);
});

test("with another key nothing is restored, and people are told", async () => {
  const { code, output } = await lab.drill(keyPair(Buffer.alloc(32, 8)).identity);
  expect(code).toBe(1);
  expect(output).toContain("could not be decrypted: is this the key that it was encrypted for?");
  expect(alerts).toEqual([expect.stringContaining("the restore drill of ")]);
});

test("a backup of the version before, which is not encrypted, is drilled without a key", async () => {
  // The same data in the former form: other names, a manifest with the sums, and nothing encrypted.
  const [time, old] = [lab.newest, "20200101T023000Z"];
  const former = `
    opened() { orion-backup cat ${time}.$1.age | age --decrypt --identity /etc/orion/backup/key; }
    cd "$(mktemp -d)"
    for what in globals.sql dump; do opened $what > ${old}.$what; done
    { echo orion-backup 1
      orion-backup cat ${time}.manifest | grep -E '^(taken|database|server|bytes) '
      opened sums
      for file in ${old}.globals.sql ${old}.dump; do
        echo "file $(stat -c %s $file) $(sha256sum < $file | cut -d ' ' -f 1) $file"
      done; } > ${old}.manifest
    . /etc/orion/backup/settings
    for file in ${old}.*; do
      docker run --rm --interactive --env-file /etc/orion/backup/store.env "$RCLONE_IMAGE" --config= \
        rcat "store:$BUCKET/postgresql/$file" < $file
    done`;
  writeFileSync(join(lab.folder, "key"), `${key.identity}\n`);
  succeed(await lab.shell(former));
  rmSync(join(lab.folder, "key"));
  expect(succeed(await lab.drill(undefined, old))).toMatch(/^ok {7}public\.orders: 100 rows$/m);
});

test("an emptied table makes a backup suspect, again and again until somebody accepts it; a fluctuating one does not", async () => {
  const good = lab.newest;
  await sql(primary, "TRUNCATE orders, outbox");
  const first = await lab.backup();
  expect(first.code).toBe(3);
  const [suspect = ""] = await lab.list();
  expect(suspect).toMatch(/ suspect$/);
  expect(first.output).toContain("SUSPECT  public.orders is empty; it had 100 rows");
  expect(first.output).not.toContain("outbox is empty");
  expect(alerts).toHaveLength(1);
  expect(alerts[0]).toContain("looks as if data was lost\nSUSPECT  public.orders is empty; it had 100 rows");
  expect(alerts[0]).toContain(`make backup ACCEPT=${suspect.split(" ")[0] ?? ""}`);
  expect(beats).toEqual([]);

  expect((await lab.backup()).code).toBe(3);
  expect(await lab.manifest()).toContain(`compared ${good}\nsuspect public.orders is empty; it had 100 rows\n`);
  expect(succeed(await lab.command("accept", lab.newest))).toContain("is accepted");
  expect((await lab.list()).map((line) => line.split(" ")[1])).toEqual(["accepted", "suspect", undefined]);
  expect((await lab.command("accept", good)).output).toContain("there is no suspect backup");
  expect((await lab.backup()).code).toBe(0);
  expect(beats).toEqual(["/backup"]);
});

test("a replica that lost its primary is not dumped: the primary is, and people are told", async () => {
  // As when it was away for so long that max_slot_wal_keep_size dropped its slot. It reconnects at once, so try again.
  await eventually(() =>
    sql(
      primary,
      "SELECT pg_terminate_backend(active_pid, 5000), pg_drop_replication_slot(slot_name) FROM pg_replication_slots",
    ).then(() => undefined),
  );
  await sql(primary, "INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, 1000) AS n");
  expect(await sql(replica, "SELECT count(*) FROM orders")).toBe("0");
  const { code, output } = await lab.backup();
  expect(output).toMatch(
    /WARNING the replica (does not receive|does not stream|is behind).*; the primary itself is backed up/,
  );
  expect(code).toBe(0);
  expect(await lab.manifest()).toMatch(/\nsource primary\n[^]*\ntable 1000 - public\.orders\n/);
  expect(alerts).toEqual([expect.stringContaining("the replica ")]);
});

test("a replica that accepts writes of its own is not dumped either", async () => {
  await sql(replica, "SELECT pg_promote()");
  await eventually(async () => {
    expect(await sql(replica, "SELECT pg_is_in_recovery()")).toBe("f");
  });
  expect(succeed(await lab.backup())).toContain("WARNING the replica is no replica any more");
  expect(await lab.manifest()).toContain("\nsource primary\n");
});

test("when the primary does not answer nobody can judge the replica: nothing is backed up", async () => {
  const before = await lab.list();
  await lab.docker("stop", "--time", "5", primary);
  const { code, output } = await lab.backup();
  expect(code).toBe(1);
  expect(output).toContain(
    "the primary does not answer: without its WAL position it is unknown what the replica lacks",
  );
  expect(await lab.list()).toEqual(before);
});

test("without a replica, a database that is in recovery is no source", async () => {
  rmSync(join(lab.folder, "replica.env"));
  const { code, output } = await lab.backup();
  expect(code).toBe(1);
  expect(output).toContain("nothing was backed up");
});

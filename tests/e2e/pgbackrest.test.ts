/**
 * The archive of the database's changes: the product's own image, configuration and command against a real PostgreSQL and the
 * rehearsal's R2, which has to speak TLS for pgBackRest.
 */
import { gapFile } from "../../components/database/archive-config.ts";
import { replicaOptions } from "../../components/database/replica-files-config.ts";
import { ArchiveLab } from "../../testing/archive-lab.ts";
import type { LabReplica } from "../../testing/archive-replica.ts";
import { eventually } from "../../testing/eventually.ts";

// The tests cannot wait for gigabytes, nor for the timeouts of a production.
const configured = (text: string) =>
  text
    .replace(/queue-max=\S+/, "queue-max=64MiB")
    .replace("io-timeout=20", "io-timeout=3")
    // It says of each file from where it is.
    .replace("log-level-file=off", "log-level-file=detail\nlog-path=/tmp");
const lab = new ArchiveLab({ root: process.cwd(), name: `orion-pgbackrest-${process.pid}`, configured });
const { server } = lab;
// A minute on an idle machine.
jest.setTimeout(600_000);

const ordersOf = (output: string): string | undefined => /restored public\.orders: (\d+) rows/.exec(output)?.[1];

beforeAll(() => lab.start(), 900_000);

afterAll(() => lab.stop());

describe("the archive", () => {
  let first: string;
  let second: string;

  test("registers the database by itself, and begins a base backup", async () => {
    expect(await lab.archive("check")).toBe("");
    expect(await lab.docker("exec", server, "cat", "/run/started")).toBe(
      "start --no-block orion-archive-backup.service",
    );
    expect((await lab.command("drill", "2026-01-01 00:00:00")).output).toContain("there is no base backup yet");
    await lab.sql("CREATE TABLE orders (id int PRIMARY KEY, reference text)");
    // Large and not compressible, so that it is uploaded in parts.
    await lab.sql(
      "CREATE TABLE big AS SELECT n, gen_random_uuid() a, gen_random_uuid() b FROM generate_series(1, 200000) n",
    );
    expect(await lab.archive("backup")).toMatch(
      /a full base backup is complete \(\d+ s\); base backups now: 1, every second/,
    );
    expect(await lab.alerts()).toBe("");
  });

  test("a drill restores to a second: every change up to it is there, and none after it", async () => {
    // What PostgreSQL could not archive before it was registered does not count.
    await lab.sql("SELECT pg_stat_reset_shared('archiver')");
    await lab.sql("INSERT INTO orders SELECT n, 'first ' || n FROM generate_series(1, 100) n");
    first = await lab.pause();
    await lab.sql("INSERT INTO orders SELECT n, 'second ' || n FROM generate_series(101, 150) n");
    await lab.sql("DELETE FROM orders WHERE id <= 20");
    second = await lab.pause();
    await lab.sql("DROP TABLE big");
    expect(await lab.archive("backup")).toContain("a diff base backup is complete");
    await lab.sql("TRUNCATE orders");

    const output = await lab.archive("drill", first);
    expect(ordersOf(output)).toBe("100");
    expect(output).toMatch(/the first change that is left out is of /);
    expect(output).toMatch(new RegExp(`${first} was restored: 2 tables, 200100 rows; \\d+ s in all`));
    const query = "SELECT count(*), min(id), max(reference) FROM orders";
    expect(await lab.drill(second, query)).toContain("130|21|second 150");
    expect(await lab.docker("ps", "--all", "--quiet", "--filter", "name=orion-archive-drill")).toBe("");
    // Nothing of it has gone into the archive, and the database has not noticed.
    expect(await lab.sql("SELECT count(*) FROM orders")).toBe("0");
    expect(await lab.sql("SELECT failed_count FROM pg_stat_archiver")).toBe("0");
  });

  test.each([
    ["tomorrow", "allowed: UTC as 2026-11-29 12:00:05"],
    ["2026-13-41 00:00:00", "allowed: UTC as 2026-11-29 12:00:05"],
    ["2126-01-01 00:00:00", "is not in the past"],
    ["2020-01-01 00:00:00", "cannot be restored: the oldest base backup was complete at"],
    ["2020-01-01 00:00:00'; touch /run/broken; '", "allowed: UTC as"],
  ])("the time %p is refused, and nothing is changed", async (time, why) => {
    for (const verb of ["drill", "restore"]) {
      const { code, output } = await lab.command(verb, time);
      expect([code, output]).toEqual([1, expect.stringContaining(why)]);
    }
    expect(await lab.docker("exec", server, "ls", "/run")).not.toContain("broken");
    expect(await lab.sql("SELECT 1")).toBe("1");
  });

  test("a restore takes the data back to that second, keeps that of now aside, and archives on", async () => {
    await lab.sql("INSERT INTO orders VALUES (1000, 'after the accident')");
    const output = await lab.archive("restore", second);
    const [, aside = ""] = /that of before is in (\S+):/.exec(output) ?? [];
    expect(aside).toMatch(/postgres\.before-\d{8}T\d{6}Z$/);
    expect(await lab.docker("exec", server, "cat", `${aside}/PG_VERSION`)).toBe("15");
    expect(await lab.sql("SELECT count(*), min(id) FROM orders")).toBe("130|21");
    expect(
      await lab.sql("SELECT count(*) FROM pg_file_settings WHERE name ~ '^(recovery_target|restore_command)'"),
    ).toBe("0");
    expect(await lab.sql("SELECT timeline_id > 1 FROM pg_control_checkpoint()")).toBe("t");
  });

  test("on the new timeline it goes on: another second, after another base backup, can be restored", async () => {
    await lab.sql("INSERT INTO orders VALUES (2000, 'after the restore')");
    expect(await lab.archive("backup", "full")).toContain("base backups now: 3");
    await lab.sql("INSERT INTO orders VALUES (2001, 'later')");
    const third = await lab.pause();
    await lab.sql("INSERT INTO orders VALUES (2002, 'too late')");
    expect(ordersOf(await lab.archive("drill", third))).toBe("132");
    // And so can one from before the restore.
    expect(ordersOf(await lab.archive("drill", first))).toBe("100");
  });

  /** Finishes segments with changes in them. */
  async function write(segments: number): Promise<void> {
    for (let segment = 0; segment < segments; segment++) {
      await lab.sql("SELECT pg_logical_emit_message(false, 'orion', 'any'); SELECT pg_switch_wal()");
    }
  }
  const waiting = async () => Number(/^waiting (\d+)/m.exec(await lab.archive("facts"))?.[1]);
  /** As if what waits had been there for ten minutes. */
  const wait = () =>
    lab.docker("exec", server, "sh", "-c", `touch -d '10 minutes ago' ${lab.data}/pg_wal/archive_status/*.ready`);
  const failures = () => lab.sql("SELECT failed_count FROM pg_stat_archiver");

  test("while the storage cannot be reached, changes wait and people are told; then it catches up by itself", async () => {
    await lab.alerts();
    await lab.network("disconnect");
    const before = await failures();
    await lab.sql("INSERT INTO orders VALUES (3000, 'while nothing could be archived')");
    await write(2);
    await eventually(async () => {
      expect(Number(await failures())).toBeGreaterThan(Number(before));
    }, 180);
    expect(await waiting()).toBeGreaterThan(1);
    await wait();
    expect(await lab.archive("check")).toContain("segments wait, the oldest one for");
    await lab.archive("check");
    const told = await lab.alerts();
    // Once, and not at every look.
    expect(told.match(/the database's changes are not archived/g)).toHaveLength(1);
    // With the cause, and not with hints about the configuration.
    expect(told).toMatch(/^ *repo1: \[\w+Error\] unable to load info file/m);
    expect(told).not.toContain("HINT");
    await lab.network("connect");
    await eventually(async () => {
      expect(await waiting()).toBe(0);
    }, 180);
    expect(await lab.archive("check")).toBe("");
    const time = await lab.pause();
    await lab.sql("DELETE FROM orders");
    expect(ordersOf(await lab.archive("drill", time))).toBe("134");
  });

  test("more than the queue holds is given up, not kept until the disk is full: people are told, and a full base backup ends the gap", async () => {
    await lab.network("disconnect");
    // Of 16 MB each; the queue holds 64.
    await write(6);
    await eventually(async () => {
      expect(await lab.archive("facts").catch(() => "")).toMatch(/^$|^gap \d+$/m);
      expect(await lab.docker("exec", server, "ls", lab.data)).toContain(gapFile);
    }, 240);
    await lab.network("connect");
    // Segments are given up until the queue is short enough, and a gap that comes during a backup outlives it.
    await eventually(async () => {
      expect(await waiting()).toBe(0);
    }, 60);
    await lab.archive("check");
    expect(await lab.alerts()).toContain("changes of the database were given up and are not archived");
    expect(await lab.archive("facts")).toMatch(/^gap \d+$/m);
    expect(await lab.archive("backup")).toContain("a full base backup is complete");
    expect(await lab.archive("facts")).not.toMatch(/^gap/m);
    await lab.sql("INSERT INTO orders VALUES (4000, 'after the gap')");
    const time = await lab.pause();
    expect(ordersOf(await lab.archive("drill", time))).toBe("1");
  });

  test("after the loss of the data, a new database gets everything that was archived, and goes on with the archive", async () => {
    await lab.sql("INSERT INTO orders VALUES (5000, 'the last one')");
    await write(1);
    await eventually(async () => {
      expect(await waiting()).toBe(0);
    }, 60);
    await lab.loseData();
    await lab.docker("exec", server, "rm", "-rf", "/run/orion-archive");
    await lab.alerts();
    // What is in the archive is of another database, and stays.
    await lab.archive("check");
    expect(await lab.alerts()).toContain("the database's archive cannot be written");
    expect(await lab.archive("restore", "latest")).toContain("the database has the data of latest");
    expect(await lab.sql("SELECT string_agg(id::text, ',' ORDER BY id) FROM orders")).toBe("4000,5000");
    expect(await lab.archive("backup", "full")).toContain("a full base backup is complete");
  });

  describe("with a replica", () => {
    let replica: LabReplica;
    const log = "/tmp/orion-backup.log";

    /** Takes a full base backup. @returns what it printed, and whose files it has read: those with tables, and others */
    async function backup(): Promise<{ output: string; tables: string[]; others: string[] }> {
      await lab.shell(`rm -f ${log}`);
      const output = await lab.archive("backup", "full");
      const files = [
        ...(await lab.shell(`cat ${log}`)).matchAll(/backup file (\S+:)?\/var\/lib\/postgresql\/data\/(\S+)/g),
      ];
      const hosts = (isTable: boolean) => [
        ...new Set(
          files.filter(([, , path]) => path?.startsWith("base/") === isTable).map(([, host]) => host ?? "here"),
        ),
      ];
      return { output, tables: hosts(true), others: hosts(false) };
    }
    const last = async () => /^source (.*)$/m.exec(await lab.archive("facts"))?.[1];

    beforeAll(async () => {
      replica = await lab.startReplica();
      await lab.alerts();
    }, 120_000);

    test("a base backup reads the tables from it, and what was written meanwhile is restored to the second", async () => {
      await lab.sql("TRUNCATE orders");
      const writes = `for id in $(seq 1 40); do psql -XqtA -c "INSERT INTO orders VALUES ($id, 'meanwhile')"; done`;
      const [{ output, tables, others }] = await Promise.all([backup(), lab.shell(writes)]);
      expect(output).toMatch(/replay on the standby reached/);
      expect(output).toMatch(/read from replica-1$/m);
      expect(tables).toEqual([`${replica.archive.address}:`]);
      expect(others).toContain("here");
      expect(await last()).toBe("replica-1");
      expect(await lab.archive("info")).toContain("the newest base backup was read from replica-1");
      expect(await lab.alerts()).toBe("");

      await lab.sql("INSERT INTO orders VALUES (50, 'in time')");
      const time = await lab.pause();
      await lab.sql("DELETE FROM orders");
      expect(await lab.drill(time, "SELECT count(*), sum(id) FROM orders")).toContain(`41|${(40 * 41) / 2 + 50}`);
    });

    test("who has no certificate of the archive's reads nothing", async () => {
      const own = replicaOptions(replica.archive).join(" ").replaceAll("orion/archive.", "orion/server.");
      await expect(lab.shell(`setpriv --reuid postgres --init-groups pgbackrest ${own} backup`)).rejects.toThrow(
        /unable to find standby cluster/,
      );
    });

    test.each([
      [
        "is behind",
        /the replica is behind by .*; the base backup was read from the primary/,
        () => replica.sql("SELECT pg_wal_replay_pause()"),
      ],
      [
        "cannot be read",
        /the replica could not be read, see above; the base backup/,
        () => lab.docker("stop", replica.files),
      ],
      [
        "is away",
        /the replica does not stream from the primary; the base backup/,
        () => lab.docker("stop", replica.replica),
      ],
    ])("one that %s is passed over: the primary is read, and people are told why", async (_, told, spoil) => {
      await spoil();
      await lab.sql("INSERT INTO orders SELECT coalesce(max(id), 100) + 1, 'any' FROM orders");
      const { output, tables } = await backup();
      expect(output).toMatch(/read from primary$/m);
      expect(tables).toEqual(["here"]);
      expect(await lab.alerts()).toMatch(told);
      expect(await last()).toBe("primary");
      if (told.source.includes("behind")) await replica.sql("SELECT pg_wal_replay_resume()");
    });
  });
});

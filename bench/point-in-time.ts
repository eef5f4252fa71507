/**
 * Measures point-in-time recovery of a large database: its base backup, a drill and a restore to a given second, by the program's
 * own command, with the proof that each order up to that second is there and none after it. Written to bench/point-in-time.md. It
 * needs Docker, and on the disk four times the database.
 *
 * Usage: node bench/point-in-time.ts [GB]
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { presets } from "../config/presets.ts";
import { ArchiveLab } from "../testing/archive-lab.ts";
import { createTables, giveOrders, ordersQuery, prove, writeDocuments } from "../testing/order-ledger.ts";
import { machine, markdownTable } from "./table.ts";
import { tell } from "./tell.ts";
import { timed } from "./timed.ts";

const root = join(import.meta.dirname, "..");
const usual = 10;
const gigabytes = Number(process.argv[2] ?? usual);
/** Bytes that are written in a transaction. */
const chunk = 128e6;
/** Part of the database that changes after the base backup, and must be replayed. */
const changed = 0.05;
/** Segments that may wait while the database is filled: half of what the queue takes. */
const mostWaiting = (presets.mvp.backups.archiveQueueGb * 1024) / 16 / 2;
const { memoryMb } = presets.mvp.database;

const lab = new ArchiveLab({ root, name: `orion-bench-point-in-time-${process.pid}`, memoryMb });
const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);

/** Waits until no more segments than these wait for the archive. */
async function archived(most: number): Promise<void> {
  while ((await lab.waiting()) > most) await sleep(1000);
}

/** Writes so many bytes, no faster than the archive takes them. */
async function write(bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= chunk) {
    await archived(mostWaiting);
    await writeDocuments(lab, Math.min(left, chunk));
  }
}

/** Seconds that `orion-archive` says at the end of a line. */
function secondsOf(output: string, line: string): number {
  const [, seconds] = new RegExp(`${line}.*?\\(?(\\d+) s`).exec(output) ?? [];
  if (seconds === undefined) throw new Error(`'${line}' is not in:\n${output}`);
  return Number(seconds);
}

async function measure(): Promise<string> {
  await lab.archive("check");
  await createTables(lab);
  const load = loadavg()[0] ?? NaN;
  const empty = await lab.walWritten();
  const filled = await timed(async () => {
    await write(gigabytes * 1e9);
    await lab.sql("SELECT pg_switch_wal()");
    await archived(0);
  });
  const size = Number(await lab.sql("SELECT pg_database_size('orion_db')"));
  const { wal } = await lab.repository();
  const written = (await lab.walWritten()) - empty;
  tell(`${mb(size)} MB are there and archived, after ${filled.toFixed(0)} s`);
  const backup = await timed(async () => {
    tell(await lab.archive("backup", "full"));
  });
  const { backups } = await lab.repository();

  const orders = giveOrders(lab);
  const from = await lab.walWritten();
  await write(size * changed);
  const second = await lab.pause();
  const replayed = (await lab.walWritten()) - from;
  const ledger = await orders.stop();

  let drilled = "";
  const drill = await timed(async () => {
    drilled = await lab.drill(second, ordersQuery);
  });
  const counted = prove(ledger, second, drilled);
  tell(drilled.replaceAll(/^order .*\n/gm, ""));
  let output = "";
  const restore = await timed(async () => {
    output = await lab.archive("restore", second);
  });
  tell(output);
  prove(ledger, second, await lab.sql(ordersQuery));

  const [fetchedAndRecovered, archivedBefore] = [
    secondsOf(drilled, "fetched and recovered"),
    secondsOf(output, "the database stops"),
  ];
  const fetched = secondsOf(output, "the base backup is fetched");
  const whole = secondsOf(output, "the database has the data of");
  const row = (what: string, bytes: number | undefined, seconds: number) => [
    what,
    bytes === undefined ? "" : mb(bytes),
    seconds.toFixed(0),
    bytes === undefined ? "" : (bytes / 1e6 / seconds).toFixed(0),
  ];
  return `# Point-in-time recovery of a large database

Measured by \`make bench-point-in-time GB=${gigabytes}\` on ${machine()}; the load of the machine was ${load.toFixed(1)} at the beginning and ${(loadavg()[0] ?? NaN).toFixed(1)} at the end.
Everything runs on this machine: PostgreSQL with the memory and settings of phase mvp (${memoryMb} MiB), the rehearsal's R2 over TLS, and the drill. MB are
10⁶ bytes.

The database has ${mb(size)} MB, mostly of text that does not compress well (base64 of random bytes). In the bucket, the base backup has ${mb(backups)} MB, and the WAL that wrote the
database ${mb(wal)} MB. After the base backup, ${mb(replayed)} MB of WAL were written up to the second that is restored (${second} UTC); they are replayed.

${markdownTable(
  ["step", "MB", "seconds", "MB a second"],
  [
    row("write the database and archive its WAL, no faster than the archive takes it", written, filled),
    row("full base backup", size, backup),
    row("**drill**, whole", size, drill),
    row("of it: fetch and recover", size, fetchedAndRecovered),
    row("of it: read every row, check every page and index", size, drill - fetchedAndRecovered),
    row("**restore**, whole", size, restore),
    row("of it: archive what is there, stop the database", undefined, archivedBefore),
    row("of it: fetch the base backup", size, fetched - archivedBefore),
    row("of it: start and replay", replayed, whole - fetched),
    row("the database was away", undefined, whole - archivedBefore),
  ],
)}

After the base backup, a client gave an order every 50 ms and wrote down each that was acknowledged. In the drill and after the restore, all
${counted.before} orders that were acknowledged up to that second were there, with the same content, and none of the ${counted.after} after it.
${gigabytes === usual ? "" : `\nNot measured with ${usual} GB: at the rate of this restore they take ${((usual * 1e9 * restore) / size).toFixed(0)} s (computed).\n`}`;
}

try {
  await lab.start();
  const page = await measure();
  writeFileSync(join(root, "bench", "point-in-time.md"), page);
} finally {
  await lab.stop();
}

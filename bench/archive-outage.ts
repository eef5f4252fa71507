/**
 * What becomes of the archive when the object storage refuses everything for an hour and the database goes on writing: whether a
 * change is lost, how full the Volume becomes, when people are told, and how long the archive takes to catch up. The hour is
 * compressed: its changes are written in seven minutes. Written to bench/archive-outage.md. It needs Docker.
 *
 * Usage: node bench/archive-outage.ts
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { archiveTimeoutSeconds } from "../components/database/archive-config.ts";
import { presets } from "../config/presets.ts";
import { ArchiveLab } from "../testing/archive-lab.ts";
import { createTables, giveOrders, ordersQuery, prove, writeDocuments } from "../testing/order-ledger.ts";
import { machine, markdownTable } from "./table.ts";
import { tell } from "./tell.ts";
import { timed } from "./timed.ts";

const root = join(import.meta.dirname, "..");
/** Bytes that the database writes each second, and seconds of the outage that is shown. */
const [perSecond, hour] = [1e6, 3600];
/** Seconds in which the changes of the hour are written; long enough for the alarm, which comes after five minutes. */
const compressed = 420;
/** The server's timer runs `orion-archive check` so often. */
const checkSeconds = 120;
const { memoryMb } = presets.mvp.database;
const queueGb = presets.mvp.backups.archiveQueueGb;
const segment = 16 * 2 ** 20;

const lab = new ArchiveLab({ root, name: `orion-bench-archive-outage-${process.pid}`, memoryMb });
const walOnVolume = async () => Number(await lab.sql("SELECT sum(size) FROM pg_ls_waldir()"));
const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);

const alarm = "the database's changes are not archived";

/** Writes at a rate, in bytes a second, for as long as `more` says so after each second. @returns seconds that it took */
const write = (rate: number, more: (seconds: number) => Promise<boolean>): Promise<number> =>
  timed(async () => {
    const began = performance.now();
    const elapsed = () => (performance.now() - began) / 1000;
    for (let second = 1; ; second++) {
      await writeDocuments(lab, rate);
      if (!(await more(elapsed()))) return;
      await sleep(Math.max(0, second - elapsed()) * 1000);
    }
  });

async function measure(): Promise<string> {
  await lab.archive("check");
  await createTables(lab);
  tell(await lab.archive("backup", "full"));
  while ((await lab.waiting()) > 0) await sleep(1000);
  await lab.alerts();
  const load = loadavg()[0] ?? NaN;
  const orders = giveOrders(lab);

  let [most, mostWaiting, checks, told] = [0, 0, 0, NaN];
  /** Looks at the Volume, and does what the timer does. */
  const look = async (seconds: number): Promise<void> => {
    most = Math.max(most, await walOnVolume());
    mostWaiting = Math.max(mostWaiting, await lab.waiting());
    if (seconds < (checks + 1) * checkSeconds) return;
    checks++;
    tell(`${mostWaiting} segments wait; ${await lab.archive("check")}`);
    if (!(await lab.alerts()).includes(alarm)) return;
    if (!Number.isNaN(told)) throw new Error("people were told twice");
    told = seconds;
  };
  const idle = await walOnVolume();
  const from = await lab.walWritten();
  lab.r2.refuses = true;
  const outage = await write((perSecond * hour) / compressed, async (seconds) => {
    await look(seconds);
    return seconds < compressed || (await lab.walWritten()) - from < perSecond * hour;
  });
  const written = (await lab.walWritten()) - from;
  if (Number.isNaN(told)) throw new Error(`nobody was told in ${outage.toFixed(0)} s`);
  const [waited, waitedBytes] = [mostWaiting, mostWaiting * segment];
  lab.r2.refuses = false;
  tell(`the storage answers again; ${waited} segments wait`);
  const caughtUp = await write(perSecond, async (seconds) => {
    await look(outage + seconds);
    return (await lab.waiting()) > 0;
  });
  tell(`caught up after ${caughtUp.toFixed(0)} s`);
  const afterwards = await lab.archive("check");
  if (afterwards !== "") throw new Error(`the check says after it: ${afterwards}`);
  if (/^gap/m.test(await lab.archive("facts"))) throw new Error("changes were given up");

  const second = await lab.pause();
  const ledger = await orders.stop();
  let drilled = "";
  const drill = await timed(async () => {
    drilled = await lab.drill(second, ordersQuery);
  });
  const { before, after } = prove(ledger, second, drilled);
  tell(drilled.replaceAll(/^order .*\n/gm, ""));
  return `# An hour without object storage

Measured by \`make bench-archive-outage\` on ${machine()}; the load of the machine was ${load.toFixed(1)} at the beginning and ${(loadavg()[0] ?? NaN).toFixed(1)} at the end.
Everything runs on this machine: PostgreSQL with the memory and settings of phase mvp (${memoryMb} MiB, \`archive_timeout\` ${archiveTimeoutSeconds} s, \`archiveQueueGb\` ${queueGb}),
and the rehearsal's R2 over TLS, which answers every request with 503 during the outage. MB are 10⁶ bytes.

The hour is compressed: what a database that writes ${mb(perSecond)} MB of WAL a second writes in ${hour / 60} minutes is written in ${(outage / 60).toFixed(1)}. A quiet database finishes
a segment a minute, so ${hour / archiveTimeoutSeconds} in an hour. \`orion-archive check\` runs every ${checkSeconds / 60} minutes, as on a server.

${markdownTable(
  ["what", "measured"],
  [
    ["WAL written during the outage", `${mb(written)} MB`],
    ["segments that waited at its end", `${waited}, ${mb(waitedBytes)} MB`],
    [
      "WAL on the Volume: before, at most, limit of what may wait",
      `${mb(idle)}, ${mb(most)}, ${mb(queueGb * 2 ** 30)} MB`,
    ],
    ["alarm after the beginning of the outage", `${told.toFixed(0)} s, once`],
    ["caught up by itself after its end, while the database wrote on at 1 MB a second", `${caughtUp.toFixed(0)} s`],
    ["rate of that", `${(waitedBytes / 1e6 / caughtUp).toFixed(0)} MB a second`],
    ["drill to a second after it, which replays all of this", `${drill.toFixed(0)} s`],
    ["orders acknowledged up to that second, and in the drill", `${before}`],
    ["orders given after it, and none of them in the drill", `${after}`],
  ],
)}

Nothing was lost or given up: every order that was acknowledged before, in and after the outage was in the drill, with the same content.
`;
}

try {
  await lab.start();
  const page = await measure();
  writeFileSync(join(root, "bench", "archive-outage.md"), page);
} finally {
  await lab.stop();
}

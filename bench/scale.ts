/**
 * Benchmark of phase scale on a rehearsal cloud under a steady load: the move from one server to several, the replica, and
 * the loss of an app server. Written to bench/scale.md. It needs root, the toolchain and the images; it uses a cloud with
 * its own name, addresses and port.
 */
import { deepStrictEqual } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RehearsalCloud } from "../testing/cloud.ts";
import { eventually } from "../testing/eventually.ts";
import type { LoadReport } from "../rehearsal/load/process.ts";
import { RehearsedPlatform } from "../testing/platform.ts";
import { succeed } from "../testing/sandbox.ts";
import { serversOf } from "../testing/servers.ts";
import { machine, markdownTable, median, tableOf } from "./table.ts";
import { tell, tellFailures } from "./tell.ts";
import { timed } from "./timed.ts";
import { orderHeads, ordersOf, rowsUpTo } from "./under-load.ts";

const root = join(import.meta.dirname, "..");
const moves = 5;
const sampledSeconds = 60;
const cloud = new RehearsalCloud(root, { name: "benchscl", block: 94, port: 8940, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const { query, identity, health, power } = serversOf(cloud);

interface Move {
  readonly seconds: number;
  readonly report: LoadReport;
}

/** Moves from mvp to scale under load. @throws when a container that holds data, or the data, has changed */
async function move(): Promise<Move> {
  cloud.rehearse("mvp");
  const { result, report } = await platform.underLoad(async () => {
    await sleep(10_000);
    const before = await identity();
    const [last = "0"] = await query("core-1", "database", "SELECT max(id) FROM orders");
    const rows = await query("core-1", "database", rowsUpTo(last));
    const seconds = await timed(() => cloud.rehearse("scale"));
    await sleep(5000);
    return { before, last, rows, seconds };
  });
  const { before, last, rows, seconds } = result;
  deepStrictEqual(await identity(), before);
  deepStrictEqual(await query("core-1", "database", rowsUpTo(last)), rows);
  await eventually(async () => {
    deepStrictEqual(await query("db-2", "replica-1", rowsUpTo(last)), rows);
  });
  tell(`a move: ${seconds.toFixed(1)} s, ${report.failures.length} failed`);
  tellFailures(report);
  return { seconds, report };
}

const lagSql = `SELECT coalesce(extract(epoch FROM replay_lag) * 1000, 0), pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)
  FROM pg_stat_replication`;
const readsSql = "SELECT sum(idx_scan + seq_scan) FROM pg_stat_user_tables WHERE relname = 'orders'";

interface Replication {
  readonly milliseconds: readonly number[];
  readonly bytes: readonly number[];
  /** Scans of the table of orders during the measurement, on the replica and on the primary. */
  readonly reads: { readonly replica: number; readonly primary: number };
}

/** Measures the lag of the replica under load, and how reads are shared. */
async function replication(): Promise<Replication> {
  const asked = async () => ({
    replica: Number((await query("db-2", "replica-1", readsSql))[0]),
    primary: Number((await query("core-1", "database", readsSql))[0]),
  });
  const { result } = await platform.underLoad(async () => {
    await sleep(5000);
    const before = await asked();
    const samples: string[][] = [];
    const end = Date.now() + sampledSeconds * 1000;
    while (Date.now() < end) {
      const [row = ""] = await query("core-1", "database", lagSql);
      samples.push(row.split("|"));
      await sleep(500);
    }
    return { before, samples, after: await asked() };
  });
  const { before, samples, after } = result;
  return {
    milliseconds: samples.map(([lag]) => Number(lag)),
    bytes: samples.map(([, bytes]) => Number(bytes)),
    reads: { replica: after.replica - before.replica, primary: after.primary - before.primary },
  };
}

interface Outage {
  /** Seconds until the load balancer has marked the server unhealthy. */
  readonly noticed: number;
  /** Failed requests that started after that. */
  readonly later: number;
  readonly report: LoadReport;
}

/** Switches an app server off under load. */
async function outage(): Promise<Outage> {
  const { result, report } = await platform.underLoad(async () => {
    await sleep(5000);
    const off = Date.now();
    await power("app-nbg1-1", "poweroff");
    await eventually(async () => {
      deepStrictEqual((await health()).filter((status) => status === "healthy").length, 2);
    });
    const noticed = Date.now();
    await sleep(25_000);
    return { off, noticed };
  });
  const { off, noticed } = result;
  const later = report.failures.filter(({ began }) => Date.parse(began) > noticed).length;
  return { noticed: (noticed - off) / 1000, later, report };
}

/** Moves back from scale to mvp under load; the replica, which is only a copy, is deleted. */
async function back(): Promise<Move> {
  platform.configure("protection", "false");
  succeed(platform.update());
  const { result, report } = await platform.underLoad(async () => {
    await sleep(10_000);
    const before = await identity();
    const seconds = await timed(() => cloud.rehearse("mvp"));
    await sleep(5000);
    return { before, seconds };
  });
  deepStrictEqual(await identity(), result.before);
  return { seconds: result.seconds, report };
}

const moveTable = (done: readonly Move[]): string =>
  markdownTable(
    ["move", "seconds", "answered", "failed", ...orderHeads],
    done.map(({ seconds, report }, index) => {
      const answered = Object.values(report.answered).reduce((sum, each) => sum + each, 0);
      return [index + 1, seconds.toFixed(1), answered, report.failures.length, ...ordersOf(report)];
    }),
  );

const head = `# Phase scale: the move, the replica, the loss of a server

Measured by \`make bench-scale\` on ${machine()}. The machine is shared and noisy, and runs the load, the cloud and all servers at
the same time.
`;
const sections: string[] = [];
/** Writes the results so far, so that they are kept when a later measurement fails. */
function add(section: string): void {
  sections.push(section);
  writeFileSync(join(import.meta.dirname, "scale.md"), [head, ...sections].join("\n"));
  tell(section);
}

try {
  const done: Move[] = [];
  for (let round = 1; round <= moves; round++) {
    done.push(await move());
    if (round < moves) cloud.down();
  }
  add(`## mvp to scale under load

${moves} times from nothing to phase mvp, and then to phase scale, under 2 orders and 2 pages per second, an upload every five seconds and
3 WebSockets. Before and after each move, container and start time of PostgreSQL, cache and broker were the same, and so were the
number and checksum of the orders, on the primary and on the replica.

${moveTable(done)}

Median: ${median(done.map(({ seconds }) => seconds)).toFixed(1)} s.
`);

  const { milliseconds, bytes, reads } = await replication();
  const lag = [
    { what: "milliseconds until replayed", values: milliseconds },
    { what: "bytes not yet replayed", values: bytes },
  ];
  add(`## The replica

Under the same load, sampled twice per second for ${sampledSeconds} s:

${tableOf("Lag of the replica", lag, 1)}

Scans of the table of orders during that time: ${reads.replica} on the replica, ${reads.primary} on the primary.
`);

  const { noticed, later, report } = await outage();
  const { failures, ledger } = report;
  add(`## Loss of an app server

The load balancer marked it unhealthy after ${noticed.toFixed(1)} s. ${failures.length} requests failed, ${later} of them started after that. Of
${ledger.acknowledged} acknowledged orders, ${ledger.lost.length} were lost, ${ledger.doubled.length} exist twice, and the task of ${ledger.unconfirmed.length} did not run.
`);

  await power("app-nbg1-1", "poweron");
  await eventually(async () => {
    deepStrictEqual((await health()).filter((status) => status === "healthy").length, 4);
  }, 300);
  const way = await back();
  add(`## scale to mvp under load

The protection of the replica, which is only a copy, was removed before.

${moveTable([way])}
`);
} finally {
  cloud.dispose();
}

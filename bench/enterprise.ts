/**
 * Benchmark of the moves to phase enterprise on a rehearsal cloud under a steady load: from scale several times and back, once
 * killed in the middle, and from mvp in one step. Written to bench/enterprise.md. It needs root, the toolchain and the images; it
 * uses a cloud with its own name, addresses and port.
 */
import { deepStrictEqual } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { presets } from "../config/presets.ts";
import { CloudClient } from "../rehearsal/cloud/client.ts";
import type { LoadReport } from "../rehearsal/load/process.ts";
import { RehearsalCloud } from "../testing/cloud.ts";
import { RehearsedPlatform } from "../testing/platform.ts";
import { succeed } from "../testing/sandbox.ts";
import { serversOf } from "../testing/servers.ts";
import { machine, markdownTable, median } from "./table.ts";
import { tell, tellFailures } from "./tell.ts";
import { timed } from "./timed.ts";
import { orderHeads, ordersOf, rowsUpTo } from "./under-load.ts";

const root = join(import.meta.dirname, "..");
const rounds = 5;
/** The one of them whose update is killed and run again. */
const killedRound = 3;
const place = { name: "benchent", block: 89, port: 8900 } as const;
const cloud = new RehearsalCloud(root, { ...place, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const { identity, rows } = serversOf(cloud);

interface Move {
  readonly way: string;
  readonly seconds: number;
  readonly report: LoadReport;
  /** What doctor finds wrong afterwards. */
  readonly wrong: string;
}

/** The move to enterprise, killed when the first containers change or a while later, and run again. */
async function killedMove(): Promise<void> {
  const update = platform.start("rehearse", "PHASE=enterprise", `BLOCK=${place.block}`, `PORT=${place.port}`);
  await update.printed(/Container \S+ (creating|replacing)/);
  await sleep(Math.random() * 60_000);
  if (!(await update.kill())) throw new Error(`it had ended before it was killed:\n${update.output().slice(-3000)}`);
  tell("killed");
  toEnterprise();
}

const toEnterprise = () => {
  cloud.rehearse("enterprise");
};

/** The move back, with Volumes as large as they are: they cannot shrink. */
async function toScale(): Promise<void> {
  const { scale, enterprise } = presets;
  // As the zone's owner does at Cloudflare.
  await new CloudClient(cloud.settings).choosePlan("example.com", scale.cloudflare.plan);
  platform.configure("phase", "scale");
  platform.configure("database.volumeGb", String(enterprise.database.volumeGb));
  succeed(platform.update());
}

/** Moves to a phase under load. @throws when what holds data, or the data, has changed */
async function move(way: string, update: () => Promise<void> | void): Promise<Move> {
  const { result, report } = await platform.underLoad(async () => {
    await sleep(10_000);
    const before = await identity();
    const [last = "0"] = await rows("database", "SELECT max(id) FROM orders");
    const were = await rows("database", rowsUpTo(last));
    const seconds = await timed(update);
    await sleep(5000);
    return { before, last, were, seconds };
  });
  const { before, last, were, seconds } = result;
  tell(`${way}: ${seconds.toFixed(1)} s, ${report.failures.length} failed`);
  tellFailures(report);
  deepStrictEqual(await identity(), before);
  deepStrictEqual(await rows("database", rowsUpTo(last)), were);
  return { way, seconds, report, wrong: doctor() };
}

/** What `make doctor` finds wrong after a move, without what is well. */
function doctor(): string {
  const { output } = cloud.runMake("doctor", ["REHEARSAL=1"]);
  const problems = [...output.matchAll(/^PROBLEM +(.*)$/gm)].map(([, problem = ""]) => problem.replace(/ +/g, " "));
  if (problems.length > 0 || !output.includes("All of 'prod' is well.")) tell(output);
  return problems.length > 0 ? problems.join("; ") : "nothing";
}

const table = (moves: readonly Move[]): string =>
  markdownTable(
    ["move", "seconds", "answered", "failed", "p99, ms", ...orderHeads, "doctor finds wrong"],
    moves.map(({ way, seconds, report, wrong }) => {
      const answered = Object.values(report.answered).reduce((sum, each) => sum + each, 0);
      return [
        way,
        seconds.toFixed(1),
        answered,
        report.failures.length,
        report.latency.p99,
        ...ordersOf(report),
        wrong,
      ];
    }),
  );

const head = `# Phase enterprise: the moves to it

Measured by \`make bench-enterprise\` on ${machine()}. The machine is shared and noisy, and runs the load, the cloud and all servers at
the same time.

Each move under 2 orders and 2 pages per second, an upload every five seconds and 3 WebSockets. Before and after each, container and
start time of PostgreSQL, cache and broker were the same, and so were the number and checksum of the orders.
`;
/** Writes the results so far, so that they are kept when a later move fails. */
function write(moves: readonly Move[]): void {
  const medians = [...new Set(moves.map(({ way }) => way))].map((way) => {
    const seconds = moves.filter((one) => one.way === way).map((one) => one.seconds);
    return `${way} ${median(seconds).toFixed(1)} s`;
  });
  writeFileSync(
    join(import.meta.dirname, "enterprise.md"),
    `${head}\n${table(moves)}\n\nMedians: ${medians.join(", ")}.\n`,
  );
}

const moves: Move[] = [];
async function noted(way: string, update: () => Promise<void> | void): Promise<void> {
  moves.push(await move(way, update));
  write(moves);
}

try {
  cloud.rehearse("scale");
  for (let round = 1; round <= rounds; round++) {
    if (round === killedRound) await noted("scale to enterprise, killed and run again", killedMove);
    else await noted("scale to enterprise", toEnterprise);
    await noted("back to scale", toScale);
  }
  cloud.down();
  cloud.rehearse("mvp");
  await noted("mvp to enterprise", toEnterprise);
} finally {
  cloud.dispose();
}

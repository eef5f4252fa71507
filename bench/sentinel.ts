/**
 * Benchmark of the loss of a Redis master with Sentinel on a rehearsal cloud under a steady load: cache and broker, each lost in
 * every way several times. Written to bench/sentinel.md. It needs root, the toolchain and the images; it uses a cloud with its
 * own name, addresses and port.
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import type { LoadReport } from "../rehearsal/load/process.ts";
import { RehearsalCloud } from "../testing/cloud.ts";
import { RehearsedPlatform } from "../testing/platform.ts";
import { succeed } from "../testing/sandbox.ts";
import { type Group, groups, type Loss, losses, type Outcome, SentinelDrill } from "../testing/sentinel-drill.ts";
import { machine, markdownTable, median } from "./table.ts";
import { tell } from "./tell.ts";
import { orderHeads, ordersOf } from "./under-load.ts";

const root = join(import.meta.dirname, "..");
const repetitions = 5;
const cloud = new RehearsalCloud(root, { name: "benchsen", block: 97, port: 9700, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const drill = new SentinelDrill(cloud);

/** One way to lose one master, again and again under load. */
interface Case {
  readonly group: Group;
  readonly loss: Loss;
  readonly outcomes: readonly Outcome[];
  readonly report: LoadReport;
  /** Load average of the machine at the end. */
  readonly busy: number;
}

const titles: Readonly<Record<Loss, string>> = {
  power: "its server loses power",
  kill: "`docker kill`",
  partition: "a partition that leaves it running",
  freeze: "a frozen process",
};

async function measured(group: Group, loss: Loss): Promise<Case> {
  const outcomes: Outcome[] = [];
  const { report } = await platform.underLoad(async () => {
    for (let n = 0; n < repetitions; n++) {
      const outcome = await drill.lose(group, loss);
      outcomes.push(outcome);
      tell(`${group}, ${loss}: ${outcome.seconds.toFixed(1)} s, ${outcome.changes} changes`);
    }
  });
  return { group, loss, outcomes, report, busy: loadavg()[0] ?? 0 };
}

const table = (cases: readonly Case[]): string =>
  markdownTable(
    [
      "master of",
      "lost by",
      "seconds until clients write again",
      "changes of the master",
      "failed requests",
      ...orderHeads,
    ],
    cases.map(({ group, loss, outcomes, report }) => [
      ...[group, titles[loss], outcomes.map(({ seconds }) => seconds.toFixed(1)).join(", ")],
      ...[outcomes.map(({ changes }) => changes).join(", "), report.failures.length],
      ...ordersOf(report),
    ]),
  );

const head = `# Loss of a Redis master with Sentinel

Measured by \`make bench-sentinel\` on ${machine()}. The machine is shared and noisy, and runs the load, the cloud and all servers at
the same time. Phase scale with \`orion:cache.availability: sentinel\`.

Two apps on different servers write through their gateways 20 times a second. A time is from the loss until both had a write acknowledged by
another master. A change is that another Redis takes writes, over both apps and until the lost one is back: one for each loss means that
never two took writes. Beside them come 2 orders and 2 pages per second, an upload every five seconds and 3 WebSockets.

With the power of a server its Sentinel is lost, too: then both of the others have to vote for the same one, or vote again later.
`;

/** Writes the results so far, so that they are kept when a later case fails. */
function write(cases: readonly Case[]): void {
  const seconds = cases.flatMap(({ outcomes }) => outcomes.map((one) => one.seconds)).sort((a, b) => a - b);
  const at95 = seconds[Math.ceil(seconds.length * 0.95) - 1] ?? 0;
  const busy = cases.map((one) => one.busy);
  writeFileSync(
    join(import.meta.dirname, "sentinel.md"),
    `${head}
${table(cases)}

${seconds.length} losses: ${median(seconds).toFixed(1)} s in the median, ${at95.toFixed(1)} s at the 95th percentile (limit 10), ${(seconds.at(-1) ?? 0).toFixed(1)} s at most.
The load average of the machine was ${Math.min(...busy).toFixed(0)} to ${Math.max(...busy).toFixed(0)}.
`,
  );
}

try {
  cloud.rehearse("scale");
  platform.configure("cache.availability", "sentinel");
  succeed(platform.update());
  const cases: Case[] = [];
  for (const group of groups)
    for (const loss of losses) {
      cases.push(await measured(group, loss));
      write(cases);
    }
} finally {
  cloud.dispose();
}

/**
 * Benchmark of phase mvp on a rehearsal cloud: time from nothing to the first response, and the cost of changes under a
 * steady load. Written to bench/production.md. It needs root, the toolchain and the images; it uses a cloud with its own
 * name, addresses and port.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Outcome, runSync } from "../common/process.ts";
import { rehearsalFolder } from "../rehearsal/cloud/settings.ts";
import { RehearsalCloud } from "../testing/cloud.ts";
import type { LoadReport } from "../rehearsal/load/process.ts";
import { RehearsedPlatform } from "../testing/platform.ts";
import { succeed } from "../testing/sandbox.ts";
import { readState } from "../tools/state.ts";
import { median, machine, markdownTable, tableOf } from "./table.ts";
import { failuresDuring, type LoadEvent, rowsOf, countOf, titlesOf, wholeRun } from "./under-load.ts";

const root = join(import.meta.dirname, "..");
const deploys = 20;
const stack = "prod";
const cloud = new RehearsalCloud(root, { name: "benchmvp", block: 95, port: 8950, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const folder = rehearsalFolder(root, "benchmvp", stack);

const ran = ({ code = 1, output }: Outcome): string => succeed({ code, output });
const pulumi = (...args: string[]): string => ran(runSync("pulumi", ["-C", folder, ...args, "--stack", stack]));
const update = (...args: string[]) => pulumi("up", "--yes", "--skip-preview", ...args);

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

/** Makes a change while the load runs. */
function change(what: string, work: () => unknown): LoadEvent {
  const from = new Date().toISOString();
  const seconds = timed(work);
  process.stdout.write(`${what}: ${seconds.toFixed(1)} s\n`);
  return { what, seconds, from, to: new Date().toISOString() };
}

/** HTTP status of `/health`, requested with the curl command from the report of the rehearsal. */
function firstAnswer(report: string): string {
  const [command = "false"] = /curl --resolve .*https:\/\/orion\.example\.com/.exec(report) ?? [];
  return ran(runSync("sh", ["-c", `${command}/health --silent --fail --output /dev/null --write-out '%{http_code}'`]));
}

/** URNs of the resources of a type. */
const urnsOf = (type: string): string[] =>
  (readState(folder, stack)?.deployment.resources ?? []).flatMap((one) => (one.type === type ? [one.urn] : []));

async function underLoad(): Promise<{ changes: LoadEvent[]; report: LoadReport }> {
  const load = platform.load(7200);
  await sleep(5000);
  const changes: LoadEvent[] = [];
  for (let round = 1; round <= deploys; round++) {
    platform.configure("app.environment.RELEASE", `release-${round}`);
    changes.push(change("a deploy: migrations, app, workers, Beat", () => update()));
  }
  platform.configure("workers.concurrency.default", "3");
  changes.push(change("a deploy of one worker", () => update()));
  platform.configure("edge.bodyLimitMb", "40");
  changes.push(change("a changed configuration of the edge", () => update()));
  const certificates = urnsOf("cloudflare:index/originCaCertificate:OriginCaCertificate");
  const again = certificates.flatMap((urn) => ["--replace", urn]);
  changes.push(change("a new certificate for the edge", () => update(...again)));
  await sleep(5000);
  return { changes, report: await load.stop() };
}

const failuresTable = (changes: readonly LoadEvent[], report: LoadReport): string =>
  markdownTable(
    ["Change", "times", "failed requests"],
    titlesOf(changes).map((what) => [what, countOf(changes, what), failuresDuring(changes, what, report).length]),
  );

try {
  let answer = "";
  const up = timed(() => {
    answer = firstAnswer(cloud.rehearse("mvp"));
  });
  const unchanged = timed(() => cloud.rehearse("mvp"));
  const refresh = timed(() => pulumi("preview", "--refresh", "--expect-no-changes"));
  const { changes, report } = await underLoad();
  const { failures, reconnected, latency } = report;
  const text = `# Phase mvp: the first update, and changes under load

Measured by \`make bench-production\` on ${machine()}. The machine is shared and noisy, and runs the load, the cloud and the
platform at the same time.

${tableOf(
  "Seconds",
  [
    {
      what: `\`make rehearse PHASE=mvp\` from nothing, with the cloud itself, to the first ${answer} through the edge`,
      limit: 240,
      values: [up],
    },
    { what: "the same again, no changes", values: [unchanged] },
    { what: "`npx pulumi preview --refresh`, no changes", values: [refresh] },
  ],
  1,
)}

Under a steady load of orders with a ledger, pages, uploads and WebSockets:

${tableOf("Seconds of `npx pulumi up`", rowsOf(changes), 1)}

${failuresTable(changes, report)}

${wholeRun(report, [
  [
    "response time in milliseconds",
    `${latency.median} median, ${latency.p99} 99th percentile, ${latency.slowest} maximum`,
  ],
  ["WebSockets closed with a close frame and opened again", reconnected],
])}
`;
  writeFileSync(join(import.meta.dirname, "production.md"), text);
  process.stdout.write(`\n${text}\n`);
  for (const { time, what, why } of failures) process.stdout.write(`${time} ${what}: ${why}\n`);
  process.stdout.write(
    `a deploy takes ${median(changes.slice(0, deploys).map(({ seconds }) => seconds)).toFixed(1)} s\n`,
  );
} finally {
  cloud.dispose();
}

/**
 * The mvp phase on a rehearsal cloud: how long it takes from nothing to the first answer, and what changes under a steady
 * load cost, written to bench/production.md. It needs root, the toolchain and the images to be there; it uses a cloud of its
 * own name, addresses and port.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Outcome, runSync } from "../common/process.ts";
import { rehearsalFolder } from "../rehearsal/cloud/settings.ts";
import { RehearsalCloud } from "../testing/cloud.ts";
import type { LoadReport } from "../testing/load.ts";
import { RehearsedPlatform } from "../testing/platform.ts";
import { succeed } from "../testing/sandbox.ts";
import { readState } from "../tools/state.ts";
import { median, machine, markdownTable, tableOf } from "./table.ts";
import { failuresDuring, type Happening, rowsOf, times, whats, wholeRun } from "./under-load.ts";

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

/** A change while the load goes on. */
function change(what: string, work: () => unknown): Happening {
  const from = new Date().toISOString();
  const seconds = timed(work);
  process.stdout.write(`${what}: ${seconds.toFixed(1)} s\n`);
  return { what, seconds, from, to: new Date().toISOString() };
}

/** The status of `/health`, asked for by the command that the report of a rehearsal says. */
function firstAnswer(report: string): string {
  const [command = "false"] = /curl --resolve .*https:\/\/orion\.example\.com/.exec(report) ?? [];
  return ran(runSync("sh", ["-c", `${command}/health --silent --fail --output /dev/null --write-out '%{http_code}'`]));
}

/** The names that the engine has for the resources of a type. */
const urnsOf = (type: string): string[] =>
  (readState(folder, stack)?.deployment.resources ?? []).flatMap((one) => (one.type === type ? [one.urn] : []));

async function underLoad(): Promise<{ changes: Happening[]; report: LoadReport }> {
  const load = platform.load(7200);
  await sleep(5000);
  const changes: Happening[] = [];
  for (let round = 1; round <= deploys; round++) {
    platform.configure("app.environment.RELEASE", `release-${round}`);
    changes.push(change("a deploy: migrations, app, workers, Beat", () => update()));
  }
  platform.configure("workers.concurrency.default", "3");
  changes.push(change("a deploy of one worker", () => update()));
  platform.configure("edge.bodyLimitMb", "40");
  changes.push(change("another configuration of the edge", () => update()));
  const certificates = urnsOf("cloudflare:index/originCaCertificate:OriginCaCertificate");
  const again = certificates.flatMap((urn) => ["--replace", urn]);
  changes.push(change("a new certificate for the edge", () => update(...again)));
  await sleep(5000);
  return { changes, report: await load.stop() };
}

const failuresTable = (changes: readonly Happening[], report: LoadReport): string =>
  markdownTable(
    ["Change", "times", "failed requests"],
    whats(changes).map((what) => [what, times(changes, what), failuresDuring(changes, what, report).length]),
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
  const text = `# The mvp phase: from nothing, and changes under load

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
    { what: "the same once more: nothing changes", values: [unchanged] },
    { what: "`npx pulumi preview --refresh`: nothing has changed", values: [refresh] },
  ],
  1,
)}

Under a steady load of orders with a ledger, pages, uploads and WebSockets:

${tableOf("Seconds of `npx pulumi up`", rowsOf(changes), 1)}

${failuresTable(changes, report)}

${wholeRun(report, [
  ["milliseconds of an answer", `${latency.median} in the median, ${latency.p99} at 99 %, ${latency.slowest} at most`],
  ["WebSockets that were ended with a close frame, and came again", reconnected],
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

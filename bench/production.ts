/**
 * Benchmark of phase mvp on a rehearsal cloud: time from nothing to the first response, and the cost of changes under a
 * steady load. Written to bench/production.md. It needs root, the toolchain and the images; it uses a cloud with its own
 * name, addresses and port.
 */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type Outcome, runSync } from "../common/process.ts";
import { rehearsalFolder } from "../rehearsal/cloud/settings.ts";
import { RehearsalCloud } from "../testing/cloud.ts";
import type { LoadReport } from "../rehearsal/load/process.ts";
import { RehearsedPlatform } from "../testing/platform.ts";
import { succeed } from "../testing/sandbox.ts";
import { readState } from "../tools/state.ts";
import { type Phases, phasesOf, type Printed } from "./deploy-phases.ts";
import { median, machine, markdownTable, type Row, tableOf } from "./table.ts";
import { tell, tellFailures } from "./tell.ts";
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
  tell(`${what}: ${seconds.toFixed(1)} s`);
  return { what, seconds, from, to: new Date().toISOString() };
}

const deployed = "a deploy: migrations, app, workers, Beat";

/** A deploy, with the seconds of its phases. */
async function deploy(): Promise<{ readonly event: LoadEvent; readonly phases: Phases }> {
  const [from, start] = [new Date().toISOString(), performance.now()];
  const secondsNow = () => (performance.now() - start) / 1000;
  const child = spawn("pulumi", ["-C", folder, "up", "--yes", "--skip-preview", "--stack", stack], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const printed: Printed[] = [];
  for await (const line of createInterface({ input: child.stdout })) printed.push({ at: secondsNow(), line });
  if (child.exitCode === null) await once(child, "close");
  const seconds = secondsNow();
  if (child.exitCode !== 0) throw new Error(printed.map(({ line }) => line).join("\n"));
  tell(`${deployed}: ${seconds.toFixed(1)} s`);
  return {
    event: { what: deployed, seconds, from, to: new Date().toISOString() },
    phases: phasesOf(printed, seconds),
  };
}

/** HTTP status of `/health`, requested with the curl command from the report of the rehearsal. */
function firstAnswer(report: string): string {
  const [command = "false"] = /curl --resolve .*https:\/\/orion\.example\.com/.exec(report) ?? [];
  return ran(runSync("sh", ["-c", `${command}/health --silent --fail --output /dev/null --write-out '%{http_code}'`]));
}

/** URNs of the resources of a type. */
const urnsOf = (type: string): string[] =>
  (readState(folder, stack)?.deployment.resources ?? []).flatMap((one) => (one.type === type ? [one.urn] : []));

async function underLoad(): Promise<{ changes: LoadEvent[]; phases: Phases[]; report: LoadReport }> {
  const changes: LoadEvent[] = [];
  const phases: Phases[] = [];
  const { report } = await platform.underLoad(async () => {
    await sleep(5000);
    for (let round = 1; round <= deploys; round++) {
      platform.configure("app.environment.RELEASE", `release-${round}`);
      const one = await deploy();
      changes.push(one.event);
      phases.push(one.phases);
    }
    platform.configure("workers.concurrency.default", "3");
    changes.push(change("a deploy of one worker", () => update()));
    platform.configure("edge.bodyLimitMb", "40");
    changes.push(change("a changed configuration of the edge", () => update()));
    const certificates = urnsOf("cloudflare:index/originCaCertificate:OriginCaCertificate");
    const again = certificates.flatMap((urn) => ["--replace", urn]);
    changes.push(change("a new certificate for the edge", () => update(...again)));
    await sleep(5000);
  });
  return { changes, phases, report };
}

const phaseRows = (all: readonly Phases[]): Row[] =>
  [...(all[0]?.keys() ?? [])].map((what) => ({ what, values: all.map((one) => one.get(what) ?? NaN) }));

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
  const { changes, phases, report } = await underLoad();
  const { reconnected, latency } = report;
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

Where the seconds of a deploy go. The new image is asked before anything changes, and what starts has less of a busy processor than what serves:

${tableOf("Seconds", phaseRows(phases), 1)}

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
  tellFailures(report);
  process.stdout.write(
    `a deploy takes ${median(changes.slice(0, deploys).map(({ seconds }) => seconds)).toFixed(1)} s\n`,
  );
} finally {
  cloud.dispose();
}

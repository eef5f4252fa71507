/**
 * The mvp phase on a rehearsal cloud: how long it takes from nothing to the first answer, and what changes under a steady
 * load cost, written to bench/production.md. It needs root, the toolchain and the images to be there; it uses a cloud of its
 * own name, addresses and port.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { rehearsalFolder } from "../rehearsal/cloud/settings.ts";
import { RehearsalCloud } from "../tests/e2e/support/cloud.ts";
import { type LoadReport, startLoad } from "../tests/e2e/support/load.ts";
import { succeed } from "../tests/e2e/support/sandbox.ts";
import { type Captured, capture } from "../tools/run.ts";
import { median, machine, type Row, tableOf } from "./table.ts";

const root = join(import.meta.dirname, "..");
const deploys = 20;
const stack = "prod";
const cloud = new RehearsalCloud(root, { name: "benchmvp", block: 95, port: 8950, machines: "docker" });
const folder = rehearsalFolder(root, "benchmvp", stack);

/** A change while the load goes on. */
interface Change {
  readonly what: string;
  readonly seconds: number;
  readonly from: string;
  readonly to: string;
}

const ran = ({ code, stdout, stderr }: Captured): string => succeed({ code, output: stdout + stderr });
const pulumi = (...args: string[]): string =>
  ran(capture(join(root, "node_modules", ".bin", "pulumi"), ["-C", folder, ...args, "--stack", stack]));
const configure = (key: string, value: string) => pulumi("config", "set", "--path", `orion:${key}`, value);
const update = (...args: string[]) => pulumi("up", "--yes", "--skip-preview", ...args);

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

function change(what: string, work: () => unknown): Change {
  const from = new Date().toISOString();
  const seconds = timed(work);
  process.stdout.write(`${what}: ${seconds.toFixed(1)} s\n`);
  return { what, seconds, from, to: new Date().toISOString() };
}

/** The status of `/health`, asked for by the command that the report of a rehearsal says. */
function firstAnswer(report: string): string {
  const [command = "false"] = /curl --resolve .*https:\/\/orion\.example\.com/.exec(report) ?? [];
  return ran(capture("sh", ["-c", `${command}/health --silent --fail --output /dev/null --write-out '%{http_code}'`]));
}

const exportSchema = z.object({
  deployment: z.object({ resources: z.array(z.object({ urn: z.string(), type: z.string() })) }),
});

/** The names that the engine has for the resources of a type. */
const urnsOf = (type: string): string[] =>
  exportSchema
    .parse(JSON.parse(pulumi("stack", "export")))
    .deployment.resources.flatMap((one) => (one.type === type ? [one.urn] : []));

async function underLoad(): Promise<{ changes: Change[]; report: LoadReport }> {
  const load = startLoad(root, cloud.settings, "https://orion.example.com", 7200);
  await sleep(5000);
  const changes: Change[] = [];
  for (let round = 1; round <= deploys; round++) {
    configure("app.environment.RELEASE", `release-${round}`);
    changes.push(change("a deploy: migrations, app, workers, Beat", () => update()));
  }
  configure("workers.concurrency.default", "3");
  changes.push(change("a deploy of one worker", () => update()));
  configure("edge.bodyLimitMb", "40");
  changes.push(change("another configuration of the edge", () => update()));
  const certificates = urnsOf("cloudflare:index/originCaCertificate:OriginCaCertificate");
  const again = certificates.flatMap((urn) => ["--replace", urn]);
  changes.push(change("a new certificate for the edge", () => update(...again)));
  await sleep(5000);
  return { changes, report: await load.stop() };
}

const rowsOf = (changes: readonly Change[]): Row[] =>
  [...new Set(changes.map(({ what }) => what))].map((what) => ({
    what,
    values: changes.filter((one) => one.what === what).map(({ seconds }) => seconds),
  }));

function failuresOf(changes: readonly Change[], { failures }: LoadReport): string {
  const during = (what: string) =>
    failures.filter(({ time }) => changes.some((one) => one.what === what && one.from <= time && time <= one.to));
  return [...new Set(changes.map(({ what }) => what))]
    .map((what) => `| ${what} | ${changes.filter((one) => one.what === what).length} | ${during(what).length} |`)
    .join("\n");
}

try {
  let answer = "";
  const up = timed(() => {
    answer = firstAnswer(cloud.rehearse("mvp"));
  });
  const unchanged = timed(() => cloud.rehearse("mvp"));
  const refresh = timed(() => pulumi("preview", "--refresh", "--expect-no-changes"));
  const { changes, report } = await underLoad();
  const { answered, failures, reconnected, latency, ledger } = report;
  const requests = Object.entries(answered).map(([what, count]) => `${count} ${what}s`);
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

| Change | times | failed requests |
|---|---|---|
${failuresOf(changes, report)}

| Of the whole run | |
|---|---|
| answered | ${requests.join(", ")} |
| failed | ${failures.length} |
| milliseconds of an answer | ${latency.median} in the median, ${latency.p99} at 99 %, ${latency.slowest} at most |
| WebSockets that were ended with a close frame, and came again | ${reconnected} |
| orders acknowledged | ${ledger.acknowledged} |
| orders lost | ${ledger.lost.length} |
| orders doubled | ${ledger.doubled.length} |
| orders whose task was not run | ${ledger.unconfirmed.length} |
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

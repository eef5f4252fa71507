/**
 * Benchmark of faults in phase mvp on a rehearsal cloud under a steady load: recovery times and failed requests, with ten
 * updates killed at random moments. Written to bench/faults.md. It needs root, the toolchain and the images; it uses a
 * cloud with its own name, addresses and port.
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RehearsalCloud } from "../testing/cloud.ts";
import type { LoadReport } from "../rehearsal/load/process.ts";
import { RehearsedPlatform } from "../testing/platform.ts";
import { succeed } from "../testing/sandbox.ts";
import { machine, markdownTable, tableOf } from "./table.ts";
import { tell, tellFailures } from "./tell.ts";
import { timed } from "./timed.ts";
import { failuresDuring, type LoadEvent, rowsOf, countOf, titlesOf, wholeRun } from "./under-load.ts";

const root = join(import.meta.dirname, "..");
const place = ["PHASE=mvp", "BLOCK=96", "PORT=8960"];
const cloud = new RehearsalCloud(root, { name: "benchflt", block: 96, port: 8960, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const kills = { fromNothing: 5, together: 10 };
/** An update is killed at most this many seconds after its start. */
const longest = { fromNothing: 60, underLoad: 25 };
const powerCuts = 3;
/** Timeout in seconds for recovery without intervention. */
const recoveryTimeout = 300;

/** The injected faults, with the seconds until recovery. */
const faults: LoadEvent[] = [];

/** @param work resolves after recovery; its seconds are measured from the end of `happens` */
async function fault(what: string, happens: () => unknown, work: () => unknown) {
  const from = new Date().toISOString();
  await happens();
  const seconds = await timed(work);
  tell(`${what}: ${seconds.toFixed(1)} s`);
  await sleep(2000);
  faults.push({ what, from, to: new Date().toISOString(), seconds });
}

/** Kills an update at a random moment. @returns seconds after its start; undefined when it had ended before */
async function kill(target: string, variables: readonly string[], most: number): Promise<number | undefined> {
  const seconds = 2 + Math.random() * (most - 2);
  const update = platform.start(target, ...variables);
  await sleep(seconds * 1000);
  return (await update.kill()) ? seconds : undefined;
}

/** First updates, killed one after the other while both APIs return 429 for some calls; then one that completes. */
async function fromNothing(): Promise<string[]> {
  cloud.up();
  const busy = ["hetzner", "cloudflare"].map((api) => ({ kind: "reply", api, status: 429, rate: 0.3 }));
  for (const each of busy) await cloud.fault(each);
  const moments: string[] = [];
  while (moments.length < kills.fromNothing) {
    const at = await kill("rehearse", place, longest.fromNothing);
    // The previous updates left so little to do that this one completed.
    if (at === undefined) break;
    moments.push(at.toFixed(1));
    tell(`from nothing, killed after ${at.toFixed(1)} s`);
  }
  cloud.rehearse("mvp");
  await cloud.call("DELETE", "/rehearsal/faults");
  return moments;
}

async function killedUpdates(wanted: number): Promise<string[]> {
  const moments: string[] = [];
  for (let round = 1; moments.length < wanted; round++) {
    platform.configure("app.environment.ROUND", `round-${round}`);
    await fault(
      "an update killed at a random moment, until the next one completes",
      async () => {
        const at = await kill("up", ["REHEARSAL=1", "YES=1"], longest.underLoad);
        if (at !== undefined) moments.push(at.toFixed(1));
      },
      () => {
        succeed(platform.update());
      },
    );
    await platform.healthy(undefined, recoveryTimeout);
  }
  return moments;
}

async function outages(): Promise<void> {
  for (let n = 0; n < powerCuts; n++) {
    await fault(
      "power cut, from power on until orders are accepted",
      () => platform.cutPower(),
      () => platform.ready(recoveryTimeout),
    );
    await platform.healthy(undefined, recoveryTimeout);
  }
  for (const service of platform.services()) {
    await fault(
      `kill of ${service}, until it is healthy`,
      () => undefined,
      async () => {
        await platform.kill(service);
        await platform.healthy(service, recoveryTimeout);
      },
    );
    await platform.ready(recoveryTimeout);
  }
  await fullVolume();
  await brokenVersion();
}

async function fullVolume(): Promise<void> {
  let empty = () => Promise.resolve();
  await fault(
    "full Volume, from freed space until orders are accepted",
    async () => {
      empty = await platform.fillVolume();
      while ((await platform.order()) === 201) await sleep(100);
      await sleep(10_000);
    },
    async () => {
      await empty();
      await platform.ready(recoveryTimeout);
    },
  );
}

async function brokenVersion(): Promise<void> {
  await platform.useBrokenImage();
  await fault(
    "a version that does not start, until the update gives up",
    () => undefined,
    () => {
      if (platform.update().code === 0)
        throw new Error("an update with a version that does not start succeeded; it must fail");
    },
  );
  platform.useUsualImage();
  await fault(
    "the previous version again, until the update completes",
    () => undefined,
    () => succeed(platform.update()),
  );
}

function failedTable(report: LoadReport): string {
  const count = (what: string, kind: RegExp) =>
    failuresDuring(faults, what, report).filter((one) => kind.test(one.what)).length;
  const rows = titlesOf(faults).map((what) => {
    const failed = [/order/, /page|upload/, /WebSocket/].map((kind) => count(what, kind));
    return [what.split(",")[0] ?? "", countOf(faults, what), ...failed];
  });
  return markdownTable(["Fault", "times", "orders", "pages and uploads", "WebSockets broken"], rows);
}

try {
  const busy = loadavg()[1] ?? 0;
  const first = await fromNothing();
  const { result: killed, report } = await platform.underLoad(async () => {
    await sleep(5000);
    const moments = await killedUpdates(kills.together - first.length);
    await outages();
    await sleep(5000);
    return moments;
  });
  const text = `# The mvp phase: what faults cost

Measured by \`make bench-faults\` on ${machine()}. The machine is shared and runs the load, the cloud and the platform at the
same time; its load average before was ${busy.toFixed(1)}. The load is 2 orders and 2 pages per second, an upload every five seconds, and 3 WebSockets.

${tableOf("Seconds until recovery", rowsOf(faults), 1)}

Requests that failed during each fault:

${failedTable(report)}

${kills.together} updates were killed with all their processes. The first ${first.length} began with nothing and were killed one after the other, while both
APIs refused 30 % of the calls (429), after ${first.join(", ")} s; one update completed what they had left. The others
were killed under load, after ${killed.join(", ")} s.

${wholeRun(report)}
`;
  writeFileSync(join(import.meta.dirname, "faults.md"), text);
  tell(`\n${text}`);
  tellFailures(report);
} finally {
  cloud.dispose();
}

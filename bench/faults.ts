/**
 * What faults cost the mvp phase on a rehearsal cloud under a steady load, and ten updates that are killed at random
 * moments, written to bench/faults.md. It needs root, the toolchain and the images to be there; it uses a cloud of its own
 * name, addresses and port.
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RehearsalCloud } from "../testing/cloud.ts";
import type { LoadReport } from "../testing/load.ts";
import { RehearsedPlatform } from "../testing/platform.ts";
import { succeed } from "../testing/sandbox.ts";
import { machine, markdownTable, tableOf } from "./table.ts";
import { timed } from "./timed.ts";
import { failuresDuring, type Happening, rowsOf, times, whats, wholeRun } from "./under-load.ts";

const root = join(import.meta.dirname, "..");
const place = ["PHASE=mvp", "BLOCK=96", "PORT=8960"];
const cloud = new RehearsalCloud(root, { name: "benchflt", block: 96, port: 8960, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const kills = { fromNothing: 5, together: 10 };
/** Within so many seconds from its start an update is killed. */
const longest = { fromNothing: 60, underLoad: 25 };
const powerCuts = 3;
/** So many seconds is waited for what must come back by itself. */
const patience = 300;

/** What went wrong, and how long it took until all was well. */
const faults: Happening[] = [];
const tell = (line: string) => process.stdout.write(`${line}\n`);

/** @param work resolves when all is well; its seconds are counted from the moment that `happens` has ended */
async function fault(what: string, happens: () => unknown, work: () => unknown) {
  const from = new Date().toISOString();
  await happens();
  const seconds = await timed(work);
  tell(`${what}: ${seconds.toFixed(1)} s`);
  await sleep(2000);
  faults.push({ what, from, to: new Date().toISOString(), seconds });
}

/** Kills an update at a random moment. @returns seconds after its start; undefined when it had ended by then */
async function kill(target: string, variables: readonly string[], most: number): Promise<number | undefined> {
  const seconds = 2 + Math.random() * (most - 2);
  const update = platform.start(target, ...variables);
  await sleep(seconds * 1000);
  return (await update.kill()) ? seconds : undefined;
}

/** Updates from nothing that are killed one after the other, while both APIs are busy; then one that is not. */
async function fromNothing(): Promise<string[]> {
  cloud.up();
  const busy = ["hetzner", "cloudflare"].map((api) => ({ kind: "reply", api, status: 429, rate: 0.3 }));
  for (const each of busy) await cloud.fault(each);
  const moments: string[] = [];
  while (moments.length < kills.fromNothing) {
    const at = await kill("rehearse", place, longest.fromNothing);
    // Those before have left it so little to do that it was through.
    if (at === undefined) break;
    moments.push(`from nothing, after ${at.toFixed(1)} s`);
    tell(moments.at(-1) ?? "");
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
      "an update killed at a random moment, until the next one is through",
      async () => {
        const at = await kill("up", ["REHEARSAL=1", "YES=1"], longest.underLoad);
        if (at !== undefined) moments.push(`under load, after ${at.toFixed(1)} s`);
      },
      () => {
        succeed(platform.update());
      },
    );
    await platform.healthy(undefined, patience);
  }
  return moments;
}

async function outages(): Promise<void> {
  for (let n = 0; n < powerCuts; n++) {
    await fault(
      "power cut, from the switch back on until orders are taken",
      () => platform.cutPower(),
      () => platform.ready(patience),
    );
    await platform.healthy(undefined, patience);
  }
  for (const service of platform.services()) {
    await fault(
      `kill of ${service}, until it is healthy`,
      () => undefined,
      async () => {
        await platform.kill(service);
        await platform.healthy(service, patience);
      },
    );
    await platform.ready(patience);
  }
  await fullVolume();
  await brokenVersion();
}

async function fullVolume(): Promise<void> {
  let empty = () => Promise.resolve();
  await fault(
    "full Volume, from the moment that there is room again until orders are taken",
    async () => {
      empty = await platform.fillVolume();
      while ((await platform.order()) === 201) await sleep(100);
      await sleep(10_000);
    },
    async () => {
      await empty();
      await platform.ready(patience);
    },
  );
}

async function brokenVersion(): Promise<void> {
  await platform.useBrokenImage();
  await fault(
    "a version that does not start, until the update gives up",
    () => undefined,
    () => {
      if (platform.update().code === 0) throw new Error("an update with a version that does not start went well");
    },
  );
  platform.useUsualImage();
  await fault(
    "the version before once more, until the update is through",
    () => undefined,
    () => succeed(platform.update()),
  );
}

function failedTable(report: LoadReport): string {
  const count = (what: string, kind: RegExp) =>
    failuresDuring(faults, what, report).filter((one) => kind.test(one.what)).length;
  const rows = whats(faults).map((what) => {
    const failed = [/order/, /page|upload/, /WebSocket/].map((kind) => count(what, kind));
    return [what.split(",")[0] ?? "", times(faults, what), ...failed];
  });
  return markdownTable(["Fault", "times", "orders", "pages and uploads", "WebSockets cut off"], rows);
}

try {
  const busy = loadavg()[1] ?? 0;
  const first = await fromNothing();
  const load = platform.load(7200);
  await sleep(5000);
  const moments = [...first, ...(await killedUpdates(kills.together - first.length))];
  await outages();
  await sleep(5000);
  const report = await load.stop();
  const text = `# The mvp phase: what faults cost

Measured by \`make bench-faults\` on ${machine()}. The machine is shared, runs the load, the cloud and the platform at the same
time, and ${busy > 1 ? `was not idle: its load was ${busy.toFixed(1)} before` : "was idle before"}. The load is 2 orders and 2 pages a second, an upload every five, and 3 WebSockets.

${tableOf("Seconds until all is well", rowsOf(faults), 1)}

Requests that failed meanwhile:

${failedTable(report)}

${kills.together} updates were killed with all their processes; the first ${first.length} one after the other while both APIs refused three calls of
ten (429). One update finished what they had left: ${moments.join("; ")}.

${wholeRun(report)}
`;
  writeFileSync(join(import.meta.dirname, "faults.md"), text);
  tell(`\n${text}`);
  for (const { time, what, why } of report.failures) tell(`${time} ${what}: ${why}`);
} finally {
  cloud.dispose();
}

/** `make drill`: causes failures on a rehearsed platform under load, one after the other, and writes the report. */
import { loadavg } from "node:os";
import { join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../common/user-error.ts";
import { CloudClient } from "../../rehearsal/cloud/client.ts";
import { cloudFolder, readSettings, rehearsalFolder, requireOwnLayout } from "../../rehearsal/cloud/settings.ts";
import { ratesOf, startLoad } from "../../rehearsal/load/process.ts";
import { pictureOf } from "../diagram/diagram.ts";
import { dotOf } from "../diagram/dot.ts";
import { toSvg } from "../diagram/render.ts";
import { drillPageOf, drillsVerdict, episodeVerdict } from "../report/drill-page.ts";
import type { DrillRecord, Episode } from "../report/drill-record.ts";
import { isUp } from "../rehearsal/is-up.ts";
import { findDeliveries } from "../rehearsal/images.ts";
import { rehearse, type RehearseOptions } from "../rehearsal/rehearse.ts";
import { urlOf } from "../rehearsal/url.ts";
import { versionsOf } from "../rehearsal/versions.ts";
import { writeReport } from "../report/write.ts";
import { readStackFile } from "../stack-file.ts";
import { bold, say } from "../terminal.ts";
import { chosenDrills, type Drill } from "./drills.ts";
import { Notes } from "./notes.ts";
import { Scene } from "./scene.ts";

export interface DrillOptions extends Omit<RehearseOptions, "phase"> {
  /** Names of drills, separated by commas. @default all that the stack can do */
  readonly drills: string | undefined;
  /** The phase that is brought up first when nothing is up yet. */
  readonly phase: string;
  /** The report's file, relative to the project. @default a new one in .orion/reports */
  readonly out: string | undefined;
}

/** Seconds of load before and after a failure, to compare with. */
const calmSeconds = 8;

/** @returns 0 when all drills passed */
export async function drill(options: DrillOptions): Promise<number> {
  const { root, stack, cloud, phase } = options;
  const chosen = chosenDrills(options.drills);
  const folder = rehearsalFolder(root, cloud, stack);
  if (!isUp(folder, stack)) {
    say(`Nothing is up yet on the rehearsal cloud '${cloud}': phase ${phase} comes first.`);
    const code = await rehearse({ ...options, phase });
    if (code !== 0) return code;
  }
  const settings = readSettings(cloudFolder(root, cloud));
  if (!settings)
    throw new UserError(`The rehearsal cloud '${cloud}' does not exist; create it: make rehearse CLOUD=${cloud}`);
  requireOwnLayout(settings);
  const client = new CloudClient(settings);
  // Says what to do when the cloud does not run.
  await client.status();
  const file = readStackFile(folder, stack);
  const url = urlOf(file);
  const scene = new Scene({ root, folder, stack, cloud: settings, client, domain: new URL(url).hostname });
  const picture = await toSvg(dotOf(pictureOf(file)));
  const [began, episodes, left]: [number, Episode[], DrillRecord["left"]] = [Date.now(), [], []];
  for (const one of chosen) {
    const why = one.unfit(scene.file);
    if (why !== undefined) {
      left.push({ title: one.title, why });
      say(`${bold(one.name)} is not done: ${why}`);
      continue;
    }
    say(bold(`\n${one.name}: ${one.title}`));
    const episode = await episodeOf(one, scene, () =>
      startLoad(root, settings, url, 3600, file.settings.rehearsal.pages),
    );
    episodes.push(episode);
    say(`  ${episodeVerdict(episode).sentences.join(" ")}`);
  }
  const record: DrillRecord = {
    ...{ version: 1, stack, cloud, phase: file.settings.phase, began, picture, episodes, left },
    rates: { ...ratesOf(file.settings.rehearsal.pages) },
    versions: versionsOf(root, await findDeliveries(root, file)),
    notes: [
      `One machine runs the load, the cloud and all servers; its load average at the end was ${(loadavg()[0] ?? 0).toFixed(1)}.`,
    ],
    commands: [
      `make rehearse PHASE=${file.settings.phase} STACK=${stack} CLOUD=${cloud}`,
      `make drill${options.drills === undefined ? "" : ` DRILL=${options.drills}`} STACK=${stack} CLOUD=${cloud}`,
      `make cloud-down CLOUD=${cloud}`,
    ],
  };
  const time = new Date(began).toISOString().slice(0, 16).replaceAll(/[-:]/g, "").replace("T", "-");
  const out = resolve(root, options.out ?? join(".orion", "reports", `${time}-${stack}-drills.html`));
  writeReport(out, record, drillPageOf(record));
  const { level, sentences } = drillsVerdict(record);
  say(`\n${bold("The drills:")} ${sentences.join(" ")}\nThe report: ${relative(root, out)}`);
  return level === "bad" ? 1 : 0;
}

/** One drill under load. An unexpected failure is its result, not an exception. */
async function episodeOf(one: Drill, scene: Scene, begin: () => ReturnType<typeof startLoad>): Promise<Episode> {
  const { name, title, about, mayLose = null } = one;
  const notes = new Notes(say);
  let problem: string | null = null;
  const note = (error: unknown) => {
    problem ??= error instanceof Error ? error.message : String(error);
  };
  const running = begin();
  await sleep(calmSeconds * 1000);
  try {
    await one.run(scene, notes);
    await sleep(calmSeconds * 1000);
  } catch (error) {
    note(error);
  }
  const load = await running.stop();
  problem ??= one.judge?.(load, notes.spans) ?? null;
  // The next drill begins with a healthy platform.
  await scene.healthy().catch(note);
  const { spans, facts, output } = notes;
  return { ...{ name, title, about, problem, mayLose, output, load }, spans: [...spans], facts: [...facts] };
}

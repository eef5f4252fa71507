/** The engine and its plugins, got when they are missing: by download where that is possible, else by building them. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildTarget, fingerprint, sourcesOf, type Target, targets, targetsOf, type Workshop } from "./build.ts";
import { type Downloads, officialDownloads } from "./download.ts";
import { type FreeSpace, freeSpace, requireGo } from "./go.ts";
import { installPart, originOf, removeUnfinished } from "./install.ts";
import { withLock } from "./lock.ts";
import { isInstalled, type Part, partsOf, type Places } from "./parts.ts";
import { type Progress, progressOn } from "./progress.ts";
import { type Run, tryRun } from "../../common/process.ts";

/** What the work is done with; tests bring their own. */
export interface Tools {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly run: Run;
  readonly progress: Progress;
  readonly free: FreeSpace;
}

const realTools = (): Tools => ({ env: process.env, run: tryRun, progress: progressOn(), free: freeSpace });

/**
 * Sees to it that the engine and its plugins are installed. Nothing is done, and nobody asked, when they are.
 *
 * @throws {UserError} when a part can neither be downloaded nor built, saying what is missing
 */
export async function ensureEngine(places: Places, tools: Tools = realTools()): Promise<void> {
  const parts = partsOf(places);
  const workshop: Workshop = { places, parts, ...tools };
  if (wanted(workshop).length === 0) return;
  const onWait = (pid: number) => {
    tools.progress.say(`Process ${pid} is getting the Pulumi engine already; waiting for it.`);
  };
  await withLock(join(places.cache, "lock"), onWait, async () => {
    for (const folder of new Set([places.cache, ...parts.map((part) => dirname(part.folder))]))
      removeUnfinished(folder);
    // Whoever held the lock before may have done it all.
    const missing = wanted(workshop);
    if (missing.length === 0) return;
    const downloads = officialDownloads(places, tools.run, tools.progress);
    const rest = await download(missing, downloads, tools.progress);
    const needed = rest.filter(({ buildable }) => buildable);
    if (needed.length > 0) await build(workshop, needed, tools.free);
  });
}

/** Where a part is from, in words; undefined when it is missing. */
export function describeOrigin(part: Part, workshop: Pick<Workshop, "places" | "parts">): string | undefined {
  if (!isInstalled(part)) return undefined;
  const origin = originOf(part);
  if (origin === undefined) return "installed by Pulumi";
  if (origin.from === "download") return "official download";
  return isOutdated(part, workshop) ? "built from source, outdated" : "built from source";
}

/** The parts to get; none, when only such are missing that the engine downloads itself once a stack needs them. */
function wanted(workshop: Workshop): Part[] {
  const missing = workshop.parts.filter((part) => !isInstalled(part) || isOutdated(part, workshop));
  return missing.some(({ buildable }) => buildable) ? missing : [];
}

/** Whether a part was built from sources that have changed since. */
function isOutdated(part: Part, workshop: Pick<Workshop, "places" | "parts">): boolean {
  const origin = originOf(part);
  return origin?.from === "build" && origin.sources !== fingerprints(part, workshop);
}

const fingerprints = (part: Part, workshop: Pick<Workshop, "places" | "parts">): string =>
  targetsOf(part)
    .map((target) => fingerprint(workshop, target))
    .join(" ");

/** Downloads what can be; returns the parts that could not. */
async function download(missing: readonly Part[], downloads: Downloads, progress: Progress): Promise<Part[]> {
  if (!(await downloads.reachable())) {
    progress.say("Pulumi's download host is not reachable: building from source, once; this takes some minutes.");
    return [...missing];
  }
  const rest: Part[] = [];
  for (const part of missing) if (!(await downloads.get(part))) rest.push(part);
  if (rest.length > 0) {
    progress.say(`Not downloaded: ${rest.map(({ name }) => name).join(", ")}; the log says why: ${downloads.log}`);
  }
  return rest;
}

async function build(workshop: Workshop, missing: readonly Part[], free: FreeSpace): Promise<void> {
  const { places, run: start } = workshop;
  mkdirSync(places.cache, { recursive: true });
  const needed = targets.filter((target) => missing.some((part) => targetsOf(part).includes(target)));
  const modules = needed.map((target) => sourcesOf(places, target));
  const go = await requireGo(modules, places.cache, start, free);
  const entries = new Map<Target, string>();
  // One after the other: each build uses every core itself, and what they have in common is compiled once.
  for (const target of needed) entries.set(target, await buildTarget(workshop, target, go));
  for (const part of missing) {
    const sources = targetsOf(part).flatMap((target) => entries.get(target) ?? []);
    await installPart(
      part,
      sources.map((entry) => join(entry, part.name)),
      { from: "build", sources: fingerprints(part, workshop) },
    );
  }
}

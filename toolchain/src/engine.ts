/** Installs the engine and its plugins when they are missing: by download if possible, else by building them. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildTarget, fingerprint, sourcesOf, type Target, targets, targetsOf, type BuildTools } from "./build.ts";
import { type Downloads, officialDownloads } from "./download.ts";
import { type FreeSpace, freeSpace, requireGo } from "./go.ts";
import { installPart, originOf, removeUnfinished } from "./install.ts";
import { withLock } from "./lock.ts";
import { isInstalled, type Part, partsOf, type ToolchainPaths } from "./parts.ts";
import { type Progress, progressOn } from "./progress.ts";
import { type Run, tryRun } from "../../common/process.ts";

/** Environment, process runner, progress output and disk check; tests pass their own. */
export interface Tools {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly run: Run;
  readonly progress: Progress;
  readonly free: FreeSpace;
}

const realTools = (): Tools => ({ env: process.env, run: tryRun, progress: progressOn(), free: freeSpace });

/**
 * Makes sure that the engine and its plugins are installed. Does nothing and opens no connection when they are.
 *
 * @throws {UserError} when a part can neither be downloaded nor built; the message says what is missing
 */
export async function ensureEngine(places: ToolchainPaths, tools: Tools = realTools()): Promise<void> {
  const parts = partsOf(places);
  const buildTools: BuildTools = { places, parts, ...tools };
  if (partsToInstall(buildTools).length === 0) return;
  const onWait = (pid: number) => {
    tools.progress.say(`Process ${pid} is already installing the Pulumi engine; waiting for it to finish.`);
  };
  await withLock(join(places.cache, "lock"), onWait, async () => {
    for (const folder of new Set([places.cache, ...parts.map((part) => dirname(part.folder))]))
      removeUnfinished(folder);
    // The previous holder of the lock may have installed everything.
    const missing = partsToInstall(buildTools);
    if (missing.length === 0) return;
    const downloads = officialDownloads(places, tools.run, tools.progress);
    const rest = await download(missing, downloads, tools.progress);
    const needed = rest.filter(({ buildable }) => buildable);
    if (needed.length > 0) await build(buildTools, needed, tools.free);
  });
}

/** Describes where an installed part came from; undefined when it is missing. */
export function describeOrigin(part: Part, buildTools: Pick<BuildTools, "places" | "parts">): string | undefined {
  if (!isInstalled(part)) return undefined;
  const origin = originOf(part);
  if (origin === undefined) return "installed by Pulumi";
  if (origin.from === "download") return "official download";
  return isOutdated(part, buildTools) ? "built from source, outdated" : "built from source";
}

/** The parts to install. Empty when only download-only parts are missing: the engine downloads those when a stack needs them. */
function partsToInstall(buildTools: BuildTools): Part[] {
  const missing = buildTools.parts.filter((part) => !isInstalled(part) || isOutdated(part, buildTools));
  return missing.some(({ buildable }) => buildable) ? missing : [];
}

/** Whether the sources of a part have changed since it was built. */
function isOutdated(part: Part, buildTools: Pick<BuildTools, "places" | "parts">): boolean {
  const origin = originOf(part);
  return origin?.from === "build" && origin.sources !== fingerprints(part, buildTools);
}

const fingerprints = (part: Part, buildTools: Pick<BuildTools, "places" | "parts">): string =>
  targetsOf(part)
    .map((target) => fingerprint(buildTools, target))
    .join(" ");

/** Downloads the missing parts; returns those that could not be downloaded. */
async function download(missing: readonly Part[], downloads: Downloads, progress: Progress): Promise<Part[]> {
  const unpinned = missing.filter((part) => !downloads.isPinned(part));
  if (unpinned.length > 0) {
    progress.say(
      `No checksum is pinned for ${unpinned.map(({ name, version }) => `${name} ${version}`).join(", ")} on this platform, so ` +
        "it is not downloaded. make checksums writes toolchain/checksums.json, where the download host can be reached.",
    );
  }
  const pinned = missing.filter((part) => !unpinned.includes(part));
  if (pinned.length === 0) {
    progress.say("Building from source instead. This happens once and takes some minutes.");
    return [...missing];
  }
  if (!(await downloads.reachable())) {
    progress.say(
      "Pulumi's download host is not reachable: building from source instead. This happens once and takes some minutes.",
    );
    return [...missing];
  }
  const rest: Part[] = [];
  for (const part of pinned) if (!(await downloads.get(part))) rest.push(part);
  if (rest.length > 0) {
    progress.say(`Could not download ${rest.map(({ name }) => name).join(", ")}; see ${downloads.log}`);
  }
  return [...unpinned, ...rest];
}

async function build(buildTools: BuildTools, missing: readonly Part[], free: FreeSpace): Promise<void> {
  const { places, run: start } = buildTools;
  mkdirSync(places.cache, { recursive: true });
  const needed = targets.filter((target) => missing.some((part) => targetsOf(part).includes(target)));
  const modules = needed.map((target) => sourcesOf(places, target));
  const go = await requireGo(modules, places.cache, start, free);
  const entries = new Map<Target, string>();
  // Sequentially: each build uses every core, and packages that builds share are compiled once.
  for (const target of needed) entries.set(target, await buildTarget(buildTools, target, go));
  for (const part of missing) {
    const sources = targetsOf(part).flatMap((target) => entries.get(target) ?? []);
    await installPart(
      part,
      sources.map((entry) => join(entry, part.name)),
      { from: "build", sources: fingerprints(part, buildTools) },
    );
  }
}

/** Installs parts atomically: other processes see a complete folder or none. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { isInstalled, type Part } from "./parts.ts";

const unfinished = ".orion-unfinished-";
const originFile = "orion-origin.json";

/** How a part was obtained; noted in a file inside its folder. */
export interface Origin {
  readonly from: "download" | "build";
  /** For a build: fingerprint of its sources. */
  readonly sources?: string;
}

/**
 * Creates a folder atomically: fills a temporary folder beside it, flushes that to disk, then renames it.
 *
 * @param fill writes the contents; gets the path of the temporary folder
 */
export async function createFolderAtomically(
  folder: string,
  fill: (unfinishedFolder: string) => Promise<void>,
): Promise<void> {
  const parent = dirname(folder);
  mkdirSync(parent, { recursive: true });
  const work = mkdtempSync(join(parent, unfinished));
  try {
    const made = join(work, "new");
    mkdirSync(made);
    await fill(made);
    flush(made);
    // A folder cannot be renamed over an existing one. Programs that run from the old one keep their open files.
    if (existsSync(folder)) renameSync(folder, join(work, "old"));
    renameSync(made, folder);
    flushEntry(parent);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Whether a folder was installed by {@link installPart}. */
export const hasOrigin = (folder: string): boolean => existsSync(join(folder, originFile));

/** Removes temporary folders that interrupted runs left behind. Call it while holding the lock only. */
export function removeUnfinished(parent: string): void {
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    if (name.startsWith(unfinished)) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Installs a part from one or more folders that together hold its files, and notes its origin. */
export function installPart(part: Part, sources: readonly string[], origin: Origin): Promise<void> {
  return createFolderAtomically(part.folder, (folder) => {
    for (const source of sources) linkFolder(source, folder);
    noteOrigin(folder, origin);
    return Promise.resolve();
  });
}

/** Hard-links a file, or copies it where that fails: four plugins that are the same program then take the space of one. */
export function linkFile(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}

export function noteOrigin(folder: string, origin: Origin): void {
  writeFileSync(join(folder, originFile), `${JSON.stringify(origin)}\n`);
}

/** The noted origin of an installed part; undefined when it is missing or was installed by Pulumi itself. */
export function originOf(part: Part): Origin | undefined {
  if (!isInstalled(part)) return undefined;
  try {
    const noted: unknown = JSON.parse(readFileSync(join(part.folder, originFile), "utf8"));
    if (typeof noted !== "object" || noted === null || !("from" in noted)) return undefined;
    const sources = "sources" in noted && typeof noted.sources === "string" ? { sources: noted.sources } : {};
    return noted.from === "build" ? { from: "build", ...sources } : { from: "download" };
  } catch {
    return undefined;
  }
}

function linkFolder(source: string, target: string): void {
  mkdirSync(target, { recursive: true });
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) linkFolder(from, to);
    else linkFile(from, to);
  }
}

/** Flushes a folder to disk, so that files are complete if power fails after the rename. */
function flush(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) flush(path);
    else if (entry.isFile()) flushEntry(path);
  }
  flushEntry(folder);
}

function flushEntry(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}

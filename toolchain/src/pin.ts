/**
 * `make checksums`: writes toolchain/checksums.json for the versions in use. The publisher's own list is taken where it has
 * one; otherwise the archives are fetched. What is written is looked at and committed, and checked at every download from then on.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../common/user-error.ts";
import { type Run, tryRun } from "../../common/process.ts";
import {
  archiveUrl,
  type Checksums,
  checksumsIn,
  type Pinned,
  type Platform,
  platforms,
  readChecksums,
  sha256Of,
  writeChecksums,
} from "./checksums.ts";
import { downloadHost } from "./download.ts";
import { type Part, partsOf, type ToolchainPaths } from "./parts.ts";

/** The list of an engine's release; plugins have none at the same host. */
const listUrl = ({ version }: Part, host: string): string => `${host}/releases/sdk/pulumi-${version}-checksums.txt`;

const quiet = ["--silent", "--show-error", "--fail", "--location"];

/**
 * @param host of the archives. @default Pulumi's
 * @returns a line for each part
 * @throws {UserError} when the host does not answer for an archive; nothing is written then
 */
export async function pinChecksums(
  places: ToolchainPaths,
  now: Date,
  { host = downloadHost, run = tryRun }: { readonly host?: string; readonly run?: Run } = {},
): Promise<string[]> {
  const before = readChecksums(places.root);
  const folder = join(places.cache, "pin");
  mkdirSync(folder, { recursive: true });
  try {
    const said: string[] = [];
    const pins: Record<string, Pinned> = {};
    for (const part of partsOf(places)) {
      const known = before[part.name];
      const isWhole = known?.version === part.version && platforms.every((platform) => known.sha256[platform]);
      const pinned = isWhole ? known : await pin(part, { folder, host, run, now });
      pins[part.name] = pinned;
      said.push(`${part.name} ${part.version}: ${isWhole ? "unchanged" : Object.keys(pinned.sha256).join(", ")}`);
    }
    writeChecksums(places.root, pins satisfies Checksums);
    return said;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Tools {
  readonly folder: string;
  readonly host: string;
  readonly run: Run;
  readonly now: Date;
}

async function pin(part: Part, { folder, host, run, now }: Tools): Promise<Pinned> {
  const listed = part.kind === "engine" ? await run("curl", [...quiet, listUrl(part, host)]) : undefined;
  const list = listed?.code === 0 ? checksumsIn(listed.stdout) : undefined;
  const sha256: Partial<Record<Platform, string>> = {};
  for (const platform of platforms) {
    const url = archiveUrl(part, platform, host);
    const file = join(folder, "archive.tar.gz");
    const published = list?.get(url.slice(url.lastIndexOf("/") + 1));
    if (published === undefined) {
      const { code, output } = await run("curl", [...quiet, "--output", file, url]);
      if (code !== 0) throw new UserError(`${url} could not be fetched, so nothing was written: ${output.trim()}`);
    }
    sha256[platform] = published ?? (await sha256Of(file));
  }
  return { version: part.version, date: now.toISOString().slice(0, 10), sha256 };
}

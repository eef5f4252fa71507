/** Downloads the engine and its plugins from Pulumi's host, and uses only what has its pinned checksum. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../common/user-error.ts";
import { archiveUrl, checksumOf, readChecksums, sha256Of, thisPlatform } from "./checksums.ts";
import { installPart } from "./install.ts";
import { isInstalled, type Part, type ToolchainPaths } from "./parts.ts";
import type { Progress } from "./progress.ts";
import type { Run } from "../../common/process.ts";

/** The host of the archives, which has them below `/releases`. */
export const downloadHost = "https://get.pulumi.com";

/** Seconds until the host counts as unreachable; a network that silently drops packets would block much longer. */
const reachableTimeout = 5;

export interface Downloads {
  /** Whether the download host can be reached; asked once. */
  reachable(): Promise<boolean>;
  /** Whether a part has a pinned checksum for this machine. Without one it is not downloaded. */
  isPinned(part: Part): boolean;
  /**
   * Downloads and installs a part. Returns false when that failed; the reason is in the log.
   *
   * @throws {UserError} when the archive is not the pinned one; nothing of it is installed
   */
  get(part: Part): Promise<boolean>;
  readonly log: string;
}

/** The official downloads, for the parts of one project. @param host of the archives */
export function officialDownloads(
  places: ToolchainPaths,
  run: Run,
  progress: Progress,
  host: string = downloadHost,
): Downloads {
  const log = join(places.cache, "logs", "download.log");
  mkdirSync(join(places.cache, "logs"), { recursive: true });
  const checksums = readChecksums(places.root);
  const platform = thisPlatform();
  const quiet = ["--silent", "--show-error", "--fail", "--location"];

  let asked: Promise<boolean> | undefined;
  const reachable = () =>
    (asked ??= run("curl", [
      ...[...quiet, "--head", "--output", "/dev/null", "--max-time", String(reachableTimeout)],
      `${host}/releases/sdk/latest-version`,
    ]).then(({ code, stderr }) => code === 0 || /error: 4\d\d/.test(stderr)));

  const fetchPart = async (part: Part): Promise<boolean> => {
    const folder = join(places.cache, "download");
    rmSync(folder, { recursive: true, force: true });
    const content = join(folder, "content");
    // The engine's archive has a folder of its own around the programs, and Pulumi looks for them in bin.
    const target = part.kind === "engine" ? join(content, "bin") : content;
    mkdirSync(target, { recursive: true });
    try {
      const archive = join(folder, "archive.tar.gz");
      const url = archiveUrl(part, platform, host);
      if ((await run("curl", [...quiet, "--output", archive, url], { log })).code !== 0) return false;
      await requireChecksum(part, archive, url);
      const strip = part.kind === "engine" ? ["--strip-components", "1"] : [];
      const unpacked = await run("tar", ["-xzf", archive, "-C", target, "--no-same-owner", ...strip], { log });
      if (unpacked.code !== 0 || !isInstalled({ ...part, folder: content })) return false;
      await installPart(part, [content], { from: "download" });
      return true;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  const requireChecksum = async (part: Part, archive: string, url: string): Promise<void> => {
    const expected = checksumOf(checksums, part, platform);
    const got = existsSync(archive) ? await sha256Of(archive) : "nothing";
    if (got === expected) return;
    throw new UserError(
      `${url} is not the archive that toolchain/checksums.json names, and nothing of it was installed:\n` +
        `  expected ${expected ?? "a pinned checksum"}\n  got      ${got}\n` +
        "Find out why before you change that file: the host, or the network in between, delivers something else.",
    );
  };

  return {
    reachable,
    isPinned: (part) => checksumOf(checksums, part, platform) !== undefined,
    log,
    async get(part) {
      if (!(await reachable())) return false;
      const title = part.kind === "engine" ? `Pulumi ${part.version}` : `plugin ${part.name} ${part.version}`;
      const attempt = async () => {
        if (!(await fetchPart(part))) throw new NotDownloaded();
      };
      return progress.during(`${title}: downloading`, "done", attempt).then(
        () => true,
        (error: unknown) => {
          if (error instanceof NotDownloaded) return false;
          throw error;
        },
      );
    },
  };
}

class NotDownloaded extends Error {}

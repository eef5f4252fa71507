/** Downloads the engine and its plugins from Pulumi's official hosts. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPart, noteOrigin } from "./install.ts";
import { engineFolder, isInstalled, type Part, type ToolchainPaths } from "./parts.ts";
import type { Progress } from "./progress.ts";
import type { Run } from "../../common/process.ts";

const installScript = "https://get.pulumi.com/install.sh";

/** Seconds until the host counts as unreachable; a network that silently drops packets would block much longer. */
const reachableTimeout = 5;

export interface Downloads {
  /** Whether the download host can be reached; checked once. */
  reachable(): Promise<boolean>;
  /** Downloads and installs a part. Returns false when that failed; the reason is in the log. */
  get(part: Part): Promise<boolean>;
  readonly log: string;
}

/** The official downloads, for the parts of one project. */
export function officialDownloads(places: ToolchainPaths, run: Run, progress: Progress): Downloads {
  const script = join(places.cache, "install-pulumi.sh");
  const log = join(places.cache, "logs", "download.log");
  mkdirSync(join(places.cache, "logs"), { recursive: true });

  let asked: Promise<boolean> | undefined;
  const reachable = () =>
    (asked ??= run("curl", [
      ...["--silent", "--show-error", "--fail", "--location", "--max-time", String(reachableTimeout)],
      ...["--output", script, installScript],
    ]).then(({ code }) => code === 0));

  const getEngine = async (part: Part): Promise<boolean> => {
    const root = join(places.cache, "download");
    rmSync(root, { recursive: true, force: true });
    const { code } = await run("sh", [script, "--version", part.version, "--install-root", root, "--no-edit-path"], {
      log,
    });
    if (code !== 0 || !isInstalled({ ...part, folder: root })) return false;
    await installPart(part, [root], { from: "download" });
    rmSync(root, { recursive: true, force: true });
    return true;
  };
  const getPlugin = async (part: Part): Promise<boolean> => {
    // Pulumi installs a plugin atomically as well: an incomplete download is never used.
    const environment = { PULUMI_HOME: places.pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "true" };
    const { code } = await run(
      join(engineFolder(places), "pulumi"),
      ["plugin", "install", "resource", part.name, part.version],
      { environment, log },
    );
    if (code !== 0 || !isInstalled(part)) return false;
    noteOrigin(part.folder, { from: "download" });
    return true;
  };

  return {
    reachable,
    log,
    async get(part) {
      if (!(await reachable())) return false;
      const title = part.kind === "engine" ? `Pulumi ${part.version}` : `plugin ${part.name} ${part.version}`;
      const attempt = async () => {
        if (!(await (part.kind === "engine" ? getEngine(part) : getPlugin(part)))) throw new Error("not downloaded");
      };
      return progress.during(`${title}: downloading`, "done", attempt).then(
        () => true,
        () => false,
      );
    },
  };
}

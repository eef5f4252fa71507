/** Builds the Pulumi engine, language host and plugins from Go modules, into a cache keyed by their sources. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { explainFailure, type Go } from "./go.ts";
import { createFolderAtomically, linkFile } from "./install.ts";
import { engineVersion, type Part, type ToolchainPaths } from "./parts.ts";
import type { Progress } from "./progress.ts";
import type { Run } from "../../common/process.ts";

/** One Go program to build. Its cache entry has one folder per part, laid out as the part will be installed. */
export interface Target {
  /** Its folder below toolchain/go. */
  readonly name: "engine" | "language" | "plugins";
  readonly title: string;
  readonly package: string;
  /** The program's path in the cache entry. */
  readonly program: string;
  /** Linker flags beside those that leave debugging data out. */
  readonly link?: string;
}

/** In build order: the quickest first, so that a missing network shows at once. */
export const targets: readonly Target[] = [
  {
    name: "language",
    title: "Node.js language host",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    program: "engine/bin/pulumi-language-nodejs",
  },
  {
    name: "engine",
    title: "Pulumi engine",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    program: "engine/bin/pulumi",
    // The engine prints and compares its version, which is set by the linker only.
    link: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${engineVersion}`,
  },
  { name: "plugins", title: "resource plugins", package: ".", program: "plugins" },
];

/** The targets that together make up a part. */
export const targetsOf = (part: Part): readonly Target[] =>
  targets.filter(({ name }) => (name === "plugins") === (part.kind === "plugin"));

export interface BuildTools {
  readonly places: ToolchainPaths;
  readonly parts: readonly Part[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly run: Run;
  readonly progress: Progress;
}

export const sourcesOf = (places: ToolchainPaths, target: Target): string =>
  join(places.root, "toolchain", "go", target.name);

/** Hash of everything that a target is built from, except the version of Go. */
export function fingerprint(buildTools: Pick<BuildTools, "places" | "parts">, target: Target): string {
  const hash = createHash("sha256");
  const folder = sourcesOf(buildTools.places, target);
  for (const file of filesBelow(folder)) hash.update(`${relative(folder, file)}\0`).update(readFileSync(file));
  const versions = buildTools.parts
    .filter((part) => part.buildable && targetsOf(part).includes(target))
    .map(({ name, version }) => `${name}@${version}`);
  hash.update(
    JSON.stringify([target.package, target.program, flags(target), versions, process.platform, process.arch]),
  );
  return hash.digest("hex").slice(0, 16);
}

/**
 * Returns the cache entry of a target and builds it first when it is missing.
 *
 * @returns folder of the entry
 * @throws {UserError} when the build fails: the end of its log and, if known, the cause
 */
export async function buildTarget(buildTools: BuildTools, target: Target, go: Go): Promise<string> {
  const { places, progress } = buildTools;
  const entry = join(places.cache, `${target.name}-${fingerprint(buildTools, target)}-${go.version}-${go.platform}`);
  if (existsSync(entry)) return entry;
  await progress.during(`${target.title}: building from source`, "built", () =>
    createFolderAtomically(entry, async (folder) => {
      await compile(buildTools, target, join(folder, target.program));
      if (target.name === "plugins") await completePlugins(buildTools, folder, join(folder, target.program));
    }),
  );
  return entry;
}

async function compile({ places, env, run }: BuildTools, target: Target, program: string): Promise<void> {
  const log = join(places.cache, "logs", `${target.name}.log`);
  mkdirSync(join(places.cache, "logs"), { recursive: true });
  writeFileSync(log, "");
  // Go's scratch folder lies in the cache, because /tmp may be small.
  const scratch = mkdtempSync(join(places.cache, ".orion-unfinished-"));
  try {
    const { code } = await run("go", ["build", ...flags(target), "-o", program, target.package], {
      cwd: sourcesOf(places, target),
      // Builds for this machine, needs no C compiler, and ignores a go.work file in a folder above the project.
      environment: { ...env, CGO_ENABLED: "0", GOOS: undefined, GOARCH: undefined, GOWORK: "off", GOTMPDIR: scratch },
      log,
    });
    if (code !== 0 || !existsSync(program)) throw explainFailure(target.title, log, readFileSync(log, "utf8"));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Installs the one plugin program under the name of each plugin, with that plugin's schema beside it. */
async function completePlugins({ places, parts, run }: BuildTools, folder: string, program: string): Promise<void> {
  for (const { name, version, programs } of parts.filter(({ kind, buildable }) => kind === "plugin" && buildable)) {
    const plugin = join(folder, name);
    mkdirSync(plugin);
    const { code, stdout, stderr } = await run(program, ["generate", name, version, plugin]);
    if (code !== 0) {
      throw explainFailure(`The schema of plugin ${name}`, join(places.cache, "logs", "plugins.log"), stdout + stderr);
    }
    for (const file of programs) linkFile(program, join(plugin, file));
  }
  rmSync(program);
}

const flags = ({ link = "" }: Target): string[] => [
  // Exactly the versions of go.mod and go.sum; no paths of this machine and no version control data in the program.
  ...["-mod=readonly", "-trimpath", "-buildvcs=false"],
  ...["-ldflags", `-s -w ${link}`.trim()],
];

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Command line of the toolchain: `ensure [engine|docker|all]`, `checksums` and `status`. */
import { resolve } from "node:path";
import { UserError } from "../../common/user-error.ts";
import { dockerVersion, ensureDocker } from "./docker.ts";
import { describeOrigin, ensureEngine } from "./engine.ts";
import { pinChecksums } from "./pin.ts";
import { partsOf, type ToolchainPaths, toolchainPaths } from "./parts.ts";

const usage = `Usage: node toolchain/src/cli.ts COMMAND

    ensure [engine|docker|all]   install what is missing: the Pulumi engine with its plugins, a Docker Engine, or both
    checksums                    write toolchain/checksums.json for the versions in use
    status                       show which parts are installed, at which version, and where they came from`;

async function main(root: string, [command, what = "all", ...rest]: readonly string[]): Promise<number> {
  const places = toolchainPaths(root, process.env);
  if (command === "status") {
    await status(places);
    return 0;
  }
  if (command === "checksums") {
    for (const line of await pinChecksums(places, new Date())) process.stdout.write(`${line}\n`);
    return 0;
  }
  if (command !== "ensure" || !["engine", "docker", "all"].includes(what) || rest.length > 0) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  if (what !== "docker") await ensureEngine(places);
  if (what !== "engine") await ensureDocker();
  return 0;
}

async function status(places: ToolchainPaths): Promise<void> {
  const parts = partsOf(places);
  const docker = await dockerVersion();
  const rows = [
    ...parts.map((part) => {
      const otherwise = part.buildable
        ? "missing: run make setup"
        : "missing: available as a download only, and its host could not be reached; the engine tries again when a stack needs it";
      return [
        part.kind === "engine" ? "Pulumi" : `plugin ${part.name}`,
        part.version,
        describeOrigin(part, { places, parts }) ?? otherwise,
      ];
    }),
    [
      "Docker Engine",
      docker ?? "-",
      docker === undefined ? "does not answer: make docker starts or installs it" : "running",
    ],
    ["Node.js", process.versions.node, process.execPath],
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const [name = "", version = "", state = ""] of rows) {
    process.stdout.write(`${name.padEnd(widths[0] ?? 0)}  ${version.padEnd(widths[1] ?? 0)}  ${state}\n`);
  }
}

try {
  process.exitCode = await main(resolve(import.meta.dirname, "..", ".."), process.argv.slice(2));
} catch (error) {
  const text = error instanceof UserError ? error.message : String(error instanceof Error ? error.stack : error);
  process.stderr.write(`error: ${text}\n`);
  process.exitCode = 1;
}

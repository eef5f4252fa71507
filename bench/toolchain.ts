/**
 * Benchmark of the toolchain: builds engine and plugins with empty caches, written to bench/toolchain.md.
 * It needs Go, the package registries and about 10 GB in the temporary folder; the machine's own engine is not touched.
 */
import { spawnSync } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { partsOf, toolchainPaths } from "../toolchain/src/parts.ts";
import { markdownTable } from "./table.ts";
import { temporaryFolder } from "../testing/folder.ts";

const project = join(import.meta.dirname, "..");
const home = temporaryFolder("toolchain");
const env = {
  ...process.env,
  PULUMI_HOME: join(home, "pulumi"),
  XDG_CACHE_HOME: join(home, "cache"),
  GOCACHE: join(home, "go-build"),
  GOMODCACHE: join(home, "go-modules"),
};

function ensure(): { seconds: number; log: string } {
  const start = performance.now();
  const { status, stderr } = spawnSync("node", ["toolchain/src/cli.ts", "ensure", "engine"], {
    cwd: project,
    env,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return { seconds: (performance.now() - start) / 1000, log: stderr };
}

try {
  const cold = ensure();
  const steps = [...cold.log.matchAll(/^ {2}(.+?): (?:building from source: )?(\w+) in (\d+) s$/gm)];
  const warm = ensure();
  const places = toolchainPaths(project, env);
  const megabytes = partsOf(places).flatMap(({ name, folder, programs, buildable }) =>
    buildable
      ? programs.map((program) => [`${name}: ${program}`, Math.round(statSync(join(folder, program)).size / 1e6)])
      : [],
  );
  const text = `# The toolchain: times and sizes

Measured by \`node bench/toolchain.ts\` on ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${new Date().toISOString().slice(0, 10)}; one run, empty caches, the
machine shared. It must stay under 900 s.

${markdownTable(
  ["", "seconds"],
  [
    ["engine and plugins, from nothing", cold.seconds.toFixed(0)],
    ...steps.map(([, title = "", done = "", seconds = ""]) => [`of these: ${title} ${done}`, seconds]),
    ["everything installed already", warm.seconds.toFixed(1)],
  ],
)}

The four plugins are hard links to one program; the table shows its full size for each.

${markdownTable(["Program", "MB"], megabytes)}
`;
  writeFileSync(join(project, "bench", "toolchain.md"), text);
  process.stdout.write(text);
} finally {
  // Go makes its module cache read-only; the folder is removed when this process ends.
  spawnSync("chmod", ["-R", "u+w", home]);
}

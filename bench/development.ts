/**
 * How long the everyday commands of the development stack take: medians of one run, written to bench/development.md.
 * It needs the toolchain and the images to be there (make images); it uses a stack and ports of its own.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { freePorts, type Ran, Sandbox } from "../tests/e2e/support/sandbox.ts";

interface Row {
  readonly what: string;
  /** The figure that must hold, in seconds. */
  readonly limit: number;
  readonly seconds: readonly number[];
}

const project = join(import.meta.dirname, "..");
const sandbox = new Sandbox(project, "bench", await freePorts());

function timed(run: () => Ran): number {
  const start = performance.now();
  const { code, output } = run();
  if (code !== 0) throw new Error(`the command failed:\n${output}`);
  return (performance.now() - start) / 1000;
}

const repeat = (times: number, run: () => number): number[] => Array.from({ length: times }, run);
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

function measure(): Row[] {
  const fromNothing = repeat(3, () => {
    sandbox.make("down", { DATA: "delete" });
    return timed(() => sandbox.make("up"));
  });
  return [
    { what: "`make up` from nothing, toolchain and images there", limit: 60, seconds: fromNothing },
    { what: "`make up`, nothing to change", limit: 10, seconds: repeat(5, () => timed(() => sandbox.make("up"))) },
    { what: "`npx pulumi preview`", limit: 5, seconds: repeat(5, () => timed(() => sandbox.pulumi("preview"))) },
    { what: "`make doctor`", limit: 10, seconds: repeat(3, () => timed(() => sandbox.make("doctor"))) },
    {
      what: "`make test-unit`",
      limit: 30,
      seconds: repeat(3, () => timed(() => sandbox.run("make", ["-C", project, "test-unit"]))),
    },
  ];
}

function memoryOf(stack: string): string {
  const { stdout } = spawnSync("docker", ["stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}"], {
    encoding: "utf8",
  });
  return stdout
    .split("\n")
    .filter((line) => line.startsWith(`orion-${stack}-`))
    .sort()
    .map((line) => line.split("\t"))
    .map(([name = "", used = ""]) => `| ${name.replace(`orion-${stack}-`, "")} | ${used.split(" / ")[0] ?? ""} |`)
    .join("\n");
}

try {
  const rows = measure();
  const lines = rows.map(
    ({ what, limit, seconds }) =>
      `| ${what} | ${median(seconds).toFixed(1)} | ${Math.min(...seconds).toFixed(1)}–${Math.max(...seconds).toFixed(1)} | ${seconds.length} | ${limit} |`,
  );
  const text = `# The development stack: times and memory

Measured by \`make bench\` on ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.version}, ${new Date().toISOString().slice(0, 10)}.
Seconds; the machine is shared and noisy.

| Command | median | range | runs | limit |
|---|---|---|---|---|
${lines.join("\n")}

Memory of each container, at rest after the run:

| Container | memory |
|---|---|
${memoryOf("bench")}
`;
  writeFileSync(join(import.meta.dirname, "development.md"), text);
  process.stdout.write(text);
} finally {
  sandbox.make("down", { DATA: "delete" });
  sandbox.dispose();
}

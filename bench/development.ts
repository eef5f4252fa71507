/**
 * Benchmark of the everyday commands of the development stack: medians of one run, written to bench/development.md.
 * It needs the toolchain and the images (make images); it uses its own stack and ports.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts, type Ran, Sandbox } from "../testing/sandbox.ts";
import { machine, markdownTable, type Row, tableOf } from "./table.ts";

const project = join(import.meta.dirname, "..");
const sandbox = new Sandbox(project, "bench", await freePorts());

function timed(run: () => Ran): number {
  const start = performance.now();
  const { code, output } = run();
  if (code !== 0) throw new Error(`the command failed:\n${output}`);
  return (performance.now() - start) / 1000;
}

const repeat = (times: number, run: () => number): number[] => Array.from({ length: times }, run);

function measure(): Row[] {
  // Measured first, before containers run whose health checks use the processor.
  const tests = repeat(3, () => timed(() => sandbox.run("make", ["-C", project, "test-unit"])));
  const fromNothing = repeat(3, () => {
    sandbox.make("down", { DATA: "delete" });
    return timed(() => sandbox.make("up"));
  });
  return [
    { what: "`make up` from nothing, toolchain and images present", limit: 60, values: fromNothing },
    { what: "`make up`, no changes", limit: 10, values: repeat(5, () => timed(() => sandbox.make("up"))) },
    { what: "`npx pulumi preview`", limit: 5, values: repeat(5, () => timed(() => sandbox.pulumi("preview"))) },
    { what: "`make doctor`", limit: 10, values: repeat(3, () => timed(() => sandbox.make("doctor"))) },
    { what: "`make test-unit`, nothing else running", limit: 30, values: tests },
  ];
}

function memoryOf(stack: string): string {
  const { stdout } = spawnSync("docker", ["stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}"], {
    encoding: "utf8",
  });
  const rows = stdout
    .split("\n")
    .filter((line) => line.startsWith(`orion-${stack}-`))
    .sort()
    .map((line) => line.split("\t"))
    .map(([name = "", used = ""]) => [name.replace(`orion-${stack}-`, ""), used.split(" / ")[0] ?? ""]);
  return markdownTable(["Container", "memory"], rows);
}

try {
  const text = `# The development stack: times and memory

Measured by \`make bench\` on ${machine()}.
Seconds; the machine is shared and noisy.

${tableOf("Command", measure(), 1)}

Memory of each container, at rest after the run:

${memoryOf(sandbox.stack)}
`;
  writeFileSync(join(import.meta.dirname, "development.md"), text);
  process.stdout.write(text);
} finally {
  sandbox.make("down", { DATA: "delete" });
  sandbox.dispose();
}

/** After a failed update: prints each unhealthy container with the end of its log. */
import { type Engine, enginesIn } from "./engines.ts";
import { readState } from "./state.ts";
import { bold } from "./terminal.ts";

const shownLines = 15;

/** Prints the status and the end of the log of each unhealthy container of the stack. */
export function reportUnhealthy(root: string, stack: string, say: (line: string) => void): void {
  const { resources } = readState(root, stack)?.deployment ?? { resources: [] };
  for (const { engine } of enginesIn(resources)) {
    for (const [name, status] of unhealthy(engine, stack)) {
      const { stdout, stderr } = engine.capture("container", "logs", "--tail", String(shownLines), name);
      const lines = (stdout + stderr).trimEnd().split("\n").slice(-shownLines);
      say(`\n${bold(name)} is not healthy (${status}). The version before keeps running. The end of its log:`);
      for (const line of lines) say(`    ${line}`);
    }
  }
}

/** Names and statuses of unhealthy containers, including those that are still starting. */
function unhealthy(engine: Engine, stack: string): [name: string, status: string][] {
  return engine
    .serviceContainers(stack, "{{.Names}}\t{{.Status}}")
    .stdout.split("\n")
    .map((line) => line.split("\t"))
    .flatMap(([name = "", status = ""]) => (name === "" || status.includes("(healthy)") ? [] : [[name, status]]));
}

/** After an update that failed: the containers that are not well, with the end of what each printed. */
import { type Engine, enginesIn } from "./engines.ts";
import { readState } from "./state.ts";
import { bold } from "./terminal.ts";

const shownLines = 15;

/** Says of each container of the stack that is not well how it is and what it printed last. */
export function sayUnhealthy(root: string, stack: string, say: (line: string) => void): void {
  const { resources } = readState(root, stack)?.deployment ?? { resources: [] };
  for (const { engine } of enginesIn(resources)) {
    for (const [name, status] of unhealthy(engine, stack)) {
      const { stdout, stderr } = engine.capture("container", "logs", "--tail", String(shownLines), name);
      const lines = (stdout + stderr).trimEnd().split("\n").slice(-shownLines);
      say(`\n${bold(name)} is not well (${status}). What ran before goes on running. The end of its log:`);
      for (const line of lines) say(`    ${line}`);
    }
  }
}

/** Names of containers with how they are; those that only start are among them, since the update did not wait for them. */
function unhealthy(engine: Engine, stack: string): [name: string, status: string][] {
  return engine
    .serviceContainers(stack, "{{.Names}}\t{{.Status}}")
    .stdout.split("\n")
    .map((line) => line.split("\t"))
    .flatMap(([name = "", status = ""]) => (name === "" || status.includes("(healthy)") ? [] : [[name, status]]));
}

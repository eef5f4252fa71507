/** After a failed update: prints each unhealthy container with what its health check got, and the end of its log. */
import { imageRoles } from "../common/app-contract.ts";
import { type Engine, enginesIn } from "./engines.ts";
import { readState } from "./state.ts";
import { bold } from "./terminal.ts";
import { describeUnhealthy, shownLines } from "../common/unhealthy.ts";

/**
 * Prints the status, the health check's last answer and the end of the log of each unhealthy container of the stack. Of the platform's own
 * image the update itself has said it (plugin/container-ready.ts).
 */
export function reportUnhealthy(root: string, stack: string, say: (line: string) => void): void {
  const { resources } = readState(root, stack)?.deployment ?? { resources: [] };
  for (const { engine } of enginesIn(resources)) {
    for (const line of unhealthyOn(engine, stack)) say(line);
  }
}

/** A container of a service, as Docker lists it. */
interface Container {
  readonly name: string;
  readonly status: string;
  /** Logical name of its service: an old and a new container of it may run side by side. */
  readonly service: string;
  /** The kind of its service. */
  readonly role: string;
}

const saidByUpdate: readonly string[] = imageRoles;

/** The report about the unhealthy containers of a Docker Engine. */
export function unhealthyOn(engine: Pick<Engine, "capture" | "serviceContainers">, stack: string): string[] {
  const containers = engine
    .serviceContainers(stack, '{{.Names}}\t{{.Status}}\t{{.Label "service"}}\t{{.Label "role"}}')
    .stdout.split("\n")
    .map((line) => line.split("\t"))
    .flatMap(([name = "", status = "", service = "", role = ""]): Container[] =>
      name === "" ? [] : [{ name, status, service, role }],
    );
  const isHealthy = ({ status }: Container) => status.includes("(healthy)");
  return containers
    .filter((one) => !isHealthy(one) && !saidByUpdate.includes(one.role))
    .flatMap(({ name, status, service }) => {
      const before = containers.find((other) => other.service === service && isHealthy(other));
      const { stdout, stderr } = engine.capture("container", "logs", "--tail", String(shownLines), name);
      const happens = `is not healthy (${status})`;
      return describeUnhealthy({
        ...{ name: `\n${bold(name)}`, happens, before, answer: answerOf(engine, name), log: stdout + stderr },
      });
    });
}

/** What the container's last health check has printed, such as the status of an HTTP answer. */
function answerOf(engine: Pick<Engine, "capture">, name: string): string {
  const format = "{{with .State.Health}}{{range .Log}}{{json .Output}}{{println}}{{end}}{{end}}";
  const answers = engine.capture("container", "inspect", "--format", format, name).stdout.trim().split("\n");
  const last: unknown = JSON.parse(answers.at(-1) || '""');
  return typeof last === "string" ? last : "";
}

/** Finds queues that no worker takes tasks from after a move. Pure. */
import type { Finding } from "./findings.ts";
import type { Graph } from "./graph.ts";
import { hasServersIn, roleOf, types } from "./stateful.ts";

const option = "--queues=";

/** The queues that the workers of a graph take tasks from. */
function queuesOf({ resources }: Graph): Set<string> {
  const workers = resources.filter((one) => one.type === types.container && roleOf(one) === "worker");
  return new Set(
    workers.flatMap(({ inputs: { command } }) =>
      (Array.isArray(command) ? command : [])
        .filter((word) => typeof word === "string" && word.startsWith(option))
        .flatMap((word: string) => word.slice(option.length).split(",")),
    ),
  );
}

/** Says which queues lose their last worker. With servers, the loss of all workers is a finding of its own. */
export function lostQueues(before: Graph, after: Graph): Finding[] {
  const served = queuesOf(after);
  if (served.size === 0 && hasServersIn(before)) return [];
  return [...queuesOf(before)]
    .filter((queue) => !served.has(queue))
    .map((queue) => ({
      severity: "danger",
      name: `queue ${queue}`,
      happens: "would have no worker: tasks that wait in it, and those that the app still sends to it, are not run",
      instead:
        "first send no more tasks to it, wait until make doctor says of its worker that no task waits and none is held, then take it out of orion:workers.queues",
    }));
}

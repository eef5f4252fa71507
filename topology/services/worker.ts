/** Celery workers: on each server that runs workers, one for each dedicated queue and one for all other queues. */
import type { Settings } from "../../config/schema.ts";
import { isLocal, placesFor, serviceAt } from "../planning.ts";
import type { BaseService, Definition, ServiceKind } from "../service.ts";
import { imageConfinement } from "./image.ts";

/** The kinds of services that are processes of Celery. */
export const celeryKinds = ["worker", "beat", "flower"] as const satisfies readonly ServiceKind[];

export type CeleryKind = (typeof celeryKinds)[number];

/** A process of Celery: a worker, Beat or Flower. */
export interface CeleryService<Kind extends string> extends BaseService<Kind> {
  /** The beginning of its command line: `celery -A app.celery worker`. */
  readonly command: readonly string[];
}

const celeryOf = ({ workers }: Settings): readonly string[] => ["celery", "-A", workers.celery];

/** The beginning of a process' command line; without words, the stack has no such process. */
export function celeryCommand(settings: Settings, process: CeleryKind): readonly string[] {
  const { enabled, commands } = settings.workers;
  return enabled ? (commands[process] ?? [...celeryOf(settings), process]) : [];
}

export interface WorkerService extends CeleryService<"worker"> {
  /** The queues that it takes tasks from; at least one. */
  readonly queues: readonly string[];
  /** How many tasks it runs at once. */
  readonly concurrency: number;
  /** The beginning of commands that ask workers: `celery -A app.celery`. */
  readonly celery: readonly string[];
}

/** What comes before workers or their broker are given up. */
export const drainFirst =
  "send no more tasks, wait until make doctor says of every worker that no task waits and none is held";

export const worker: Definition<WorkerService> = {
  images: () => ["app"],
  ports: {},
  callers: [],
  movesTo: ["worker"],
  keeps: "nothing",
  runs: "always",
  lossEffect: {
    effect: "no task would be run",
    weight: "choice",
    keep: "leave orion:workers.enabled true",
    giveUp: drainFirst,
  },
  memorySettings: ({ workers }) => [`orion:workers.memoryMb (${workers.memoryMb})`],
  // Less than the services that visitors wait for.
  cpuShares: 256,
  confinement: imageConfinement,
  commands: ({ celery }) => ({
    "active tasks": `${celery.join(" ")} inspect active`,
    "reserved tasks": `${celery.join(" ")} inspect reserved`,
  }),
  probe: () => ({ kind: "worker" }),
  plan(planning) {
    const { settings } = planning;
    const command = celeryCommand(settings, "worker");
    if (command.length === 0 || (isLocal(planning) && !settings.services.includes("workers"))) return [];
    const { memoryMb } = settings.workers;
    return placesFor(planning, "worker").flatMap((at) =>
      groupsOf(settings).map(({ part, queues: taken, concurrency }) => ({
        ...serviceAt(planning, { kind: "worker", at, memoryMb, ...(part !== undefined && { part }) }),
        ...{ command, celery: celeryOf(settings), queues: taken, concurrency },
      })),
    );
  },
};

/** Tasks at a time of a queue that `orion:workers.concurrency` does not name. */
const usualConcurrency = 2;

interface Group {
  readonly part?: string;
  readonly queues: readonly string[];
  readonly concurrency: number;
}

/** A group for each dedicated queue, and one for all others. */
function groupsOf({ workers: { queues, concurrency, dedicated } }: Settings): Group[] {
  // A queue may have the name of something that every object has, such as `constructor`.
  const tasksOf = (queue: string) =>
    (Object.hasOwn(concurrency, queue) ? concurrency[queue] : undefined) ?? usualConcurrency;
  const isDedicated = (queue: string) => (Array.isArray(dedicated) ? dedicated.includes(queue) : dedicated);
  const shared = queues.filter((queue) => !isDedicated(queue));
  const sum = shared.reduce((total, queue) => total + tasksOf(queue), 0);
  return [
    ...queues.filter(isDedicated).map((queue) => ({ part: queue, queues: [queue], concurrency: tasksOf(queue) })),
    ...(shared.length > 0 ? [{ queues: shared, concurrency: sum }] : []),
  ];
}

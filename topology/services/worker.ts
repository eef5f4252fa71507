/** Celery workers: on each server that runs workers, one for each dedicated queue and one for all other queues. */
import { type Queue, queues, type Settings } from "../../config/schema.ts";
import { isLocal, placesFor, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { imageConfinement } from "./image.ts";

/** Celery's command line for the platform's application. */
export const celery = "celery -A app.celery";

export interface WorkerService extends BaseService<"worker"> {
  /** The queues that it takes tasks from; at least one. */
  readonly queues: readonly Queue[];
  /** How many tasks it runs at once. */
  readonly concurrency: number;
}

export const worker: Definition<WorkerService> = {
  images: () => ["app"],
  ports: {},
  callers: [],
  keeps: "nothing",
  runs: "always",
  // Less than the services that visitors wait for.
  cpuShares: 256,
  confinement: imageConfinement,
  commands: { "active tasks": `${celery} inspect active`, "reserved tasks": `${celery} inspect reserved` },
  probe: { kind: "worker" },
  plan(planning) {
    const { settings } = planning;
    if (isLocal(planning) && !settings.services.includes("workers")) return [];
    const { memoryMb } = settings.workers;
    return placesFor(planning, "worker").flatMap((at) =>
      groupsOf(settings).map(({ part, queues: taken, concurrency }) => ({
        ...serviceAt(planning, { kind: "worker", at, memoryMb, ...(part !== undefined && { part }) }),
        ...{ queues: taken, concurrency },
      })),
    );
  },
};

interface Group {
  readonly part?: string;
  readonly queues: readonly Queue[];
  readonly concurrency: number;
}

/** A group for each dedicated queue, and one for all others. */
function groupsOf({ workers: { concurrency, dedicated } }: Settings): Group[] {
  const isDedicated = (queue: Queue) => (Array.isArray(dedicated) ? dedicated.includes(queue) : dedicated);
  const shared = queues.filter((queue) => !isDedicated(queue));
  const sum = shared.reduce((total, queue) => total + concurrency[queue], 0);
  return [
    ...queues.filter(isDedicated).map((queue) => ({ part: queue, queues: [queue], concurrency: concurrency[queue] })),
    ...(shared.length > 0 ? [{ queues: shared, concurrency: sum }] : []),
  ];
}

/** Checks the queues of the workers against each other. Pure. */
import { line } from "../line.ts";
import { presets } from "../presets.ts";
import type { Settings } from "../schema.ts";

/** @returns the problems, one line each */
export function checkQueues({ phase, workers: { enabled, queues, dedicated, concurrency } }: Settings): string[] {
  if (!enabled) return [];
  const known = queues.join(", ");
  const usual = presets[phase].workers.concurrency;
  const unknown = Object.keys(concurrency).filter((queue) => !queues.includes(queue) && !Object.hasOwn(usual, queue));
  return [
    ...(new Set(queues).size < queues.length ? [line("workers.queues", queues, "each queue once")] : []),
    ...(Array.isArray(dedicated) ? dedicated : [])
      .filter((queue) => !queues.includes(queue))
      .map((queue) => line("workers.dedicated", queue, `queues of orion:workers.queues: ${known}`)),
    ...unknown.map((queue) =>
      line(`workers.concurrency.${queue}`, concurrency[queue], `queues of orion:workers.queues: ${known}`),
    ),
  ];
}

/**
 * Refuses that clients are given another database than the one with their data: between own and external only `make
 * move-database` moves them, which lets the stack agree to that direction. The same for a broker with tasks, which nothing
 * moves: it is drained. Pure.
 */
import type { Settings } from "../config/schema.ts";
import { drainFirst } from "../topology/services/worker.ts";
import { type Finding, refused } from "./findings.ts";
import type { Graph } from "./graph.ts";
import { roleOf, types } from "./stateful.ts";

/** What a stack agrees to whose data was moved. */
export const agreementTo = (mode: Settings["database"]["mode"]): string => `database.mode.${mode}`;

export function movedWithoutData({ databaseMode: was }: Graph, { databaseMode: is }: Graph): Finding[] {
  if (was === undefined || is === undefined || was === is) return [];
  const to = is === "external" ? "external" : "own";
  return [
    refused(
      agreementTo(is),
      to === "own"
        ? "would give all clients a database of the stack's own, and data that was not moved to it stays in the external one"
        : "would give all clients the external database, and data that was not moved to it stays in the stack's own",
      `set orion:database.mode back to ${was}, and: make move-database TO=${to} (docs/external.md)`,
    ),
  ];
}

/** Refuses another broker while workers have one: tasks that wait in the former broker would never run. */
export function movedWithoutTasks({ resources, cacheMode: was }: Graph, { cacheMode: is }: Graph): Finding[] {
  const hasWorkers = resources.some((one) => one.type === types.container && roleOf(one) === "worker");
  if (!hasWorkers || was === undefined || is === undefined || was === is) return [];
  const name = `cache.mode.${is}`;
  return [
    refused(
      name,
      "would give Celery another broker: waiting, scheduled and running tasks stay in the former broker, which no worker reads; sessions and cached values begin empty",
      `${drainFirst}, and list ${name} in orion:agreed (docs/external.md)`,
    ),
  ];
}

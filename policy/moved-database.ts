/**
 * Refuses that clients are given another database than the one with their data: between own and external only `make
 * move-database` moves them, which lets the stack agree to that direction. The same for a broker with tasks, which nothing
 * moves: it is drained. Pure.
 */
import type { Settings } from "../config/schema.ts";
import { drainFirst } from "../topology/services/worker.ts";
import { asAgreed, type Finding, refused } from "./findings.ts";
import type { Graph } from "./graph.ts";
import { roleOf, types } from "./stateful.ts";

type Mode = Settings["database"]["mode"];

/** What a stack agrees to whose data was moved. */
export const agreementTo = (mode: Mode): string => `database.mode.${mode}`;

/**
 * The database that the clients of an existing stack use; undefined for a stack without clients.
 *
 * @param said the stack's output, which only stacks with an external database have
 */
export function modeOf({ resources }: Graph, said: unknown): Mode | undefined {
  if (said === "external") return "external";
  const roles = new Set(resources.filter(({ type }) => type === types.container).map(roleOf));
  if (roles.has("database") || roles.has("replica")) return "provision";
  return roles.has("app") || roles.has("worker") ? "external" : undefined;
}

export function movedWithoutData(
  was: Mode | undefined,
  { database, agreed }: Pick<Settings, "database" | "agreed">,
): Finding[] {
  const { mode } = database;
  if (was === undefined || was === mode) return [];
  const to = mode === "external" ? "external" : "own";
  return asAgreed(
    [
      refused(
        agreementTo(mode),
        `would give all clients ${to === "own" ? "a database of the stack's own" : "the external database"}, and their data stays in ${to === "own" ? "the external one" : "the stack's own"}`,
        `set orion:database.mode back to ${was}, and: make move-database TO=${to} (docs/external.md)`,
      ),
    ],
    agreed,
  );
}

/** Refuses another broker while workers have one: tasks that wait in the former broker would never run. */
export function movedWithoutTasks(
  { resources }: Graph,
  { cache, agreed }: Pick<Settings, "cache" | "agreed">,
): Finding[] {
  const hasWorkers = resources.some((one) => one.type === types.container && roleOf(one) === "worker");
  // Its password, and not its container: that is gone with a lost server whose replica is promoted.
  const hasOwn = resources.some(({ type, name }) => type === types.password && name === "cache-password");
  const was: Mode = hasOwn ? "provision" : "external";
  if (!hasWorkers || was === cache.mode) return [];
  const name = `cache.mode.${cache.mode}`;
  return asAgreed(
    [
      refused(
        name,
        "would give Celery another broker: tasks that wait, are scheduled or run stay in the one before, and nobody runs them; sessions and cached values begin empty",
        `${drainFirst}, and list ${name} in orion:agreed (docs/external.md)`,
      ),
    ],
    agreed,
  );
}

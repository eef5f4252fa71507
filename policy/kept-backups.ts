/** Says which backups the next run deletes when fewer are to be kept than before. Pure. */
import { danger, type Finding } from "./findings.ts";
import type { Graph, KeptBackups } from "./graph.ts";

/** The settings that say how many backups are kept, in the order of docs/backups.md, with the unit of each. */
const rules = {
  daily: "the newest, one a night",
  weekly: "one a week",
  monthly: "one a month",
  lockDays: "days for which all are kept",
  pointInTimeDays: "days to any second of which the database can be restored",
} as const satisfies Readonly<Record<keyof KeptBackups, string>>;

const ruleKeys = ["daily", "weekly", "monthly", "lockDays", "pointInTimeDays"] as const satisfies (keyof KeptBackups)[];

/** One finding for all of them: the same run deletes what none of the rules keeps. */
export function lostBackups({ keptBackups: was }: Graph, { keptBackups: is }: Graph): Finding[] {
  if (was === undefined || is === undefined) return [];
  const less = ruleKeys.flatMap((key) => {
    const [before, after] = [was[key], is[key]];
    return before !== undefined && after !== undefined && after < before ? [{ key, before, after }] : [];
  });
  if (less.length === 0) return [];
  const changes = less.map(
    ({ key, before, after }) => `orion:backups.${key} falls from ${before} to ${after} (${rules[key]})`,
  );
  const happens = `would be deleted by the next backup as far as no rule keeps them any more, and cannot be had back: ${changes.join(", ")}`;
  const instead = `leave ${less.map(({ key, before }) => `orion:backups.${key} at ${before}`).join(", ")}; what is to stay longer, copy first (docs/backups.md)`;
  return [danger("backups", happens, instead)];
}

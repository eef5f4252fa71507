/** Previews what the next update would create: after a failed update some of it may exist already. */
import { z } from "zod";
import { runSync } from "../../common/process.ts";
import { unknownValue } from "../../common/secrets.ts";
import { type Resource, resourceSchema } from "../state.ts";

const historySchema = z.array(z.object({ kind: z.string(), result: z.string() }));
const previewSchema = z.object({
  steps: z.array(z.object({ op: z.string(), newState: resourceSchema.optional() })).default([]),
});

export function lastUpdateFailed(root: string, stack: string): boolean {
  const args = ["stack", "history", "--json", "--page-size", "1", "--stack", stack, "--cwd", root];
  const { code, stdout } = runSync("pulumi", args);
  const [last] = code === 0 ? (historySchema.safeParse(JSON.parse(stdout || "[]")).data ?? []) : [];
  return last?.kind === "update" && last.result !== "succeeded";
}

/** A preview looks things up at the APIs, and an API that failed a moment ago may refuse it once more. */
const previewTries = 3;

/**
 * The resources that the next update would create and whose inputs are all known: one that depends on a missing resource cannot
 * exist either. Empty when every preview fails; the update itself then shows why.
 */
export function plannedCreates(root: string, stack: string): Resource[] {
  for (let round = 0; round < previewTries; round += 1) {
    const { code, stdout } = runSync("pulumi", ["preview", "--json", "--stack", stack, "--cwd", root]);
    if (code === 0) return createsIn(stdout);
  }
  return [];
}

function createsIn(preview: string): Resource[] {
  const { steps } = previewSchema.parse(JSON.parse(preview));
  return steps.flatMap(({ op, newState }) =>
    op === "create" && newState && !JSON.stringify(newState).includes(unknownValue) ? [newState] : [],
  );
}

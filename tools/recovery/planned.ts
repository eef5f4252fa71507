/** What the next update would make, by the program itself: where the last one failed, some of it may be there already. */
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

/**
 * The resources that the next update would create, as far as everything is known of them: what depends on something that
 * is not there cannot be there either. None when the program cannot say; the update itself then shows why.
 */
export function plannedCreates(root: string, stack: string): Resource[] {
  const { code, stdout } = runSync("pulumi", ["preview", "--json", "--stack", stack, "--cwd", root]);
  if (code !== 0) return [];
  const { steps } = previewSchema.parse(JSON.parse(stdout));
  return steps.flatMap(({ op, newState }) =>
    op === "create" && newState && !JSON.stringify(newState).includes(unknownValue) ? [newState] : [],
  );
}

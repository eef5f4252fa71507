/** `make state-preview`: what an update would do to the real stack, as the engine says, for the report of a pull request and for who approves. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import { stackExists } from "../../guard/backend.ts";
import { type EngineChange, enginePreview } from "../engine-preview.ts";
import type { StackFile } from "../stack-file.ts";
import { say } from "../terminal.ts";
import { stateSections } from "./state-markdown.ts";

const text = z.string().max(100_000);
const changeSchema = z.object({
  action: z.enum(["create", "update", "replace", "delete"]),
  ...{ type: text, name: text, group: text, inputs: z.array(text), holds: text.optional() },
});
/** The shape is checked: a job of the pull request wrote it. */
export const statePreviewSchema = z.discriminatedUnion("kind", [
  z.object({
    version: z.literal(1),
    kind: z.literal("changes"),
    stack: text,
    changes: z.array(changeSchema).max(20_000),
  }),
  z.object({ version: z.literal(1), kind: z.literal("new"), stack: text }),
  z.object({ version: z.literal(1), kind: z.literal("refused"), stack: text, error: text }),
]);

/** What the next update would do to a stack: `new` where its state does not exist, `refused` where the guard or the engine said no. */
export type StatePreview = z.infer<typeof statePreviewSchema>;

const fileOf = (stack: string): string => `state-${stack}.json`;

/**
 * Previews the stack against its real state. Nothing is written there, and no lock is taken.
 *
 * @param out folder for the result. @default - it is only printed
 * @returns 1 when the update would be refused
 */
export function statePreview(root: string, { stack }: StackFile, out: string | undefined): number {
  const preview = previewOf(root, stack);
  const report = stateSections([preview]).join("\n");
  say(report);
  if (out !== undefined) {
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, fileOf(stack)), `${JSON.stringify(preview, undefined, 2)}\n`);
  }
  const { GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: output } = process.env;
  if (summary !== undefined) appendFileSync(summary, report);
  // For the job that deploys: an update that changes nothing needs no approval.
  if (output !== undefined) appendFileSync(output, `changes=${hasChanges(preview) ? "yes" : "no"}\n`);
  return preview.kind === "refused" ? 1 : 0;
}

const hasChanges = (preview: StatePreview): boolean => preview.kind !== "changes" || preview.changes.length > 0;

function previewOf(root: string, stack: string): StatePreview {
  if (!stackExists(root, stack)) return { version: 1, kind: "new", stack };
  try {
    const changes: EngineChange[] = enginePreview(root, stack, { refresh: false });
    return { version: 1, kind: "changes", stack, changes: changes.map((one) => ({ ...one, inputs: [...one.inputs] })) };
  } catch (error) {
    if (error instanceof UserError) return { version: 1, kind: "refused", stack, error: error.message };
    throw error;
  }
}

/**
 * The previews that jobs have left in a folder, in the order of the stacks' names.
 *
 * @throws {UserError} when a file is none
 */
export function readStatePreviews(folder: string): StatePreview[] {
  return readdirSync(folder)
    .filter((name) => /^state-.+\.json$/.test(name))
    .sort()
    .map((name) => {
      try {
        return statePreviewSchema.parse(JSON.parse(readFileSync(join(folder, name), "utf8")));
      } catch (error) {
        throw new UserError(
          `${name} is no preview of a state: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    });
}

/** Posts a preview's report as the one comment of its pull request, or edits the one that is there. */
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import type { GitHub } from "../github.ts";
import { commentOf, isEmpty, marker, unchangedComment } from "./markdown.ts";
import { statePreviewSchema } from "./state-preview.ts";
import type { PreviewReport } from "./report.ts";

const text = z.string().max(100_000);
const phase = text.nullable();
const moveSchema = z.object({
  version: z.literal(1),
  from: z.object({ title: text, phase }),
  to: z.object({ title: text, phase }),
  safe: z.boolean(),
  changes: z.array(z.object({ action: text, type: text, name: text, inputs: z.array(text) })),
  findings: z.array(z.object({ severity: text, name: text, happens: text, instead: text.nullable() })),
  cost: z.object({ before: z.number(), after: z.number(), unpriced: z.array(z.string()).optional() }),
  account: z.array(
    z.object({ what: text, count: z.number(), usual: z.number().nullable(), allowed: z.number().nullable() }),
  ),
  outlined: z.array(text),
});
const stackSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.enum(["unchanged", "removed"]), stack: text }),
  z.object({ kind: z.literal("invalid"), stack: text, error: text }),
  z.object({
    kind: z.enum(["new", "changed"]),
    stack: text,
    move: moveSchema,
    groups: z.array(z.object({ name: text, counts: text })),
    details: z.string().max(2_000_000),
  }),
]);
const reportSchema = z.object({
  version: z.literal(1),
  base: text,
  borrowed: z.boolean(),
  stacks: z.array(stackSchema).max(100),
  states: z.array(statePreviewSchema).max(100).optional(),
});

/**
 * The report in an artifact. A job of the pull request wrote it, so anything may be in it: it is checked here and escaped when
 * it is written.
 *
 * @throws {UserError} when it is no report
 */
export function readReport(contents: string): PreviewReport {
  try {
    return reportSchema.parse(JSON.parse(contents));
  } catch (error) {
    throw new UserError(
      `The artifact is no report of a preview: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

export interface Posting {
  readonly pull: number;
  /** The commit that was previewed: a report of an older one is not posted. */
  readonly commit: string;
  /** Where the whole report is, for one that is cut. */
  readonly whole?: string;
}

/** @returns what was done */
export async function post(github: GitHub, report: PreviewReport, { pull, commit, whole }: Posting): Promise<string> {
  const head = await github.headOf(pull);
  if (head !== commit) return `Pull request ${pull} is closed or has a newer commit than ${commit}: nothing is posted.`;
  const older = await github.findComment(pull, marker);
  if (isEmpty(report) && !older) return "Nothing changes, and there is no older comment: nothing is posted.";
  const body = isEmpty(report) ? unchangedComment(commit) : commentOf(report, commit, whole);
  if (older?.body === body) return `Comment ${older.id} says so already.`;
  if (older) {
    await github.editComment(older.id, body);
    return `Comment ${older.id} is edited.`;
  }
  await github.createComment(pull, body);
  return "The comment is created.";
}

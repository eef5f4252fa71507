/** Compares two versions of a repository, stack by stack: what a merge would change, cost and endanger. Pure. */
import { accountNeeds } from "../../policy/account.ts";
import { moveBetween } from "../../policy/dangers.ts";
import { counts, groupsOf, type MoveReport, reportOfMove } from "../move-report.ts";
import { moveDocument, type MoveDocument } from "../move-document.ts";
import { type Composed, type ComposedStack, graphIn, isRefused } from "./composed.ts";
import type { StatePreview } from "./state-preview.ts";
import type { Versions } from "./versions.ts";

/** What a preview leaves for the job that posts it: data only, which is checked and escaped there. */
export interface PreviewReport {
  readonly version: 1;
  /** The commit that the stacks are compared with. */
  readonly base: string;
  /** The base's own program could not read its stack files; this version's did. */
  readonly borrowed: boolean;
  readonly stacks: readonly StackReport[];
  /** What the engine would change in the real stacks. @default - the engine was not asked: a fork, or no credentials */
  readonly states?: readonly StatePreview[] | undefined;
}

export type StackReport =
  | { readonly kind: "unchanged" | "removed"; readonly stack: string }
  | { readonly kind: "invalid"; readonly stack: string; readonly error: string }
  | {
      readonly kind: "new" | "changed";
      readonly stack: string;
      readonly move: MoveDocument;
      /** Changes by server or part of the platform: `core-1`, `3 created, 1 changed`. */
      readonly groups: readonly { readonly name: string; readonly counts: string }[];
      /** What `make diff` prints. */
      readonly details: string;
    };

/** The report of a merge. @param base what the stacks are compared with, as the report names it */
export function previewOf(
  { before, after, borrowed }: Versions,
  base: string,
  states: readonly StatePreview[] = [],
): PreviewReport {
  const names = [...new Set([...before.stacks, ...after.stacks].map(({ stack }) => stack))].sort();
  const find = (stacks: readonly Composed[], name: string) => stacks.find(({ stack }) => stack === name);
  return {
    ...{ version: 1, base, borrowed },
    stacks: names.map((name) => stackReport(name, find(before.stacks, name), find(after.stacks, name))),
    ...(states.length > 0 && { states }),
  };
}

function stackReport(stack: string, was: Composed | undefined, is: Composed | undefined): StackReport {
  if (!is) return { kind: "removed", stack };
  if (isRefused(is)) return { kind: "invalid", stack, error: is.error };
  // A stack whose file was not valid did not exist either: it is reported as a new one.
  const before = was && !isRefused(was) ? was : undefined;
  const report = moveReport(before, is);
  if (before && report.move.changes.length === 0 && report.move.findings.length === 0)
    return { kind: "unchanged", stack };
  return {
    ...{ kind: before ? "changed" : "new", stack, move: moveDocument(report) },
    groups: groupsOf(report).map(({ name, changes }) => ({ name, counts: counts(changes) })),
    details: reportOfMove(report),
  };
}

function moveReport(before: ComposedStack | undefined, after: ComposedStack): MoveReport {
  const outlined = [before, after].flatMap((one) => (one && !one.program ? [one.phase] : []));
  const kind = outlined.length > 0 ? "outline" : "program";
  const graphs = {
    before: before ? graphIn(before, kind) : { resources: [], uses: new Map<string, never>() },
    after: graphIn(after, kind),
  };
  return {
    before: { title: before ? `phase ${before.phase}` : "nothing", phase: before?.phase },
    after: { title: `phase ${after.phase}`, phase: after.phase },
    graphs,
    move: moveBetween(graphs.before, graphs.after, { ...(after.agreed && { agreed: after.agreed }) }),
    outlined: [...new Set(outlined)],
    needs: accountNeeds([...(before ? [before] : []), after], after.limits),
  };
}

/** Whether a merge must wait: a stack would lose something, its file is not valid, or its real update would be refused. */
export const isRefusedMerge = ({ stacks, states = [] }: PreviewReport): boolean =>
  states.some(({ kind }) => kind === "refused") ||
  stacks.some((one) => one.kind === "invalid" || ((one.kind === "changed" || one.kind === "new") && !one.move.safe));

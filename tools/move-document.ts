/** The report of a move as a document for programs. Pure. */
import type { Need } from "../policy/account.ts";
import { cents, costOf } from "../policy/cost.ts";
import { isSafe } from "../policy/dangers.ts";
import { shortType } from "../policy/graph.ts";
import type { MoveReport } from "./move-report.ts";

/** The document that `make diff JSON=1` prints. A field that is added keeps the version; one that changes or goes raises it. */
export interface MoveDocument {
  readonly version: 1;
  readonly from: { readonly title: string; readonly phase: string | null };
  readonly to: { readonly title: string; readonly phase: string | null };
  /** Whether everything that holds data keeps its resource, name and address. */
  readonly safe: boolean;
  readonly changes: readonly {
    /** `create`, `update`, `replace`, `delete`. */
    readonly action: string;
    readonly type: string;
    readonly name: string;
    /** The inputs that change; their values are not shown. */
    readonly inputs: readonly string[];
  }[];
  readonly findings: readonly {
    /** `refused`, `loss` of data without protection, or `danger`. */
    readonly severity: string;
    readonly name: string;
    readonly happens: string;
    readonly instead: string | null;
  }[];
  /** € per month, net. */
  readonly cost: {
    readonly before: number;
    readonly after: number;
    /** What is in neither sum, because the price of its type is not known. @default - nothing */
    readonly unpriced?: readonly string[] | undefined;
  };
  /** What the account at Hetzner must allow. */
  readonly account: readonly Need[];
  /** Phases and traits (`orion:...`) that are not built yet, so that only their plans are compared. */
  readonly outlined: readonly string[];
}

export function moveDocument({ before, after, graphs, move, outlined, needs = [] }: MoveReport): MoveDocument {
  const [was, is] = [costOf(graphs.before), costOf(graphs.after)];
  const unpriced = [...new Set([...was.unpriced, ...is.unpriced])];
  return {
    version: 1,
    from: { title: before.title, phase: before.phase ?? null },
    to: { title: after.title, phase: after.phase ?? null },
    safe: isSafe(move),
    changes: move.changes.map(({ action, resource, inputs }) => ({
      ...{ action, type: shortType(resource.type), name: resource.name, inputs: [...inputs] },
    })),
    findings: move.findings.map(({ severity, name, happens, instead }) => ({
      ...{ severity, name, happens, instead: instead ?? null },
    })),
    cost: { before: cents(was.monthly), after: cents(is.monthly), ...(unpriced.length > 0 && { unpriced }) },
    account: needs,
    outlined,
  };
}

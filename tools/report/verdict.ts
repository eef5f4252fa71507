/** What a rehearsal has shown, in a sentence or two, and how good that is. Pure. */
import type { LoadReport } from "../../rehearsal/load/process.ts";
import type { RehearsalRecord } from "./record.ts";

export type Level = "good" | "attention" | "bad";

export interface Verdict {
  readonly level: Level;
  readonly sentences: readonly string[];
}

/** `1 order`, `2 orders`. */
export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** What the ledger says: `good` when every acknowledged order exists once and its task was run. */
export function ledgerVerdict({ ledger, failures }: Pick<LoadReport, "ledger" | "failures">): Verdict {
  const { acknowledged, lost, doubled, unconfirmed } = ledger;
  if (acknowledged === 0 && failures.every(({ what }) => what !== "order"))
    return { level: "good", sentences: ["The load was pages alone; rows that they wrote were not looked up."] };
  if (acknowledged === 0)
    return { level: "attention", sentences: ["No order was acknowledged, so the ledger says nothing."] };
  const problems = [
    ...(lost.length > 0 ? [`${lost.length} lost`] : []),
    ...(doubled.length > 0 ? [`${doubled.length} there twice`] : []),
    ...(unconfirmed.length > 0 ? [`${unconfirmed.length} whose task was not run`] : []),
  ];
  const orders = plural(acknowledged, "acknowledged order");
  return problems.length === 0
    ? { level: "good", sentences: [`Of ${orders} every one exists once, and its task was run.`] }
    : { level: "bad", sentences: [`Of ${orders}: ${problems.join(", ")}.`] };
}

/** Containers with data that were replaced or restarted. */
export const disturbed = ({ kept }: Pick<RehearsalRecord, "kept">): RehearsalRecord["kept"] =>
  kept.filter(({ before, after }) => before !== after);

/** The worst of several. */
export const worst = (levels: readonly Level[]): Level =>
  levels.includes("bad") ? "bad" : levels.includes("attention") ? "attention" : "good";

export function verdictOf(record: RehearsalRecord): Verdict {
  const { update, load, kept } = record;
  const seconds = Math.round((update.to - update.from) / 1000);
  const failedSteps = update.steps.filter(({ failed }) => failed).length;
  const answered = Object.values(load.answered).reduce((sum, each) => sum + each, 0);
  const ledger = ledgerVerdict(load);
  const others = disturbed(record);
  const done: Verdict =
    update.code === 0
      ? { level: "good", sentences: [`The update was complete after ${seconds} s.`] }
      : {
          level: "bad",
          sentences: [`The update failed after ${seconds} s (${plural(failedSteps, "step")} failed).`],
        };
  const requests: Verdict =
    load.failures.length === 0
      ? { level: answered > 0 ? "good" : "attention", sentences: [`All ${plural(answered, "request")} were answered.`] }
      : {
          level: "attention",
          sentences: [`${plural(load.failures.length, "request")} failed and ${answered} were answered.`],
        };
  const data: Verdict =
    others.length === 0
      ? {
          level: "good",
          sentences: kept.length > 0 ? ["Every container that keeps data ran on without a restart."] : [],
        }
      : {
          level: "attention",
          sentences: [`Restarted or replaced: ${others.map(({ service }) => service).join(", ")}.`],
        };
  const all = [done, requests, ledger, data];
  return { level: worst(all.map(({ level }) => level)), sentences: all.flatMap(({ sentences }) => sentences) };
}

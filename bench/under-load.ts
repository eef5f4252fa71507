/** What happened while a load went on, as rows and tables of bench/*.md. Pure. */
import { type LoadReport } from "../tests/e2e/support/load.ts";
import { type Row } from "./table.ts";

/** Something that was done to the platform; the same may be done several times. */
export interface Happening {
  readonly what: string;
  /** Times as the load's failures have them. */
  readonly from: string;
  readonly to: string;
  readonly seconds: number;
}

/** What happened, each once. */
export const whats = (happenings: readonly Happening[]): string[] => [...new Set(happenings.map(({ what }) => what))];

/** How often something happened. */
export const times = (happenings: readonly Happening[], what: string): number =>
  happenings.filter((one) => one.what === what).length;

/** The seconds of all, by what happened. */
export const rowsOf = (happenings: readonly Happening[]): Row[] =>
  whats(happenings).map((what) => ({
    what,
    values: happenings.filter((one) => one.what === what).map(({ seconds }) => seconds),
  }));

/** The requests that failed while something happened. */
export const failuresDuring = (
  happenings: readonly Happening[],
  what: string,
  { failures }: LoadReport,
): LoadReport["failures"] =>
  failures.filter(({ time }) => happenings.some((one) => one.what === what && one.from <= time && time <= one.to));

/** @param more rows of the table, before those of the orders */
export function wholeRun({ answered, failures, ledger }: LoadReport, more: readonly string[] = []): string {
  const requests = Object.entries(answered).map(([what, count]) => `${count} ${what}s`);
  return [
    "| Of the whole run | |",
    "|---|---|",
    `| answered | ${requests.join(", ")} |`,
    `| failed | ${failures.length} |`,
    ...more,
    `| orders acknowledged | ${ledger.acknowledged} |`,
    `| orders lost | ${ledger.lost.length} |`,
    `| orders doubled | ${ledger.doubled.length} |`,
    `| orders whose task was not run | ${ledger.unconfirmed.length} |`,
  ].join("\n");
}

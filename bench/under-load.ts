/** What happened while a load went on, as rows and tables of bench/*.md. Pure. */
import type { LoadReport } from "../testing/load.ts";
import { markdownTable, type Row } from "./table.ts";

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

/** Heads of the columns that `ordersOf` fills. */
export const orderHeads = ["orders acknowledged", "orders lost", "orders doubled", "orders whose task was not run"];

/** How many orders were acknowledged, and what became of them. */
export const ordersOf = ({ ledger }: LoadReport): number[] => [
  ledger.acknowledged,
  ...[ledger.lost, ledger.doubled, ledger.unconfirmed].map(({ length }) => length),
];

/** @param more rows of the table, before those of the orders */
export function wholeRun(report: LoadReport, more: readonly (readonly (string | number)[])[] = []): string {
  const requests = Object.entries(report.answered).map(([what, count]) => `${count} ${what}s`);
  return markdownTable(
    ["Of the whole run", ""],
    [
      ["answered", requests.join(", ")],
      ["failed", report.failures.length],
      ...more,
      ...ordersOf(report).map((count, index) => [orderHeads[index] ?? "", count]),
    ],
  );
}

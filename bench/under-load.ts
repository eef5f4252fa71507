/** Rows and tables of bench/*.md from changes or faults that were timed under load. Pure. */
import type { LoadReport } from "../rehearsal/load/process.ts";
import { markdownTable, type Row } from "./table.ts";

/** A change or fault during the load; several can have the same title. */
export interface LoadEvent {
  readonly what: string;
  /** Start and end in the format of the load's failures, RFC 3339. */
  readonly from: string;
  readonly to: string;
  readonly seconds: number;
}

/** The distinct titles. */
export const titlesOf = (events: readonly LoadEvent[]): string[] => [...new Set(events.map(({ what }) => what))];

/** Number of events with a title. */
export const countOf = (events: readonly LoadEvent[], what: string): number =>
  events.filter((one) => one.what === what).length;

/** Rows with the seconds of all events, by title. */
export const rowsOf = (events: readonly LoadEvent[]): Row[] =>
  titlesOf(events).map((what) => ({
    what,
    values: events.filter((one) => one.what === what).map(({ seconds }) => seconds),
  }));

/** Requests that failed during the events with a title. */
export const failuresDuring = (
  events: readonly LoadEvent[],
  what: string,
  { failures }: LoadReport,
): LoadReport["failures"] =>
  failures.filter(({ time }) => events.some((one) => one.what === what && one.from <= time && time <= one.to));

/** Column titles for the numbers that `ordersOf` returns. */
export const orderHeads = ["orders acknowledged", "orders lost", "orders doubled", "orders whose task was not run"];

/** Numbers of acknowledged, lost, doubled and unconfirmed orders. */
export const ordersOf = ({ ledger }: LoadReport): number[] => [
  ledger.acknowledged,
  ...[ledger.lost, ledger.doubled, ledger.unconfirmed].map(({ length }) => length),
];

/** Query for number and checksum of the orders up to an id. */
export const rowsUpTo = (id: string) =>
  `SELECT count(*), sum(hashtextextended((id, reference, item, quantity, email, created_at)::text, 0)) FROM orders WHERE id <= ${id}`;

/** @param more further rows, before those of the orders */
export function wholeRun(report: LoadReport, more: readonly (readonly (string | number)[])[] = []): string {
  const requests = Object.entries(report.answered).map(([what, count]) => `${count} ${what}s`);
  return markdownTable(
    ["The whole run", ""],
    [
      ["successful requests", requests.join(", ")],
      ["failed requests", report.failures.length],
      ...more,
      ...ordersOf(report).map((count, index) => [orderHeads[index] ?? "", count]),
    ],
  );
}

/** Formats measurements as the Markdown tables of bench/*.md. */
import { cpus, totalmem } from "node:os";
import { markdownTable } from "../tools/markdown.ts";

export { markdownTable } from "../tools/markdown.ts";

export interface Row {
  readonly what: string;
  /** Upper limit that must hold; undefined: none. */
  readonly limit?: number;
  /** One value per run. */
  readonly values: readonly number[];
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** The machine and the date of the measurement. */
export const machine = (): string =>
  `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.version}, ${new Date().toISOString().slice(0, 10)}`;

/** @param digits digits after the decimal point */
export function tableOf(head: string, rows: readonly Row[], digits: number): string {
  const text = (value: number) => value.toFixed(digits);
  return markdownTable(
    [head, "median", "range", "runs", "limit"],
    rows.map(({ what, limit, values }) => {
      const range = values.length > 1 ? `${text(Math.min(...values))}–${text(Math.max(...values))}` : "";
      return [what, text(median(values)), range, values.length, limit ?? ""];
    }),
  );
}

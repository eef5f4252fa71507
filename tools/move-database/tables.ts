/** The tables of a move: what is known of each, and whether both databases have the same rows in them. Pure. */
import { z } from "zod";
import type { TableFacts } from "./changes.ts";
import { readJsonRows } from "./json-rows.ts";

interface SizedTable extends TableFacts {
  readonly bytes: number;
}

/** By name, as PostgreSQL quotes it. */
export type SizedTables = ReadonlyMap<string, SizedTable>;

const tableSchema = z.object({
  ...{ table: z.string(), bytes: z.number() },
  ...{ key: z.array(z.string()), generated: z.array(z.string()), identity: z.array(z.string()) },
});

/** Reads the answer to `tablesSql`. */
export const readTables = (text: string): SizedTables =>
  new Map(readJsonRows(text, tableSchema).map(({ table, ...facts }) => [table, facts]));

export interface Comparison {
  /** Rows of all tables of the source. */
  readonly rows: number;
  /** The tables whose rows differ in the target. */
  readonly different: readonly string[];
}

/** Compares two answers to `contentsSql`: `table|rows|sum`, a line each. */
export function compareContents(source: string, target: string): Comparison {
  const lines = source.split("\n").filter((line) => line !== "");
  const others = new Set(target.split("\n"));
  // A name may have the separator in it.
  const rowsIn = (line: string) => Number(line.split("|").at(-2));
  const nameIn = (line: string) => line.split("|").slice(0, -2).join("|");
  return {
    rows: lines.reduce((sum, line) => sum + rowsIn(line), 0),
    different: lines.filter((line) => !others.has(line)).map(nameIn),
  };
}

/** Reads changes that PostgreSQL's decoder `test_decoding` prints, and writes the SQL that makes them in another database. Pure. */
import { z } from "zod";
import { readJsonRows } from "./json-rows.ts";

/** A row of `pg_logical_slot_get_changes`. */
export interface DecodedRow {
  readonly xid: number;
  readonly data: string;
}

/** What has to be known of a table, by its name as PostgreSQL quotes it: `public.orders`. */
export interface TableFacts {
  /** The columns of its primary key, as PostgreSQL quotes them. */
  readonly key: readonly string[];
  /** Columns that PostgreSQL computes. */
  readonly generated: readonly string[];
  /** Columns whose numbers PostgreSQL alone gives (`GENERATED ALWAYS AS IDENTITY`): an insert may name them, an update may not. */
  readonly identity: readonly string[];
}
export type Tables = ReadonlyMap<string, TableFacts>;

/** Which transactions a copy has already: `xmin:xmax:xip,xip`, as `pg_current_snapshot()` prints it. */
export interface Snapshot {
  readonly xmin: number;
  readonly xmax: number;
  readonly running: ReadonlySet<number>;
}

const wrap = 2 ** 32;

export function readSnapshot(text: string): Snapshot {
  const [, xmin, xmax, running] = /^(\d+):(\d+):([\d,]*)$/.exec(text.trim()) ?? [];
  if (xmin === undefined || xmax === undefined) throw new Error(`'${text}' is no snapshot of PostgreSQL`);
  // The decoder prints 32 bits of a transaction's number.
  const numbers = (running ?? "").split(",").filter((one) => one !== "");
  return {
    xmin: Number(xmin) % wrap,
    xmax: Number(xmax) % wrap,
    running: new Set(numbers.map((one) => Number(one) % wrap)),
  };
}

/** Whether one transaction's number is before another's, which begin again at 0 after 2^32. */
const isBefore = (one: number, other: number): boolean => one !== other && (other - one + wrap) % wrap < wrap / 2;

/** Whether a copy with this snapshot has the changes of a transaction. */
export const isInCopy = ({ xmin, xmax, running }: Snapshot, xid: number): boolean =>
  isBefore(xid, xmin) || (isBefore(xid, xmax) && !running.has(xid));

interface Column {
  readonly name: string;
  /** SQL; undefined for a long value that the change has not touched. */
  readonly value: string | undefined;
}

// A name, its type in brackets (which may end in []), and a value.
const column =
  /((?:"(?:[^"]|"")*")|[^\s"[\]:]+)\[((?:[^[\]"]|\[\]|"(?:[^"]|"")*")*)\]:(null|unchanged-toast-datum|B?'(?:[^']|'')*'|[^\s']+)(?: |$)/y;

function readColumns(text: string): Column[] {
  const columns: Column[] = [];
  column.lastIndex = 0;
  while (column.lastIndex < text.length) {
    const [, name = "", , raw = ""] = column.exec(text) ?? [];
    if (name === "") throw new Error("a change of a table could not be read");
    columns.push({ name, value: valueOf(raw) });
  }
  return columns;
}

/** Numbers are quoted as well: NaN and Infinity are none in SQL. */
const valueOf = (raw: string): string | undefined =>
  raw === "unchanged-toast-datum" ? undefined : raw === "null" ? "NULL" : /^B?'/.test(raw) ? raw : `'${raw}'`;

const list = (parts: readonly string[], between = ", "): string => parts.join(between);

const identifier = String.raw`(?:"(?:[^"]|"")*"|[^\s".,:]+)`;
const tableName = `${identifier}\\.${identifier}`;
/** From the beginning of a line: a value may have the same words. */
const truncation = new RegExp(`^table (${tableName}(?:, ${tableName})*): TRUNCATE: (.*)$`, "s");
const rowChange = new RegExp(`^table (${tableName}): (INSERT|UPDATE|DELETE): (.*)$`, "s");

/**
 * The statement that makes a change; undefined for the beginning and the end of a transaction.
 *
 * @throws {Error} for a change that cannot be made elsewhere, without any value of it
 */
export function statementOf(data: string, tables: Tables): string | undefined {
  if (/^(BEGIN|COMMIT)\b/.test(data)) return undefined;
  const [, names, options] = truncation.exec(data) ?? [];
  if (names !== undefined) {
    const known = names.match(new RegExp(tableName, "g"))?.filter((name) => tables.has(name)) ?? [];
    if (known.length === 0) return undefined;
    return `TRUNCATE ${list(known)}${/restart_seqs/.test(options ?? "") ? " RESTART IDENTITY" : ""}${/cascade/.test(options ?? "") ? " CASCADE" : ""};`;
  }
  const [, table = "", action = "", rest = ""] = rowChange.exec(data) ?? [];
  if (table === "") throw new Error(`a change of another kind: ${data.slice(0, 20)}`);
  const facts = tables.get(table);
  // The command's own table, and tables that are not moved.
  if (!facts) return undefined;
  if (rest === "(no-tuple-data)") throw new Error(`${table}: a change without its key`);
  const [, old, after] = /^old-key: (.*?) new-tuple: (.*)$/s.exec(rest) ?? [];
  const columns = readColumns(after ?? rest);
  const before = readColumns(old ?? rest);
  const given = columns.filter(({ name, value }) => value !== undefined && !facts.generated.includes(name));
  const values = given.map(({ value = "NULL" }) => value);
  if (action === "INSERT")
    return `INSERT INTO ${table} (${list(given.map(({ name }) => name))}) OVERRIDING SYSTEM VALUE VALUES (${list(values)});`;
  const where = facts.key.map((name) => {
    const value = before.find((one) => one.name === name)?.value;
    if (value === undefined) throw new Error(`${table}: a change without its key`);
    return `${name} = ${value}`;
  });
  if (where.length === 0) throw new Error(`${table} has no primary key`);
  if (action === "DELETE") return `DELETE FROM ${table} WHERE ${list(where, " AND ")};`;
  const assignments = given
    .filter(({ name }) => !facts.identity.includes(name))
    .map(({ name, value = "NULL" }) => `${name} = ${value}`);
  if (assignments.length === 0) return undefined;
  return `UPDATE ${table} SET ${list(assignments)} WHERE ${list(where, " AND ")};`;
}

const rowSchema = z.tuple([z.number(), z.string()]);

/** Reads the answer to `nextChanges`. */
export const readRows = (text: string): DecodedRow[] =>
  readJsonRows(text, rowSchema).map(([xid, data]) => ({ xid, data }));

/** The statements of all transactions that the copy does not have, in the order of their commits. */
export const statementsOf = (rows: readonly DecodedRow[], tables: Tables, snapshot: Snapshot): string[] =>
  rows.filter(({ xid }) => !isInCopy(snapshot, xid)).flatMap(({ data }) => statementOf(data, tables) ?? []);

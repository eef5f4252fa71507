/**
 * Moves the contents of one PostgreSQL to another while the first is in use, with a pause of seconds for writes: a consistent copy,
 * then every change since, read by logical decoding and made in the target by a client between both. So neither server has to
 * reach the other, and the target needs no rights beyond those of a table's owner.
 *
 * Until the target is complete nothing but a slot exists at the source, and every failure removes it.
 */
import { UserError } from "../../common/user-error.ts";
import type { OnEngine } from "../../guard/check-image.ts";
import { readRows, readSnapshot, type Snapshot, statementsOf, type Tables } from "./changes.ts";
import { copyScript } from "./copy-script.ts";
import { problemsOf, readPreparation } from "./preparation.ts";
import type { Poolers } from "./poolers.ts";
import { errorOf, type Side, sql } from "./side.ts";
import {
  batch,
  contentsSql,
  createSlot,
  dropEverything,
  dropSlot,
  lagSql,
  markCopying,
  marker,
  markLeft,
  nextChanges,
  preparationSql,
  readOnly,
  schemaSql,
  sequencesSql,
  slot,
  tablesSql,
  userTriggers,
  writable,
} from "./sql.ts";
import { compareContents, readTables, type SizedTables } from "./tables.ts";

/** The pause may begin when so many bytes of WAL, or less, are left to read. */
const closeBytes = 1_000_000;
/** How often the user hears of the copy's progress. */
const progressMs = 10_000;
const copySeconds = 7 * 24 * 3600;

export interface MoveArgs {
  readonly on: OnEngine;
  readonly from: Side;
  readonly to: Side;
  readonly say: (line: string) => void;
  /** Asked before the pause. @returns whether to go on */
  readonly agree: () => Promise<boolean>;
  /** Whether the contents of a target that an earlier move has left behind or not finished may be replaced. */
  readonly replace: boolean;
  /** The poolers through which processes reach the database. @default - each process has its address, until an update changes it */
  readonly poolers?: Poolers | undefined;
}

export interface Moved {
  readonly tables: number;
  readonly rows: number;
  /** Milliseconds from the first write that was refused, or held by a pooler, until the target was complete, or took it. */
  readonly pausedMs: number;
}

/** @returns undefined when the user did not agree: nothing has changed then. @throws {UserError} with what does not fit */
export async function moveDatabase(args: MoveArgs): Promise<Moved | undefined> {
  const { on, from, to, say, agree, replace } = args;
  const prepared = {
    source: readPreparation(await sql(on, from, preparationSql)),
    target: readPreparation(await sql(on, to, preparationSql)),
  };
  const problems = problemsOf(prepared, replace);
  if (problems.length > 0)
    throw new UserError(
      ["The database cannot be moved; nothing was changed:", ...problems.map((one) => `  ${one}`)].join("\n"),
    );
  await sql(on, from, createSlot);
  try {
    return await withSlot(args);
  } finally {
    await sql(on, from, dropSlot).catch((error: unknown) => {
      say(
        `The slot ${slot} of ${from.name} is still there, and keeps its WAL: SELECT pg_drop_replication_slot('${slot}'). ${String(error)}`,
      );
    });
  }

  async function withSlot(all: MoveArgs): Promise<Moved | undefined> {
    const schema = await sql(on, from, schemaSql);
    await sql(on, to, writable);
    await sql(on, to, markCopying, "owner");
    await sql(on, to, dropEverything, "owner");
    const snapshot = await copy(all);
    const tables = readTables(await sql(on, from, tablesSql));
    await sql(on, to, `${userTriggers("DISABLE")} ANALYZE;`, "owner");
    await catchUp(all, tables, snapshot);
    if (!(await agree())) return undefined;
    return pause(all, tables, snapshot, schema);
  }
}

/** Copies the state of one moment. @returns which transactions the copy has */
async function copy({ on, from, to, say }: MoveArgs): Promise<Snapshot> {
  say(`  the copy begins`);
  const begun = Date.now();
  const progress = setInterval(() => {
    sql(on, to, "SELECT pg_size_pretty(pg_database_size(current_database()))").then(
      (size) => {
        say(`  ${to.name} has ${size}`);
      },
      // The copy itself says why.
      () => undefined,
    );
  }, progressMs);
  const { code, stdout, stderr } = await on(copyScript(from, to), copySeconds).finally(() => {
    clearInterval(progress);
  });
  if (code !== 0) throw new UserError(`The copy failed: ${errorOf(stderr)}`);
  say(`  the copy took ${Math.round((Date.now() - begun) / 1000)} s`);
  return readSnapshot(stdout.trim().split("\n").at(-1) ?? "");
}

/** Reads the next changes and makes them in the target. @returns how many rows were read */
async function step({ on, from, to }: MoveArgs, tables: Tables, snapshot: Snapshot): Promise<number> {
  const rows = readRows(await sql(on, from, nextChanges));
  const statements = statementsOf(rows, tables, snapshot);
  if (statements.length > 0) await sql(on, to, `BEGIN;\n${statements.join("\n")}\nCOMMIT;`, "owner");
  return rows.length;
}

async function catchUp(args: MoveArgs, tables: Tables, snapshot: Snapshot): Promise<void> {
  const { on, from, to, say } = args;
  for (;;) {
    const rows = await step(args, tables, snapshot);
    const lag = Number(await sql(on, from, lagSql));
    say(`  ${to.name} is ${(lag / 1024 ** 2).toFixed(1)} MiB behind`);
    if (rows < batch && lag < closeBytes) return;
  }
}

async function pause(args: MoveArgs, tables: SizedTables, snapshot: Snapshot, schema: string): Promise<Moved> {
  const { on, from, to, say, poolers } = args;
  // What came while the user was asked.
  await catchUp(args, tables, snapshot);
  await poolers?.prepare();
  const began = Date.now();
  try {
    await poolers?.hold();
    await sql(on, from, readOnly);
    await poolers?.held();
    // Each call is a connection to a server, and writes wait.
    const [schemaNow, sequences] = await Promise.all([sql(on, from, schemaSql), sql(on, from, sequencesSql)]);
    if (schemaNow !== schema)
      throw new UserError(
        "A migration has changed tables during the move; run no migration meanwhile, and begin again.",
      );
    let rows: number;
    do rows = await step(args, tables, snapshot);
    while (rows > 0);
    await sql(on, to, sequences, "owner");
    const compared = await compare(args, tables);
    await Promise.all([sql(on, from, markLeft, "owner"), sql(on, to, userTriggers("ENABLE"), "owner")]);
    await poolers?.lead("target");
    await poolers?.release();
    const pausedMs = Date.now() - began;
    // Last of all: with it, what a move that failed has left can be replaced.
    await sql(on, to, `DROP TABLE public.${marker}`, "owner");
    say(
      `  ${to.name} is complete: ${tables.size} tables, ${compared} rows, the same in both; writes ${poolers ? "waited" : "were refused"} for ${(pausedMs / 1000).toFixed(1)} s`,
    );
    return { tables: tables.size, rows: compared, pausedMs };
  } catch (error) {
    await allowWrites(args);
    // They have led to the source, unless they were just given the target.
    await poolers?.lead("source").catch((also: unknown) => {
      say(`  ${String(also)}`);
    });
    await poolers?.release();
    throw error;
  }
}

/** Lets the source take writes again. A failure of this is reported, and the error that made it necessary stays the one that is thrown. */
async function allowWrites({ on, from, say }: MoveArgs): Promise<void> {
  try {
    await sql(on, from, writable);
    say(`  ${from.name} takes writes again`);
  } catch (error) {
    say(
      `  ${from.name} still refuses writes. There, as the database's owner: ALTER DATABASE ... RESET default_transaction_read_only. ${String(error)}`,
    );
  }
}

/** @returns how many rows both have. @throws {UserError} with the tables that differ */
async function compare({ on, from, to }: MoveArgs, tables: SizedTables): Promise<number> {
  const question = contentsSql(tables);
  // extra_float_digits is the same in both sessions, so equal values are equal texts.
  const [source, target] = await Promise.all([sql(on, from, question), sql(on, to, question)]);
  const { rows, different } = compareContents(source, target);
  if (different.length > 0)
    throw new UserError(`${different.join(", ")}: not the same in ${to.name} as in ${from.name}.`);
  return rows;
}

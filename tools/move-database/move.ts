/**
 * Moves the contents of one PostgreSQL to another while the first is in use, with a pause of seconds for writes: a consistent copy,
 * then every change since, read by logical decoding and made in the target by a client between both. So neither server has to
 * reach the other, and the target needs no rights beyond those of a table's owner.
 *
 * Until the target is complete nothing but a slot exists at the source, and every failure removes it. Then the target is marked as
 * `moved`, which is the one moment that decides: before it the source goes on, after it nothing is taken back, since clients may have
 * written to the target.
 */
import { UserError } from "../../common/user-error.ts";
import type { OnEngine } from "../../guard/check-image.ts";
import { readRows, readSnapshot, type Snapshot, statementsOf, type Tables } from "./changes.ts";
import { copyScript, copySeconds } from "./copy-script.ts";
import { problemsOf, readPreparation, wasMoved } from "./preparation.ts";
import type { Poolers } from "./poolers.ts";
import { type DatabaseEndpoint, errorOf, sql } from "./database-endpoint.ts";
import {
  allowWritesSql,
  batch,
  contentsSql,
  createSlot,
  dropEverything,
  dropSlot,
  lagSql,
  markAs,
  nextChanges,
  preparationSql,
  readOnly,
  schemaSql,
  sequencesSql,
  slot,
  tablesSql,
  triggersSql,
  userTriggers,
  writable,
} from "./sql.ts";
import { compareContents, readTables, type SizedTables } from "./tables.ts";

/** The pause may begin when so many bytes of WAL, or less, are left to read. */
const closeBytes = 1_000_000;
/** How often the user hears of the copy's progress. */
const progressMs = 10_000;

export interface MoveArgs {
  readonly on: OnEngine;
  readonly from: DatabaseEndpoint;
  readonly to: DatabaseEndpoint;
  readonly say: (line: string) => void;
  /** Asked before the pause. @returns whether to go on */
  readonly agree: () => Promise<boolean>;
  /** Whether the contents of a target that an earlier move has left behind or not finished may be replaced. */
  readonly replace: boolean;
  /** Ends the move where that is possible without loss. @default - nothing does */
  readonly signal?: AbortSignal;
  /** The poolers through which processes reach the database. @default - each process has its address, until an update changes it */
  readonly poolers?: Poolers | undefined;
}

export interface Moved {
  readonly tables: number;
  readonly rows: number;
  /** Milliseconds from the first write that was refused, or had to wait at a pooler, until the target was complete, or took it. */
  readonly pausedMs: number;
}

/**
 * @returns undefined when the user did not agree: nothing has changed then; `before` when an earlier move was complete already
 * @throws {UserError} with what does not fit
 */
export async function moveDatabase(args: MoveArgs): Promise<Moved | "before" | undefined> {
  const { on, from, to, say, agree, replace } = args;
  const prepared = {
    source: readPreparation(await sql(on, from, preparationSql)),
    target: readPreparation(await sql(on, to, preparationSql)),
  };
  if (wasMoved(prepared)) {
    say(`  ${to.name} is complete since an earlier move, which was cut off before its update.`);
    await sql(on, from, dropSlot);
    return "before";
  }
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
    if (prepared.target.readOnly) await sql(on, to, writable);
    await sql(on, to, markAs("copying"), "owner");
    await sql(on, to, dropEverything, "owner");
    const snapshot = await copy(all);
    const tables = readTables(await sql(on, from, tablesSql));
    await sql(on, to, `${userTriggers("DISABLE")} ANALYZE;`, "owner");
    await catchUp(all, tables, snapshot);
    if (!(await agree())) return undefined;
    return pause(all, tables, snapshot, { schema, allowWrites: allowWritesSql(prepared.source.database) });
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
  const { on, from, to, say, signal } = args;
  for (;;) {
    signal?.throwIfAborted();
    const rows = await step(args, tables, snapshot);
    const lag = Number(await sql(on, from, lagSql));
    say(`  ${to.name} is ${(lag / 1024 ** 2).toFixed(1)} MiB behind`);
    if (rows < batch && lag < closeBytes) return;
  }
}

interface Source {
  /** Its {@link schemaSql} at the copy. */
  readonly schema: string;
  /** What makes it take writes again, for people. */
  readonly allowWrites: string;
}

async function pause(args: MoveArgs, tables: SizedTables, snapshot: Snapshot, source: Source): Promise<Moved> {
  const { on, from, to, say, poolers, signal } = args;
  // What came while the user was asked.
  await catchUp(args, tables, snapshot);
  await poolers?.prepare();
  const began = Date.now();
  let rows: number;
  let mayBeMoved = false;
  try {
    await poolers?.pause();
    await sql(on, from, readOnly);
    await poolers?.paused();
    rows = await complete(args, tables, snapshot, source.schema);
    await sql(on, from, markAs("left"), "owner");
    signal?.throwIfAborted();
    mayBeMoved = true;
    await sql(on, to, markAs("moved"), "owner");
  } catch (error) {
    await goBack(args, mayBeMoved, source.allowWrites);
    throw error;
  }
  if (poolers) await switchAll(poolers, say);
  const pausedMs = Date.now() - began;
  say(
    `  ${to.name} is complete: ${tables.size} tables, ${rows} rows, the same in both; writes ${poolers ? "waited" : "were refused"} for ${(pausedMs / 1000).toFixed(1)} s`,
  );
  return { tables: tables.size, rows, pausedMs };
}

/** Gives the target what is left, while nobody writes. @returns how many rows both have. @throws {UserError} when they differ */
async function complete(args: MoveArgs, tables: SizedTables, snapshot: Snapshot, schema: string): Promise<number> {
  const { on, from, to } = args;
  // Each call is a connection to a server, and writes wait.
  const [schemaNow, sequences, triggers] = await Promise.all([
    sql(on, from, schemaSql),
    sql(on, from, sequencesSql),
    sql(on, from, triggersSql),
  ]);
  if (schemaNow !== schema)
    throw new UserError("A migration has changed tables during the move; run no migration meanwhile, and begin again.");
  let rows: number;
  do rows = await step(args, tables, snapshot);
  while (rows > 0);
  await sql(on, to, sequences, "owner");
  const compared = await compare(args, tables);
  await sql(on, to, `${userTriggers("ENABLE")}\n${triggers}`, "owner");
  return compared;
}

const switchTries = 3;

/**
 * Switches the poolers to the target and resumes them. A failure ends nothing: those that lead there may have passed writes on, the
 * others find a source that refuses them, and the update that follows leads all of them.
 */
async function switchAll(poolers: Poolers, say: MoveArgs["say"]): Promise<void> {
  for (let left = switchTries - 1; ; left--) {
    try {
      await poolers.switchToTarget();
      break;
    } catch (error) {
      say(`  ${String(error)}`);
      if (left > 0) continue;
      say("  The update that follows leads it there; until then writes through it are refused.");
      break;
    }
  }
  await resumeAll(poolers, say);
}

async function resumeAll(poolers: Poolers | undefined, say: MoveArgs["say"]): Promise<void> {
  await poolers?.resume().catch((error: unknown) => {
    say(`  The poolers resume by themselves within a minute: ${String(error)}`);
  });
}

/**
 * After a failure: the source takes writes again, and the poolers, which lead to it, go on. What fails here is reported, and the error
 * that made it necessary stays the one that is thrown.
 *
 * @param mayBeMoved whether the target may be marked as complete, which it is no more once the source takes writes
 */
async function goBack(
  { on, from, to, say, poolers }: MoveArgs,
  mayBeMoved: boolean,
  allowWrites: string,
): Promise<void> {
  let remedy = "Run the same command again: it finds out whether the target is complete, and continues";
  try {
    if (mayBeMoved) await sql(on, to, markAs("copying"), "owner");
    remedy = `There, as the database's owner: ${allowWrites}`;
    await sql(on, from, writable);
    say(`  ${from.name} takes writes again`);
  } catch (error) {
    say(`  ${from.name} still refuses writes. ${remedy}. ${String(error)}`);
  }
  await resumeAll(poolers, say);
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

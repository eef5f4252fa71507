/**
 * Moves the contents of one PostgreSQL to another while the first is in use, with a pause of seconds for writes: a consistent copy,
 * then every change since, read by logical decoding and made in the target by a client between both. So neither server has to
 * reach the other, and the target needs no rights beyond those of a table's owner.
 *
 * Until the target is complete nothing but a slot exists at the source, and every failure removes it.
 */
import { z } from "zod";
import { quoted } from "../../common/shell.ts";
import { UserError } from "../../common/user-error.ts";
import type { OnEngine } from "../../guard/check-image.ts";
import { readRows, readSnapshot, type Snapshot, statementsOf, type TableFacts, type Tables } from "./changes.ts";
import { problemsOf, readPreparation } from "./preparation.ts";
import { errorOf, inside, psqlOf, type Side, sql } from "./side.ts";

const slot = "orion_move";
/** Says in a database what a move has made of it: `copying`, or `left` for the one that a move has left behind. */
export const marker = "orion_move";
/** Changes that are read at once; a transaction is never divided. */
const batch = 5000;
/** The target is close enough to begin the pause. */
const closeBytes = 1_000_000;
/** A larger table's rows are counted in the pause, not compared. */
const comparedBytes = 2 * 1024 ** 3;

const progressMs = 10_000;

export interface MoveArgs {
  readonly on: OnEngine;
  readonly from: Side;
  readonly to: Side;
  readonly say: (line: string) => void;
  /** Asked before the pause. @returns whether to go on */
  readonly agree: () => Promise<boolean>;
  /** Whether the contents of a target that an earlier move has left behind or not finished may be replaced. */
  readonly replace: boolean;
}

export interface Moved {
  readonly tables: number;
  readonly rows: number;
  /** Milliseconds from the first refused write until the target was complete. */
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
  await sql(on, from, `SELECT pg_create_logical_replication_slot('${slot}', 'test_decoding')`);
  try {
    const moved = await withSlot(args);
    if (moved) await sql(on, from, leaving(from));
    return moved;
  } finally {
    await sql(
      on,
      from,
      `SELECT pg_drop_replication_slot('${slot}') FROM pg_replication_slots WHERE slot_name = '${slot}'`,
    ).catch((error: unknown) => {
      say(
        `The slot ${slot} of ${from.name} is still there, and keeps its WAL: SELECT pg_drop_replication_slot('${slot}'). ${String(error)}`,
      );
    });
  }

  async function withSlot(all: MoveArgs): Promise<Moved | undefined> {
    const schema = await sql(on, from, schemaSql);
    await sql(on, to, writable);
    await sql(
      on,
      to,
      `CREATE TABLE IF NOT EXISTS public.${marker} (state text, at timestamptz DEFAULT now()); TRUNCATE public.${marker}; INSERT INTO public.${marker} VALUES ('copying');`,
      "owner",
    );
    await sql(on, to, emptying, "owner");
    const snapshot = await copy(all);
    const tables = readTables(await sql(on, from, tablesSql));
    await sql(on, to, `${eachTable("DISABLE")} ANALYZE;`, "owner");
    await catchUp(all, tables, snapshot);
    if (!(await agree())) return undefined;
    return pause(all, tables, snapshot, schema);
  }
}

/** Refuses writes of every session of the database but those that say otherwise, and ends the open ones. */
const readOnly = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend';`;
export const writable = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$;`;

const leaving = ({ owner }: Side): string =>
  `${owner === undefined ? "" : `SET ROLE ${owner};`} CREATE TABLE IF NOT EXISTS public.${marker} (state text, at timestamptz DEFAULT now()); INSERT INTO public.${marker} VALUES ('left');`;

/** Tables of the platform, without the parts of extensions. */
const own = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relname <> '${marker}'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;
const fromClasses = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

const eachTable = (what: "DISABLE" | "ENABLE"): string => `DO $$ DECLARE t text; BEGIN
  FOR t IN SELECT format('%I.%I', n.nspname, c.relname) ${fromClasses} WHERE c.relkind IN ('r', 'p') AND ${own}
  LOOP EXECUTE format('ALTER TABLE %s ${what} TRIGGER USER', t); END LOOP; END $$;`;

/** Removes what an earlier move has left; the user has agreed to it, and {@link marker} says that it was one. */
const emptying = `DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT format('%I.%I', n.nspname, c.relname) AS name, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
    ${fromClasses} WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND ${own} ORDER BY c.relkind = 'S'
  LOOP EXECUTE format('DROP %s IF EXISTS %s CASCADE', one.kind, one.name); END LOOP;
  FOR one IN SELECT p.oid::regprocedure AS name, CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  LOOP EXECUTE format('DROP %s IF EXISTS %s CASCADE', one.kind, one.name); END LOOP;
  FOR one IN SELECT t.oid::regtype AS name FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')))
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
  LOOP EXECUTE format('DROP TYPE IF EXISTS %s CASCADE', one.name); END LOOP;
  FOR one IN SELECT n.nspname AS name FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public')
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
  LOOP EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', one.name); END LOOP;
END $$;`;

const tablesSql = `SELECT json_build_object('table', format('%I.%I', n.nspname, c.relname), 'bytes', pg_table_size(c.oid),
  'key', coalesce((SELECT json_agg(quote_ident(a.attname)) FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary), '[]'),
  'generated', coalesce((SELECT json_agg(quote_ident(a.attname)) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> ''), '[]'),
  'identity', coalesce((SELECT json_agg(quote_ident(a.attname)) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity = 'a'), '[]'))
 ${fromClasses} WHERE c.relkind = 'r' AND ${own} ORDER BY 1::text`;

/** What a migration would change, as one hash. */
const schemaSql = `SELECT md5(coalesce(string_agg(one, ' ' ORDER BY one), '')) FROM (
  SELECT format('%s %s %s %s %s', c.oid::regclass, c.relkind, a.attname, a.atttypid::regtype, a.attnotnull) AS one
   ${fromClasses} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i') AND ${own}) AS all_of_them`;

const preparationSql = `SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'walLevel', current_setting('wal_level'),
  'freeSlots', current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots),
  'hasSlot', EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '${slot}'),
  'mayReplicate', (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user),
  'ownsDatabase', (SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = current_database()),
  'standby', pg_is_in_recovery(),
  'bytes', pg_database_size(current_database()),
  'largeObjects', (SELECT count(*) FROM pg_largeobject_metadata),
  'withoutKey', coalesce((SELECT json_agg(format('%I.%I', n.nspname, c.relname)) ${fromClasses} WHERE c.relkind = 'r' AND ${own}
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)), '[]'),
  'otherIdentity', coalesce((SELECT json_agg(format('%I.%I', n.nspname, c.relname)) ${fromClasses} WHERE c.relkind = 'r' AND ${own} AND c.relreplident <> 'd'), '[]'),
  'unlogged', coalesce((SELECT json_agg(format('%I.%I', n.nspname, c.relname)) ${fromClasses} WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND ${own}), '[]'),
  'tables', (SELECT count(*) ${fromClasses} WHERE c.relkind IN ('r', 'p', 'v', 'm') AND ${own}),
  'extensions', (SELECT json_agg(extname) FROM pg_extension WHERE extname <> 'plpgsql'),
  'offers', (SELECT json_agg(name) FROM pg_available_extensions),
  'prepared', (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()),
  'marker', to_regclass('public.${marker}')::text)`;

/** A dump of one moment, restored as it comes, and which transactions it has. */
async function copy({ on, from, to, say }: MoveArgs): Promise<Snapshot> {
  const restore = [
    ...[
      "pg_restore",
      "--exit-on-error",
      "--no-owner",
      "--no-privileges",
      "--no-comments",
      "--no-publications",
      "--no-subscriptions",
    ],
    ...(to.owner === undefined ? [] : [`--role=${to.owner}`]),
    `--dbname=${to.database}`,
  ];
  const dump = [
    "pg_dump",
    "--format=custom",
    "--compress=1",
    `--exclude-table=public.${marker}`,
    `--dbname=${from.database}`,
  ];
  const script = `set -u
d=$(mktemp -d) && mkfifo "$d/in" || exit 1
${psqlOf(from)} <"$d/in" >"$d/out" 2>"$d/error" &
exec 3>"$d/in"
echo "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot(); SELECT pg_export_snapshot();" >&3
tries=0
until [ "$(wc -l <"$d/out")" -ge 2 ]; do
  tries=$((tries + 1)); [ $tries -lt 300 ] || { cat "$d/error" >&2; exit 1; }
  sleep 0.2
done
snapshot=$(sed -n 2p "$d/out")
{ ${inside(from, dump)} --snapshot="$snapshot" 2>"$d/dump" || echo "pg_dump: error: it failed" >>"$d/dump"; } | ${inside(to, restore)} 2>"$d/restore"
code=$?
echo "COMMIT;" >&3; exec 3>&-; wait
cat "$d/dump" "$d/restore" >&2
[ ! -s "$d/dump" ] || code=1
sed -n 1p "$d/out"
rm -rf "$d"
exit $code
`;
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
  const { code, stdout, stderr } = await on(script, 7 * 24 * 3600);
  clearInterval(progress);
  if (code !== 0) throw new UserError(`The copy failed: ${errorOf(stderr)}`);
  say(`  the copy took ${Math.round((Date.now() - begun) / 1000)} s`);
  return readSnapshot(stdout.trim().split("\n").at(-1) ?? "");
}

interface Sized extends TableFacts {
  readonly bytes: number;
}
type SizedTables = ReadonlyMap<string, Sized>;

const tableSchema = z.object({
  ...{ table: z.string(), bytes: z.number() },
  ...{ key: z.array(z.string()), generated: z.array(z.string()), identity: z.array(z.string()) },
});

const readTables = (text: string): SizedTables =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const { table, ...facts } = tableSchema.parse(JSON.parse(line));
        return [table, facts];
      }),
  );

/** Reads the next changes and makes them in the target. @returns how many rows were read */
async function step({ on, from, to }: MoveArgs, tables: Tables, snapshot: Snapshot): Promise<number> {
  const rows = readRows(
    await sql(
      on,
      from,
      `SELECT json_build_array(xid::text::bigint, data) FROM pg_logical_slot_get_changes('${slot}', NULL, ${batch}, 'include-xids', '0', 'skip-empty-xacts', '1')`,
    ),
  );
  const statements = statementsOf(rows, tables, snapshot);
  if (statements.length > 0) await sql(on, to, `BEGIN;\n${statements.join("\n")}\nCOMMIT;`, "owner");
  return rows.length;
}

const lagSql = `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint FROM pg_replication_slots WHERE slot_name = '${slot}'`;

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
  const { on, from, to, say } = args;
  // What came while the user was asked.
  await catchUp(args, tables, snapshot);
  const began = Date.now();
  try {
    await sql(on, from, readOnly);
    if ((await sql(on, from, schemaSql)) !== schema)
      throw new UserError(
        "A migration has changed tables during the move; run no migration meanwhile, and begin again.",
      );
    let rows: number;
    do rows = await step(args, tables, snapshot);
    while (rows > 0);
    await sql(on, to, await sql(on, from, sequencesSql), "owner");
    const compared = await compare(args, tables);
    await sql(on, to, `${eachTable("ENABLE")} DROP TABLE public.${marker};`, "owner");
    const pausedMs = Date.now() - began;
    say(
      `  ${to.name} is complete: ${tables.size} tables, ${compared} rows, the same in both; writes were refused for ${(pausedMs / 1000).toFixed(1)} s`,
    );
    return { tables: tables.size, rows: compared, pausedMs };
  } catch (error) {
    await sql(on, from, writable);
    say(`  ${from.name} takes writes again`);
    throw error;
  }
}

/** Statements that set each sequence to its value. */
const sequencesSql = `SELECT format('SELECT setval(%L, %s);', format('%I.%I', schemaname, sequencename), last_value) FROM pg_sequences WHERE last_value IS NOT NULL`;

/** Rows and contents of each table, as a line. */
const sumSql = ([name, { bytes }]: readonly [string, Sized]): string =>
  `SELECT ${quoted(name)}, count(*), ${bytes > comparedBytes ? "'not compared'" : "coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)"} FROM ${name} t;`;

/** @returns how many rows both have. @throws {UserError} with the tables that differ */
async function compare({ on, from, to }: MoveArgs, tables: SizedTables): Promise<number> {
  const question = [...tables].map(sumSql).join("\n");
  // extra_float_digits is the same in both sessions, so equal values are equal texts.
  const [source, target] = await Promise.all([sql(on, from, question), sql(on, to, question)]);
  const lines = source.split("\n");
  const others = new Set(target.split("\n"));
  const different = lines.filter((line) => !others.has(line)).map((line) => line.split("|")[0]);
  if (different.length > 0)
    throw new UserError(`${different.join(", ")}: not the same in ${to.name} as in ${from.name}.`);
  return lines.reduce((sum, line) => sum + Number(line.split("|")[1] ?? 0), 0);
}

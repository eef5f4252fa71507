/** The SQL of a move: what it asks of both databases, and how it prepares, empties, pauses and completes them. Pure. */
import type { SizedTables } from "./tables.ts";

/** The replication slot at the source; it exists as long as a move runs. */
export const slot = "orion_move";
/** The table that says what a move has made of a database: `copying` in the target, `left` in the former source. */
export const marker = "orion_move";
/** Changes that are read at once; a transaction is never divided. */
export const batch = 5000;
/** A larger table's rows are counted in the pause, not compared. */
const comparedBytes = 2 * 1024 ** 3;

export const createSlot = `SELECT pg_create_logical_replication_slot('${slot}', 'test_decoding')`;
export const dropSlot = `SELECT pg_drop_replication_slot('${slot}') FROM pg_replication_slots WHERE slot_name = '${slot}'`;

/** Takes the next changes from the slot: a row each, as `[transaction, text]`. */
export const nextChanges = `SELECT json_build_array(xid::text::bigint, data) FROM pg_logical_slot_get_changes('${slot}', NULL, ${batch}, 'include-xids', '0', 'skip-empty-xacts', '1')`;

/**
 * Makes new sessions of the database read-only, unless they choose otherwise, and ends the sessions of all clients. A provider's own
 * superusers stay connected: nobody else may end their sessions, and to try would be an error.
 */
export const readOnly = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity JOIN pg_roles AS client ON client.oid = usesysid
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
   AND (NOT client.rolsuper OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user));`;
/** Takes {@link readOnly} back. */
export const writable = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$;`;

const createMarker = `CREATE TABLE IF NOT EXISTS public.${marker} (state text, at timestamptz DEFAULT now());`;

/** Marks the target while it is incomplete. */
export const markCopying = `${createMarker} TRUNCATE public.${marker}; INSERT INTO public.${marker} VALUES ('copying');`;

/** Marks the source when its data has moved. */
export const markLeft = `${createMarker} INSERT INTO public.${marker} VALUES ('left');`;

/** Tables of the platform, without the parts of extensions. */
const own = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relname <> '${marker}'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;
const fromClasses = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

/** Switches the triggers of all tables: what they do at the source comes as changes of its own. */
export const userTriggers = (what: "DISABLE" | "ENABLE"): string => `DO $$ DECLARE t text; BEGIN
  FOR t IN SELECT format('%I.%I', n.nspname, c.relname) ${fromClasses} WHERE c.relkind IN ('r', 'p') AND ${own}
  LOOP EXECUTE format('ALTER TABLE %s ${what} TRIGGER USER', t); END LOOP; END $$;`;

/**
 * Drops all tables, views, sequences, functions, types and schemas that no extension owns. Only for a target that is empty or that an
 * earlier move has filled (preparation.ts).
 */
export const dropEverything = `DO $$ DECLARE one record; BEGIN
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

/** Each table, as a row that tables.ts reads. */
export const tablesSql = `SELECT json_build_object('table', format('%I.%I', n.nspname, c.relname), 'bytes', pg_table_size(c.oid),
  'key', coalesce((SELECT json_agg(quote_ident(a.attname)) FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary), '[]'),
  'generated', coalesce((SELECT json_agg(quote_ident(a.attname)) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> ''), '[]'),
  'identity', coalesce((SELECT json_agg(quote_ident(a.attname)) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity = 'a'), '[]'))
 ${fromClasses} WHERE c.relkind = 'r' AND ${own} ORDER BY 1::text`;

/** A hash of all tables and columns: another one after a migration. */
export const schemaSql = `SELECT md5(coalesce(string_agg(one, ' ' ORDER BY one), '')) FROM (
  SELECT format('%s %s %s %s %s', c.oid::regclass, c.relkind, a.attname, a.atttypid::regtype, a.attnotnull) AS one
   ${fromClasses} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i') AND ${own}) AS all_of_them`;

/** What decides whether the database can be moved, as a row that preparation.ts reads. */
export const preparationSql = `SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'walLevel', current_setting('wal_level'),
  'freeSlots', current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots),
  'hasSlot', EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '${slot}'),
  'mayReplicate', (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user),
  'ownsDatabase', (SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = current_database()),
  'standby', pg_is_in_recovery(),
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

/** Bytes of WAL that have not been read from the slot yet. */
export const lagSql = `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint FROM pg_replication_slots WHERE slot_name = '${slot}'`;

/** Statements that set each sequence to its value. */
export const sequencesSql = `SELECT format('SELECT setval(%L, %s);', format('%I.%I', schemaname, sequencename), last_value) FROM pg_sequences WHERE last_value IS NOT NULL`;

/** Each table's name, number of rows and a sum of their hashes, as a row that tables.ts compares. */
export const contentsSql = (tables: SizedTables): string =>
  [...tables]
    .map(([name, { bytes }]) => {
      const sum = bytes > comparedBytes ? "'not compared'" : "coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)";
      return `SELECT ${literal(name)}, count(*), ${sum} FROM ${name} t;`;
    })
    .join("\n");

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

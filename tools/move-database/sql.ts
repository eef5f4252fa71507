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

/** Tables of the platform, without the parts of extensions. */
const own = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relname <> '${marker}'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;
const fromClasses = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

/** Other clients of the database. What a role does whose statistics one may not read has no kind. */
const clients = `pg_stat_activity JOIN pg_roles AS client ON client.oid = usesysid
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend'`;
const mayEnd = `(pg_has_role(current_user, client.oid, 'USAGE') OR (NOT client.rolsuper AND pg_has_role(current_user, 'pg_signal_backend', 'USAGE')))`;
/** The names of roles that are connected, may write, and whose sessions the own role may not end. A provider's own superusers are none. */
const unstoppable = `SELECT DISTINCT client.rolname::text FROM ${clients} AND NOT client.rolsuper AND NOT ${mayEnd}
  AND EXISTS (SELECT ${fromClasses} WHERE c.relkind IN ('r', 'p') AND ${own} AND has_table_privilege(client.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))`;

/**
 * Makes new sessions of the database read-only, unless they choose otherwise, and ends the sessions of all clients: resolves when they
 * are gone, since one that is ending may still commit. A provider's own superusers stay connected: nobody else may end their sessions.
 */
export const readOnly = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$;
DO $$ DECLARE pids int[]; roles text; BEGIN
  SELECT coalesce(array_agg(pid), '{}') INTO pids FROM ${clients} AND ${mayEnd};
  PERFORM pg_terminate_backend(pid) FROM unnest(pids) AS pid;
  FOR tries IN 1..200 LOOP
    PERFORM pg_stat_clear_snapshot();
    EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ANY (pids));
    PERFORM pg_sleep(0.05);
  END LOOP;
  IF EXISTS (SELECT FROM pg_stat_activity WHERE pid = ANY (pids)) THEN RAISE EXCEPTION 'a session does not end'; END IF;
  SELECT string_agg(rolname, ', ') INTO roles FROM (${unstoppable}) AS one;
  IF roles IS NOT NULL THEN RAISE EXCEPTION 'sessions of % can write, and nobody here may end them', roles; END IF;
END $$;`;
/** Takes {@link readOnly} back. */
export const writable = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$;`;

/** The way back from a database that refuses writes. @param database as PostgreSQL quotes it */
export const allowWritesSql = (database: string): string =>
  `SET default_transaction_read_only = off; ALTER DATABASE ${database} RESET default_transaction_read_only`;

/** What a move has made of a database. */
export type MoveState = "copying" | "moved" | "left";

/**
 * Says in a database what a move has made of it: `copying` in a target that is incomplete; `moved` in one that is complete, and in
 * which clients may have written since; `left` in the former source.
 */
export const markAs = (state: MoveState): string =>
  `CREATE TABLE IF NOT EXISTS public.${marker} (state text, at timestamptz DEFAULT now());
BEGIN; TRUNCATE public.${marker}; INSERT INTO public.${marker} VALUES ('${state}'); COMMIT;`;
export const dropMarker = `DROP TABLE IF EXISTS public.${marker}`;

/** Switches the triggers of all tables: what they do at the source comes as changes of its own. */
export const userTriggers = (what: "DISABLE" | "ENABLE"): string => `DO $$ DECLARE t text; BEGIN
  FOR t IN SELECT format('%I.%I', n.nspname, c.relname) ${fromClasses} WHERE c.relkind IN ('r', 'p') AND ${own}
  LOOP EXECUTE format('ALTER TABLE %s ${what} TRIGGER USER', t); END LOOP; END $$;`;

/** Statements for the triggers that are not simply on: those that are disabled, and those for replicas. */
export const triggersSql = `SELECT format('ALTER TABLE %I.%I %s TRIGGER %I;', n.nspname, c.relname,
  CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname)
 ${fromClasses} JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal AND t.tgenabled <> 'O' AND ${own} ORDER BY 1`;

const isOwn = (owner: string): string => `pg_has_role(current_user, ${owner}, 'USAGE')`;
/** Of no extension, and not made together with something else, as the functions of a range type are. */
const isAlone = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid} AND d.deptype IN ('e', 'i'))`;
const ofUser = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
/** Drops one after the other what a query finds, since each may take others with it. */
const dropEach = (query: string): string =>
  `LOOP ${query} LIMIT 1; EXIT WHEN NOT FOUND; EXECUTE format('DROP %s %s CASCADE', one.kind, one.name); END LOOP;`;

/**
 * Drops all tables, views, sequences, functions, types and schemas that the role owns and no extension. Only for a target that is empty
 * or that an earlier move has filled (preparation.ts).
 */
export const dropEverything = `DO $$ DECLARE one record; BEGIN
  ${dropEach(`SELECT format('%I.%I', n.nspname, c.relname) AS name, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
    INTO one ${fromClasses} WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND ${own} AND ${isOwn("c.relowner")} ORDER BY c.relkind = 'S'`)}
  ${dropEach(`SELECT p.oid::regprocedure::text AS name, 'ROUTINE' AS kind INTO one FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE ${ofUser} AND ${isOwn("p.proowner")} AND ${isAlone("pg_proc", "p.oid")}`)}
  ${dropEach(`SELECT t.oid::regtype::text AS name, 'TYPE' AS kind INTO one FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE ${ofUser} AND ${isOwn("t.typowner")} AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')))
     AND ${isAlone("pg_type", "t.oid")}`)}
  ${dropEach(`SELECT quote_ident(n.nspname) AS name, 'SCHEMA' AS kind INTO one FROM pg_namespace n WHERE ${ofUser} AND n.nspname <> 'public' AND ${isOwn("n.nspowner")}
     AND ${isAlone("pg_namespace", "n.oid")} AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.extnamespace = n.oid)`)}
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
export const preparationSql = `DO $$ BEGIN IF to_regclass('public.${marker}') IS NOT NULL THEN
  PERFORM set_config('orion.move', coalesce((SELECT state FROM public.${marker} ORDER BY at DESC LIMIT 1), 'copying'), false); END IF; END $$;
SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'walLevel', current_setting('wal_level'),
  'freeSlots', current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots),
  'hasSlot', EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '${slot}'),
  'mayReplicate', (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)
    OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication' AND pg_has_role(current_user, oid, 'USAGE')),
  'ownsDatabase', (SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = current_database()),
  'database', quote_ident(current_database()),
  'readOnly', EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
    WHERE d.datname = current_database() AND s.setrole = 0 AND 'default_transaction_read_only=on' = ANY (s.setconfig)),
  'unstoppable', (SELECT coalesce(json_agg(rolname), '[]') FROM (${unstoppable}) AS one),
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
  'marker', current_setting('orion.move', true))`;

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

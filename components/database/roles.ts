/** The SQL that gives a database its roles and rights, and that ends what the version before still needed. Pure. */
import { poolerLogin } from "./pooler-login.ts";
import {
  activeApp,
  appRole,
  handoverRole,
  idleApp,
  loginRoles,
  ownerRole,
  superuser,
  type LoginRole,
} from "./role-names.ts";

export interface RolesSettings {
  readonly database: string;
  /** `orion:database.extensions` */
  readonly extensions: readonly string[];
  /** `orion:database.rotation` */
  readonly rotation: number;
}

/**
 * No statement with a password may be in the log, and none may wait long for a table that is in use. A database whose data has moved
 * to another server refuses writes by default, but not new roles.
 */
const session = `SET client_min_messages = warning;
SET default_transaction_read_only = off;
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
SET password_encryption = 'scram-sha-256';
SET lock_timeout = '2s';
`;

const nothing = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS";

/** What a role may do of that, by role. */
const more: Readonly<Partial<Record<LoginRole, string>>> = { backup: "BYPASSRLS", replication: "REPLICATION" };

const attributesOf = (role: LoginRole): string => {
  const own = more[role];
  return own === undefined ? nothing : nothing.replace(`NO${own}`, own);
};

/**
 * An idempotent script for psql, as the superuser in the platform's database. Its variables are the passwords of the roles, by
 * {@link passwordVariables}. A database of the version before is taken over: what its superuser owns, the owner owns afterwards.
 */
export const rolesScript = (settings: RolesSettings): string =>
  [session, handover, roles(settings), database(settings), extensions(settings), takeover, defaults, poolerLogin].join(
    "\n",
  );

/** The variables of {@link rolesScript}. */
export const passwordVariables = ["migrator", "app", "reader", "backup", "replication", "pooler", "monitor"] as const;

/**
 * Before anything else: until the update has replaced them, the processes of the version before go on as the superuser. A new
 * database has nothing yet that the superuser owns.
 */
const handover = `SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${handoverRole}') AS first \\gset
\\if :first
BEGIN;
CREATE ROLE ${handoverRole} NOLOGIN;
SELECT 'GRANT ${handoverRole} TO ${superuser}'
  WHERE EXISTS (
    SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relowner = '${superuser}'::regrole
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
\\gexec
COMMIT;
\\endif
`;

function roles({ rotation }: RolesSettings): string {
  const active = activeApp(rotation);
  const names = [ownerRole, appRole, ...Object.values(loginRoles)];
  const values = names.map((name) => `('${name}')`).join(", ");
  const login = (role: LoginRole, variable: string) =>
    `ALTER ROLE ${loginRoles[role]} WITH LOGIN ${attributesOf(role)} VALID UNTIL 'infinity' PASSWORD :'${variable}';`;
  return `SELECT format('CREATE ROLE %I NOLOGIN', name) FROM (VALUES ${values}) AS wanted (name)
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\\gexec
ALTER ROLE ${ownerRole} WITH NOLOGIN ${nothing};
ALTER ROLE ${appRole} WITH NOLOGIN ${nothing};
ALTER ROLE ${loginRoles[idleApp(rotation)]} WITH ${nothing};
${login(active, "app")}
${(["migrator", "reader", "backup", "replication", "pooler", "monitor"] as const).map((role) => login(role, role)).join("\n")}
GRANT ${ownerRole} TO ${loginRoles.migrator};
-- What a migration creates belongs to ${ownerRole}: every session of the migrator acts as this role.
ALTER ROLE ${loginRoles.migrator} SET role = '${ownerRole}';
GRANT ${appRole} TO ${loginRoles.appA}, ${loginRoles.appB};
GRANT pg_read_all_data, pg_monitor TO ${loginRoles.backup};
-- A base backup that reads a replica's files ends with a checkpoint there what they lack. Before version 15 superusers alone may.
SELECT 'GRANT pg_checkpoint TO ${loginRoles.backup}' FROM pg_roles WHERE rolname = 'pg_checkpoint'
\\gexec
-- Large objects have no role that may read all of them.
ALTER ROLE ${loginRoles.backup} SET lo_compat_privileges = on;
GRANT pg_monitor TO ${loginRoles.monitor};
`;
}

/** The owner may create schemas and PostgreSQL's "trusted" extensions; nobody else may create anything that lasts. */
const database = ({ database: name }: RolesSettings): string => `REVOKE ALL ON DATABASE ${name} FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE ${name} TO ${ownerRole};
GRANT CONNECT, TEMPORARY ON DATABASE ${name} TO ${appRole};
GRANT CONNECT ON DATABASE ${name} TO ${loginRoles.reader}, ${loginRoles.backup}, ${loginRoles.monitor};
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO ${loginRoles.monitor};
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO ${ownerRole};
GRANT USAGE ON SCHEMA public TO ${appRole}, ${loginRoles.reader};
`;

const extensions = ({ extensions: names }: RolesSettings): string =>
  names.map((name) => `CREATE EXTENSION IF NOT EXISTS "${name}" CASCADE;\n`).join("");

/**
 * One statement for each object, so that no lock is held for longer than its own change takes. Sequences of columns and parts of
 * extensions are left out: they follow their table, or stay with the extension.
 */
const takeover = `WITH owned (class, object, owner, schema) AS (
  SELECT 'pg_namespace'::regclass, oid, nspowner, oid FROM pg_namespace
  UNION ALL SELECT 'pg_class'::regclass, oid, relowner, relnamespace FROM pg_class AS c
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT EXISTS (
      SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND c.relkind = 'S'
        AND d.deptype IN ('a', 'i'))
  UNION ALL SELECT 'pg_proc'::regclass, oid, proowner, pronamespace FROM pg_proc
  UNION ALL SELECT 'pg_type'::regclass, oid, typowner, typnamespace FROM pg_type AS t
    WHERE (typtype IN ('b', 'd', 'e', 'r') AND NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid))
      OR (typtype = 'c' AND EXISTS (SELECT FROM pg_class AS c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
  UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner, oprnamespace FROM pg_operator
  UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner, opcnamespace FROM pg_opclass
  UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner, opfnamespace FROM pg_opfamily
  UNION ALL SELECT 'pg_collation'::regclass, oid, collowner, collnamespace FROM pg_collation
  UNION ALL SELECT 'pg_conversion'::regclass, oid, conowner, connamespace FROM pg_conversion
  UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner, stxnamespace FROM pg_statistic_ext
  UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner, cfgnamespace FROM pg_ts_config
  UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner, dictnamespace FROM pg_ts_dict
), mine AS (
  SELECT class, object, what.type, what.identity
  FROM owned JOIN pg_namespace AS n ON n.oid = owned.schema, pg_identify_object(class, object, 0) AS what
  WHERE owner = '${superuser}'::regrole AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (
      SELECT FROM pg_depend AS d WHERE d.classid = class AND d.objid = object AND d.deptype = 'e')
)
SELECT format('ALTER %s %s OWNER TO ${ownerRole};', replace(type, 'statistics object', 'statistics'), identity)
  || CASE
    WHEN type = 'schema' THEN format('GRANT USAGE ON SCHEMA %s TO ${appRole}, ${loginRoles.reader};', identity)
    WHEN type = 'sequence' THEN
      format('GRANT SELECT, USAGE, UPDATE ON SEQUENCE %1$s TO ${appRole}; GRANT SELECT ON SEQUENCE %1$s TO ${loginRoles.reader};', identity)
    WHEN class = 'pg_class'::regclass THEN
      format('GRANT SELECT, INSERT, UPDATE, DELETE ON %1$s TO ${appRole}; GRANT SELECT ON %1$s TO ${loginRoles.reader};', identity)
      || coalesce((
        SELECT string_agg(format('GRANT SELECT, USAGE, UPDATE ON SEQUENCE %1$s TO ${appRole}; GRANT SELECT ON SEQUENCE %1$s TO ${loginRoles.reader};',
          d.objid::regclass), ' ')
        FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = mine.object
          AND d.deptype IN ('a', 'i')), '')
    ELSE ''
  END
FROM mine
-- Who owns an object must be able to create in its schema.
ORDER BY type <> 'schema'
\\gexec
SELECT format('ALTER LARGE OBJECT %1$s OWNER TO ${ownerRole}; GRANT SELECT, UPDATE ON LARGE OBJECT %1$s TO ${appRole};', oid)
FROM pg_largeobject_metadata WHERE lomowner = '${superuser}'::regrole
\\gexec
`;

/** What the owner creates later. A migration may revoke any of it. */
const defaults = `ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerRole}
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${appRole};
ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerRole} GRANT SELECT, USAGE, UPDATE ON SEQUENCES TO ${appRole};
ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerRole} GRANT SELECT ON TABLES TO ${loginRoles.reader};
ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerRole} GRANT SELECT ON SEQUENCES TO ${loginRoles.reader};
ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerRole} GRANT USAGE ON SCHEMAS TO ${appRole}, ${loginRoles.reader};
`;

/** How long processes that an update has replaced may still log in: a worker gets five minutes to end its last task. */
const graceMinutes = 15;

const isHandedOver = `EXISTS (
    SELECT FROM pg_auth_members WHERE roleid = '${handoverRole}'::regrole AND member = '${superuser}'::regrole)`;

/** Lets a role's password expire after the grace, unless that was done before. */
const expire = (role: string, condition: string): string =>
  `SELECT format('ALTER ROLE ${role} VALID UNTIL %L', now() + interval '${graceMinutes} minutes')
  FROM pg_roles WHERE rolname = '${role}' AND coalesce(rolvaliduntil, 'infinity') = 'infinity' AND ${condition}
\\gexec
`;

/** Takes the superuser's password away, unless processes of the version before may still need it. */
const closeSuperuser = `SELECT 'REVOKE ${handoverRole} FROM ${superuser}; ALTER ROLE ${superuser} PASSWORD NULL'
  FROM pg_roles WHERE rolname = '${superuser}' AND (NOT ${isHandedOver} OR rolvaliduntil < now())
\\gexec
`;

/**
 * An idempotent script that ends the logins which only processes of the version before needed: the superuser's over the network,
 * and that of the app's role which is not in use any more. It runs when the update has replaced those processes, some of which
 * still end their last work.
 *
 * @param keepSuperuser whether the superuser may log in over the network for good
 */
export const endFormerLoginsScript = (rotation: number, keepSuperuser: boolean): string =>
  [
    session,
    ...(keepSuperuser ? [] : [expire(superuser, isHandedOver), closeSuperuser]),
    expire(loginRoles[idleApp(rotation)], "rolcanlogin"),
  ].join("\n");

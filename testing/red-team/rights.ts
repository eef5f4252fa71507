/** What each credential may do: the environment of each container, PostgreSQL's roles and Redis' users. */
import type { Line } from "../golden.ts";
import type { OnServer } from "./reach.ts";

/** What the images themselves set; versions and paths change with each release of them. */
const ofImages =
  /^(PATH|HOME|HOSTNAME|LANG|GPG_KEY|PYTHON_\w+|NGINX_VERSION|NJS_\w+|PKG_RELEASE|DYNPKG_RELEASE|GOSU_VERSION|PG_(MAJOR|VERSION)|REDIS_(VERSION|DOWNLOAD_\w+))$/;

/** The names of the variables that the program gives each container. */
export async function variablesOn(on: OnServer, server: string): Promise<Line[]> {
  const ids = await on(server, "docker", "ps", "--quiet", "--filter", "label=service");
  const format = '{{index .Config.Labels "service"}}{{range .Config.Env}} {{index (split . "=") 0}}{{end}}';
  const lines = ids.length === 0 ? [] : await on(server, "docker", "inspect", "--format", format, ...ids);
  return lines.sort().map((line) => {
    const [service = "", ...names] = line.split(" ");
    const variables = names.filter((name) => !ofImages.test(name)).sort();
    return { kind: "variables", name: service, values: [{ variables }] };
  });
}

/** One row for each role that is not PostgreSQL's own: what it is, and what it may do with the orders and the database. */
const rolesQuery = `
SELECT r.rolname
  || '|' || concat_ws(' ', CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcanlogin THEN 'login' END,
       CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcreaterole THEN 'createrole' END,
       CASE WHEN rolreplication THEN 'replication' END, CASE WHEN rolbypassrls THEN 'bypassrls' END)
  || '|' || coalesce((SELECT string_agg(g.rolname, ' ' ORDER BY g.rolname) FROM pg_auth_members m
       JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid), '')
  || '|' || coalesce((SELECT string_agg(p, ' ') FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE']) p
       WHERE has_table_privilege(r.oid, 'public.orders', p)), '')
  || '|' || concat_ws(' ', CASE WHEN has_database_privilege(r.oid, current_database(), 'CONNECT') THEN 'connect' END,
       CASE WHEN has_database_privilege(r.oid, current_database(), 'TEMP') THEN 'temporary' END,
       CASE WHEN has_database_privilege(r.oid, current_database(), 'CREATE') THEN 'create-schema' END,
       CASE WHEN has_schema_privilege(r.oid, 'public', 'CREATE') THEN 'create-table' END)
FROM pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1`;

/** PostgreSQL's roles. @param query runs SQL as superuser and returns rows */
export async function databaseRoles(query: (sql: string) => Promise<string[]>): Promise<Line[]> {
  return (await query(rolesQuery)).map((row) => {
    const [name = "", is = "", memberOf = "", orders = "", database = ""] = row.split("|");
    return { kind: "role", name, values: [{ is, memberOf, orders, database }] };
  });
}

/** The users of a Redis, without the hashes of their passwords. @param list what ACL LIST answers */
export const redisUsers = (service: string, list: readonly string[]): Line[] =>
  list.map((line) => {
    const [, user = "", ...rules] = line.split(" ");
    return {
      kind: `user of ${service}`,
      name: user,
      values: [{ rules: rules.filter((rule) => !rule.startsWith("#")).join(" ") }],
    };
  });

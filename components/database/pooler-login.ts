/** The SQL function by which a pooler finds out who may log in. Pure. */
import { loginRoles } from "./role-names.ts";

/** In the database `postgres`, so that no dump of the platform's database contains it. */
const schema = "orion_pooler";
export const loginFunction = `${schema}.login`;

/** The roles that log in through a pooler. */
const pooled = [loginRoles.appA, loginRoles.appB, loginRoles.reader];

/**
 * An idempotent part of the roles' script, which runs in the database `postgres`. The function returns the SCRAM secret (not the
 * password) of one of the app's roles. Only the pooler's role may call it, and this role has no other rights.
 */
export const poolerLogin = `\\connect postgres
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS ${schema};
CREATE OR REPLACE FUNCTION ${loginFunction}(wanted text) RETURNS TABLE (role name, secret text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT rolname, rolpassword FROM pg_authid
    WHERE rolname = wanted AND rolname IN (${pooled.map((role) => `'${role}'`).join(", ")})
      AND rolcanlogin AND coalesce(rolvaliduntil, 'infinity') > now() $$;
REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC;
REVOKE ALL ON FUNCTION ${loginFunction}(text) FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO ${loginRoles.pooler};
GRANT USAGE ON SCHEMA ${schema} TO ${loginRoles.pooler};
GRANT EXECUTE ON FUNCTION ${loginFunction}(text) TO ${loginRoles.pooler};
`;

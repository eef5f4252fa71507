/** Checks a PostgreSQL server's connections and slow queries. */
import { handoverRole, superuser } from "../../../components/database/role-names.ts";
import { hasServers } from "../../../topology/topology.ts";
import type { Checked } from "../advice.ts";
import type { Question } from "../question.ts";

/** A query that runs longer than this, in seconds, is reported. */
const slowQuerySeconds = 30;

/** What a server of a stack with servers lacks: page checksums, or the refusal of superusers over the network. */
export async function weakness({ service, topology, exec }: Question): Promise<Checked | undefined> {
  if (!hasServers(topology)) return undefined;
  // During a handover the former superuser may log in for some minutes: its login then has an end, and is not reported.
  const query = `SELECT current_setting('data_checksums'),
    (SELECT count(*) FROM pg_hba_file_rules WHERE type LIKE 'host%' AND auth_method <> 'reject' AND user_name && '{all,${superuser}}'),
    (SELECT count(*) FROM pg_auth_members JOIN pg_roles AS m ON m.oid = member
      WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = '${handoverRole}') AND coalesce(m.rolvaliduntil, 'infinity') = 'infinity'),
    (SELECT count(*) FROM pg_roles WHERE rolsuper AND rolcanlogin AND rolname <> '${superuser}')`;
  const { ok, output } = await exec(service, "psql", "-XtA", "-F", " ", "-c", query);
  if (!ok) return { problem: "database-refuses", detail: output };
  const [checksums, rules = "0", handedOver = "0", others = "0"] = output.split(" ");
  if (Number(rules) + Number(handedOver) + Number(others) > 0) {
    const detail = `${rules} access rules let superusers in over the network, ${handedOver} superusers of the version before and ${others} other ones may log in`;
    return { problem: "superuser-open", detail };
  }
  return checksums === "on" ? undefined : { problem: "no-checksums", detail: "its data has no page checksums" };
}

export async function checkPostgres(question: Question): Promise<Checked> {
  const { service, exec, isDatabaseLeft = false } = question;
  const query = `SELECT (SELECT count(*) FROM pg_stat_activity), current_setting('max_connections'), current_setting('default_transaction_read_only'),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active' AND now() - query_start > interval '${slowQuerySeconds} seconds'),
    pg_size_pretty(pg_database_size(current_database()))`;
  const { ok, output } = await exec(service, "psql", "-XtA", "-F", " ", "-c", query);
  if (!ok) return { problem: "database-refuses", detail: output };
  const [connections = "0", most = "0", readOnly = "off", slow = "0", ...size] = output.split(" ");
  const detail = `${connections} of ${most} connections, ${slow} slow queries, ${size.join(" ")}`;
  if (readOnly === "on" && !isDatabaseLeft) return { problem: "database-read-only", detail };
  if (Number(slow) > 0) return { problem: "slow-queries", detail };
  if (Number(connections) > Number(most) * 0.9) return { problem: "connections", detail };
  return (await weakness(question)) ?? { detail };
}

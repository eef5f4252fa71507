/** Checks a PostgreSQL server's connections and slow queries. */
import type { Checked } from "../advice.ts";
import type { Question } from "../question.ts";

/** A query that runs longer than this, in seconds, is reported. */
const slowQuerySeconds = 30;

export function checkPostgres({ service, exec }: Question): Checked {
  const query = `SELECT (SELECT count(*) FROM pg_stat_activity), current_setting('max_connections'),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active' AND now() - query_start > interval '${slowQuerySeconds} seconds'),
    pg_size_pretty(pg_database_size(current_database()))`;
  const { ok, output } = exec(service, "psql", "-XtA", "-F", " ", "-c", query);
  if (!ok) return { problem: "database-refuses", detail: output };
  const [connections = "0", most = "0", slow = "0", ...size] = output.split(" ");
  const detail = `${connections} of ${most} connections, ${slow} slow queries, ${size.join(" ")}`;
  if (Number(slow) > 0) return { problem: "slow-queries", detail };
  return Number(connections) > Number(most) * 0.9 ? { problem: "connections", detail } : { detail };
}

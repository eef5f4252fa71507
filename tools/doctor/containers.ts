/** How the containers of a stack are: what Docker says of each, and what its own service says when it is asked. */
import { redisDatabases } from "../../common/app-contract.ts";
import { edgeHealthPath } from "../../common/edge-contract.ts";
import { queues } from "../../config/schema.ts";
import { type Service, servicesOf, type Topology } from "../../topology/types.ts";
import { type ContainerState } from "../docker.ts";
import { type Checked } from "./advice.ts";
import { type Exec } from "./exec.ts";
import { checkHttp, isBehindBalancer } from "./http.ts";

/** A query that runs longer than this, in seconds, is worth a look. */
const slowQuerySeconds = 30;
/** A replica may be so far behind, in seconds: a long query holds it up. */
const lateSeconds = 300;

/** @param state undefined when there is no such container */
export async function checkContainer(
  service: Service,
  state: ContainerState | undefined,
  topology: Topology,
  exec: Exec,
): Promise<Checked> {
  if (state?.State.Status !== "running") {
    return { problem: state ? "stopped" : "missing", detail: describeExit(state) };
  }
  if (state.State.Health && state.State.Health.Status !== "healthy") {
    return { problem: "unhealthy", detail: `health: ${state.State.Health.Status}` };
  }
  const checked = await checkFunction(service, topology, exec);
  const restarts = state.RestartCount > 0 ? `, restarted ${state.RestartCount} times` : "";
  return { ...checked, detail: checked.detail + restarts };
}

function describeExit(state: ContainerState | undefined): string {
  if (!state) return "no such container";
  return state.State.OOMKilled ? "killed: out of memory" : `${state.State.Status}, exit code ${state.State.ExitCode}`;
}

async function checkFunction(service: Service, topology: Topology, exec: Exec): Promise<Checked> {
  const app = servicesOf(topology, "app").find(({ server }) => server === service.server);
  switch (service.kind) {
    case "database":
    case "test-database":
      return checkDatabase(service, exec);
    case "replica":
      return checkReplica(service, exec);
    case "cache":
    case "broker":
      return checkCache(service, exec);
    case "worker":
      return checkWorker(service, topology, exec);
    case "app":
      return checkHttp(service, "/ready", "app-not-ready", exec, service);
    case "edge":
      return isBehindBalancer(service)
        ? checkHttp(service, edgeHealthPath, "bad-gateway", exec, app)
        : checkHttp(service, "/ready", "bad-gateway", exec, app);
    case "flower":
      return checkHttp(service, "/", "no-answer", exec, service);
    case "docs":
      return checkHttp(service, "/", "no-answer", exec, app);
    default:
      return { detail: "healthy" };
  }
}

function checkDatabase(service: Service, exec: Exec): Checked {
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

/** A replica that has nothing to fetch is not late, however long ago the last change was. */
function checkReplica(service: Service, exec: Exec): Checked {
  const query = `SELECT coalesce((SELECT status FROM pg_stat_wal_receiver), 'nothing'),
    CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
      ELSE coalesce(round(extract(epoch FROM now() - pg_last_xact_replay_timestamp())), 0) END`;
  const { ok, output } = exec(service, "psql", "-XtA", "-F", " ", "-c", query);
  if (!ok) return { problem: "database-refuses", detail: output };
  const [status = "", seconds = "0"] = output.split(" ");
  const detail = `${status} from the primary, ${seconds} s behind`;
  return status === "streaming" && Number(seconds) <= lateSeconds ? { detail } : { problem: "replica-behind", detail };
}

function checkCache(service: Service, exec: Exec): Checked {
  const { ok, output } = exec(service, "redis-cli", "info");
  if (!ok || !output.includes("used_memory_human")) return { problem: "cache-refuses", detail: output.slice(0, 200) };
  const value = (key: string) => new RegExp(`^${key}:(.*?)\\r?$`, "m").exec(output)?.[1] ?? "?";
  const detail = `${value("used_memory_human")} of ${value("maxmemory_human")}, ${value("connected_clients")} clients`;
  return Number(value("used_memory")) > Number(value("maxmemory")) * 0.9
    ? { problem: "cache-full", detail }
    : { detail };
}

function checkWorker(service: Service, topology: Topology, exec: Exec): Checked {
  const [cache] = [...servicesOf(topology, "broker"), ...servicesOf(topology, "cache")];
  const lengths = (service.queues ?? queues).map((queue) => {
    const { output } = cache
      ? exec(cache, "redis-cli", "-n", String(redisDatabases.broker), "llen", queue)
      : { output: "0" };
    return { queue, length: Number(output) || 0 };
  });
  const waiting = lengths.filter(({ length }) => length > 0).map(({ queue, length }) => `${queue} ${length}`);
  const answers = exec(service, "celery", "-A", "app.celery", "inspect", "ping", "--timeout", "5");
  const detail = waiting.length > 0 ? `waiting: ${waiting.join(", ")}` : "no task waits";
  if (!answers.ok || !answers.output.includes("pong")) return { problem: "worker-silent", detail };
  return lengths.some(({ length }) => length > 1000) ? { problem: "tasks-pile-up", detail } : { detail };
}

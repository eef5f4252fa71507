/** The common problems of the platform: what each means and what to do about it. Pure. */
import { dataMount } from "../../common/server-contract.ts";

export type Problem =
  | "server-silent"
  | "primary-silent"
  | "missing"
  | "stopped"
  | "unhealthy"
  | "no-answer"
  | "bad-gateway"
  | "app-not-ready"
  | "database-refuses"
  | "connections"
  | "slow-queries"
  | "replica-behind"
  | "cache-refuses"
  | "cache-full"
  | "worker-silent"
  | "tasks-pile-up"
  | "backup-late"
  | "backups-off"
  | "backups-unknown"
  | "disk-full"
  | "volume-full";

/** What a check found; no problem means that all is well. */
export interface Finding {
  readonly service: string;
  readonly problem?: Problem;
  readonly detail: string;
}

export type Checked = Omit<Finding, "service">;

export interface Advice {
  readonly meaning: string;
  readonly remedy: string;
}

interface Context {
  /** A make command for the stack. */
  readonly make: (target: string, more?: string) => string;
  /** The command that shows the service's log. */
  readonly logs: string;
}

const lookAtServer = "look at it at Hetzner: its status, its console; one that had no power comes back by itself";

const advice: Readonly<Record<Problem, (context: Context) => Advice>> = {
  "server-silent": () => ({
    meaning: "the server does not answer over SSH, or its Docker Engine does not; what runs there was not asked",
    remedy: lookAtServer,
  }),
  "primary-silent": ({ make }) => ({
    meaning: "the server with the primary does not answer: no order is taken as long as it is away",
    remedy: `${lookAtServer}. If it is lost: ${make("promote-replica")} puts the replica in its place (docs/promotion.md)`,
  }),
  missing: ({ make }) => ({ meaning: "its container does not exist", remedy: make("up") }),
  stopped: ({ make, logs }) => ({
    meaning: "its container has ended and did not come back",
    remedy: `${logs}, then docker start its container; ${make("up")} if it is to be made anew`,
  }),
  unhealthy: ({ logs }) => ({ meaning: "it runs, but its own health check fails", remedy: logs }),
  "no-answer": ({ logs }) => ({
    meaning: "nothing answers at its address",
    remedy: `${logs}; docker restart its container`,
  }),
  "bad-gateway": ({ make, logs }) => ({
    meaning:
      "the edge answers, but not the app behind it: a 502 means that no instance takes connections, a 503 that one is not ready",
    remedy: `${make("logs", " SERVICE=app")}; ${logs}`,
  }),
  "app-not-ready": ({ logs }) => ({
    meaning: "the app runs, but the database or Redis does not answer it",
    remedy: `look at those two above; ${logs}`,
  }),
  "database-refuses": ({ logs }) => ({
    meaning: "PostgreSQL refuses the connection",
    remedy: `${logs}; a full disk and too many connections are the usual causes`,
  }),
  connections: ({ make }) => ({
    meaning: "PostgreSQL has almost no connection left",
    remedy: `${make("psql")}: SELECT client_addr, state, count(*) FROM pg_stat_activity GROUP BY 1, 2; fewer uvicornWorkers or a smaller pool`,
  }),
  "slow-queries": ({ make }) => ({
    meaning: "queries run for a long time, and what they lock waits",
    remedy: `${make("psql")}: SELECT pid, now() - query_start AS runs, query FROM pg_stat_activity WHERE state <> 'idle' ORDER BY 2 DESC; then an index, or SELECT pg_terminate_backend(pid)`,
  }),
  "replica-behind": ({ logs }) => ({
    meaning: "it does not follow the primary, and what is read from it is old",
    remedy: `${logs}; where the primary has thrown away what it needs, make it anew (docs/scale.md)`,
  }),
  "cache-refuses": ({ logs }) => ({ meaning: "Redis does not answer", remedy: logs }),
  "cache-full": ({ make }) => ({
    meaning: "Redis is at its memory limit; with noeviction it refuses new tasks",
    remedy: `${make("redis-cli")}: info memory; raise orion:cache.maxMemoryMb, or find out why tasks pile up`,
  }),
  "worker-silent": ({ make, logs }) => ({
    meaning: "no worker answers: it is stuck, or cut off from Redis",
    remedy: `${make("celery-status")}; ${logs}; docker restart its container: tasks that it held are run again`,
  }),
  "tasks-pile-up": ({ make }) => ({
    meaning: "tasks come in faster than they are done",
    remedy: `${make("celery-status")}; more orion:workers.concurrency; ${make("celery-purge")} if they may be lost`,
  }),
  "backup-late": ({ make }) => ({
    meaning: "the newest complete backup is too old: what is lost with this database's disk is more than a day",
    remedy: `${make("backup")} takes one now and shows what is in its way; on the server: journalctl -u orion-backup`,
  }),
  "backups-off": () => ({
    meaning: "the server takes no backups: it was rebuilt, or somebody ended the timer",
    remedy: "npx pulumi up --replace '**::backup-files' brings its timer and its scripts back",
  }),
  "backups-unknown": ({ make }) => ({
    meaning: "the bucket with the backups does not open: those that there are cannot be reached, nor new ones written",
    remedy: `${make("up")} if its credentials were changed; on the server: orion-backup list`,
  }),
  "disk-full": () => ({
    meaning: "the disk that holds containers and their data is almost full",
    remedy: "docker system df; docker image prune; remove old backups and logs",
  }),
  "volume-full": ({ make }) => ({
    meaning:
      "the Volume with PostgreSQL's data is almost full; what writes to a full one is refused, and nothing is lost",
    remedy:
      `a larger orion:database.volumeGb and ${make("up")}, then on the server: resize2fs $(findmnt -no SOURCE ${dataMount}); ` +
      `or find out what takes the room: ${make("psql")}: \\dt+. Nothing has to be restarted`,
  }),
};

/**
 * What a problem of a service means and what to do, with commands for its stack.
 *
 * @param variables how make is told the stack
 */
export function explain(problem: Problem, service: string, variables: string): Advice {
  const make = (target: string, more = "") => `make ${target} ${variables}${more}`;
  return advice[problem]({ make, logs: make("logs", ` SERVICE=${service}`) });
}

/** The problems that `make doctor` finds: what each means and what to do about it. Pure. */
import { redisDatabases, workerStopSeconds } from "../../common/app-contract.ts";
import { databaseName } from "../../components/database/database-url.ts";
import { redisFile, redisReload } from "../../common/redis-contract.ts";
import { growthCommand } from "../../common/server-contract.ts";
import { allowWritesSql } from "../move-database/sql.ts";

export type Problem =
  | "server-silent"
  | "primary-silent"
  | "missing"
  | "stopped"
  | "starting"
  | "unhealthy"
  | "no-answer"
  | "bad-gateway"
  | "app-not-ready"
  | "database-refuses"
  | "database-read-only"
  | "connections"
  | "slow-queries"
  | "replica-behind"
  | "superuser-open"
  | "no-checksums"
  | "gateway-silent"
  | "gateway-blocked"
  | "pooler-silent"
  | "pool-full"
  | "cache-refuses"
  | "cache-full"
  | "redis-users"
  | "redis-replica-behind"
  | "redis-unguarded"
  | "redis-master-down"
  | "sentinel-refuses"
  | "sentinel-quorum"
  | "sentinel-disagree"
  | "worker-silent"
  | "tasks-pile-up"
  | "tasks-orphaned"
  | "tasks-unknown"
  | "backup-late"
  | "backup-suspect"
  | "backups-off"
  | "backups-unknown"
  | "archive-off"
  | "archive-unknown"
  | "archive-empty"
  | "archive-late"
  | "archive-gap"
  | "base-backup-late"
  | "ranges-old"
  | "ranges-differ"
  | "client-certificate-ends"
  | "client-certificate-missing"
  | "disk-full"
  | "volume-full"
  | "volume-ungrown"
  | "external-unfit"
  | Warning;

/** What is no fault yet: it is said, and `make doctor` succeeds. */
export type Warning =
  "external-unsafe" | "images-old" | "images-unpinned" | "patch-late" | "reboot-pending" | "security-updates";

const warnings: ReadonlySet<Problem> = new Set<Warning>([
  "external-unsafe",
  ...(["images-old", "images-unpinned", "patch-late", "reboot-pending", "security-updates"] as const),
]);

export const isWarning = (problem: Problem): boolean => warnings.has(problem);

/** The result of a check; without a problem it passed. */
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

const lookAtServer = "look at its status and console at Hetzner; after a power failure it comes back without help";

const advice: Readonly<Record<Problem, (context: Context) => Advice>> = {
  "server-silent": () => ({
    meaning: "the server does not answer over SSH, or its Docker Engine does not; the services there were not checked",
    remedy: lookAtServer,
  }),
  "primary-silent": ({ make }) => ({
    meaning: "the server with the primary does not answer: until it does, every write fails",
    remedy: `${lookAtServer}. If it is lost: ${make("promote-replica")} promotes the replica (docs/promotion.md)`,
  }),
  // Without REFRESH=1 an update compares with its state alone, which still has the container.
  missing: ({ make }) => ({ meaning: "its container does not exist", remedy: make("up", " REFRESH=1") }),
  stopped: ({ make, logs }) => ({
    meaning: "its container has ended and was not restarted",
    remedy: `${logs} says why; ${make("up", " REFRESH=1")} starts it again`,
  }),
  starting: ({ make, logs }) => ({
    meaning: "it was started a moment ago, and has not passed its health check yet",
    remedy: `${make("doctor")} again in a minute; if nothing has changed by then: ${logs}`,
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
    remedy: `look at the rows of the database and of Redis (cache, broker) above; ${logs}`,
  }),
  "database-refuses": ({ logs }) => ({
    meaning: "PostgreSQL refuses the connection",
    remedy: `${logs}; a full disk and too many connections are the usual causes`,
  }),
  "database-read-only": ({ make }) => ({
    meaning: "PostgreSQL refuses every write, as a move of the database leaves it when it is cut off",
    remedy: `if no move runs, ${make("psql")}: ${allowWritesSql(databaseName)} (docs/external.md#moving-the-data)`,
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
    meaning: "it lags behind the primary, so reads from it are stale",
    remedy: `${logs}; when the primary has removed WAL that it needs, create it again (docs/scale.md)`,
  }),
  "superuser-open": ({ make }) => ({
    meaning: "a superuser can log in over the network: its password gives a shell in the database's container",
    remedy: `${make("up")} ends what an update has left open; other roles: ${make("psql")}: ALTER ROLE ... NOSUPERUSER (docs/database.md)`,
  }),
  "no-checksums": () => ({
    meaning: "a page that the disk has damaged is read, and backed up, as if it were right",
    remedy:
      "docs/database.md#checksums switches them on: docker stop, pg_checksums --enable, docker start; it takes as long as reading all data once",
  }),
  "gateway-silent": ({ logs }) => ({
    meaning:
      "HAProxy does not report which servers it reaches; if it does not work, apps and workers of its server reach no data",
    remedy: `${logs}; docker restart its container`,
  }),
  "gateway-blocked": ({ logs }) => ({
    meaning: "no server behind a port of the gateway is up, so that nothing on its server reaches it",
    remedy: `look at that server's services above; ${logs} shows since when`,
  }),
  "pooler-silent": ({ logs }) => ({
    meaning: "PgBouncer does not answer on its console",
    remedy: `${logs}; docker restart its container`,
  }),
  "pool-full": ({ make }) => ({
    meaning: "clients wait for seconds: all connections of the server's share are in use, or PostgreSQL accepts none",
    remedy: `${make("psql")}: SELECT now() - xact_start AS runs, state, query FROM pg_stat_activity ORDER BY 1 DESC NULLS LAST; long transactions hold a connection; raise orion:database.maxConnections, which restarts PostgreSQL`,
  }),
  "cache-refuses": ({ logs }) => ({ meaning: "Redis does not answer", remedy: logs }),
  "cache-full": ({ make }) => ({
    meaning: "Redis is at its memory limit; with noeviction it refuses new tasks",
    remedy: `${make("redis-cli")}: info memory; raise orion:cache.maxMemoryMb, or find out why tasks pile up`,
  }),
  "redis-users": () => ({
    meaning: "Redis' users are not those that the program has given it: they were changed by hand",
    remedy: `docker exec its container ${redisReload} gives it the program's users again; no connection is closed`,
  }),
  "redis-replica-behind": ({ logs }) => ({
    meaning: "a replica does not follow the master: if the master is lost now, fewer servers have its data, or none",
    remedy: `${logs} says why; docker restart the replica's container: it copies the data again`,
  }),
  "redis-unguarded": ({ make }) => ({
    meaning: "the master takes writes that no replica has: what it takes while it is cut off would be lost",
    remedy: `${make("up")} sets min-replicas-to-write again; docker exec its container sh ${redisFile("watch")} does it at once`,
  }),
  "redis-master-down": ({ logs }) => ({
    meaning: "the Sentinels do not reach the master, and have promoted no replica yet",
    remedy: `a failover takes ten seconds; if it lasts longer: ${logs}, and make doctor's rows of the replicas`,
  }),
  "sentinel-refuses": ({ logs }) => ({ meaning: "Sentinel does not answer", remedy: logs }),
  "sentinel-quorum": ({ logs }) => ({
    meaning: "too few Sentinels see each other: if the master is lost now, no replica is promoted",
    remedy: `start the servers that are down; ${logs} says which Sentinels it misses`,
  }),
  "sentinel-disagree": () => ({
    meaning:
      "the Sentinels name different masters: a failover has just happened, or a Sentinel is cut off from the others",
    remedy:
      "ask again in ten seconds; then docker restart the Sentinel that names another master than the others. The gateways follow the majority meanwhile",
  }),
  "worker-silent": ({ make, logs }) => ({
    meaning: "no worker answers: it is stuck, or cut off from Redis",
    remedy: `${make("celery-status")}; ${logs}; docker restart its container: a task that it does not end within ${workerStopSeconds} s runs again later if the app has Celery's task_acks_late, and is lost otherwise`,
  }),
  "tasks-pile-up": ({ make }) => ({
    meaning: "tasks come in faster than they are done",
    remedy: `${make("celery-status")}; more orion:workers.concurrency; ${make("celery-purge")} if they may be lost`,
  }),
  "tasks-orphaned": ({ make }) => ({
    meaning:
      "a worker was killed while it had tasks: they run again when Celery's visibility timeout is over, an hour unless the app sets another one (broker_transport_options)",
    remedy: `wait for it; ${make("logs", " SERVICE=worker")} says why the worker ended. In the broker's Redis (${make("redis-cli", " SERVICE=broker")}, in a local stack SERVICE=cache): select ${redisDatabases.broker}, then zrange unacked_index 0 -1 lists them`,
  }),
  "tasks-unknown": ({ make, logs }) => ({
    meaning: "Celery could not count the tasks in its broker, so it is unknown whether tasks wait",
    remedy: `look at the broker's Redis above (an external one: ${make("check-external")}); ${logs}. Until ${make("doctor")} shows a number, do not treat any queue as empty`,
  }),
  "backup-late": ({ make }) => ({
    meaning: "the newest complete backup is too old: the loss of the database's disk would lose more than a day",
    remedy: `${make("backup")} takes one now and shows why it fails; on the server: journalctl -u orion-backup`,
  }),
  "backup-suspect": ({ make }) => ({
    meaning:
      "the newest backup lacks data that the one before had: rows or tables were deleted, or a copy of old data was backed up",
    remedy:
      `on the server, journalctl -u orion-backup says what is gone. If it is lost: docs/backups.md, from the last good backup. ` +
      `If it was intended: ${make("backup")} ACCEPT=<time>`,
  }),
  "backups-off": () => ({
    meaning: "the server takes no backups: it was rebuilt, or the timer was stopped",
    remedy: "npx pulumi up --replace '**::backup-files' installs its timer and scripts again",
  }),
  "archive-off": () => ({
    meaning: "the timer that checks WAL archiving is not active: the server was rebuilt, or the timer was stopped",
    remedy: "npx pulumi up --replace '**::archive-files' installs its timers and scripts again",
  }),
  "archive-unknown": ({ make }) => ({
    meaning: "the archive of the database's changes cannot be read, or the database does not answer",
    remedy: `${make("up")} if the bucket's credentials were changed; on the server: orion-archive info`,
  }),
  "archive-empty": () => ({
    meaning: "there is no base backup, so the database cannot be restored to a second",
    remedy:
      "one begins by itself within minutes; on the server: journalctl -u orion-archive-backup says why not, systemctl start orion-archive-backup takes one",
  }),
  "archive-late": () => ({
    meaning:
      "the database's changes are not archived: they wait on the Volume, and the loss of the server would lose them",
    remedy:
      "on the server: journalctl -u orion-archive-check says why. When R2 answers again, it catches up by itself; orion:backups.archiveQueueGb says how much may wait",
  }),
  "archive-gap": () => ({
    meaning:
      "more changes waited than orion:backups.archiveQueueGb allows and were given up: no time from then until the next base backup can be restored",
    remedy: "a full base backup begins by itself within minutes: journalctl -u orion-archive-backup on the server",
  }),
  "base-backup-late": () => ({
    meaning: "the newest base backup is too old: a restore would have to replay days of changes",
    remedy:
      "on the server: journalctl -u orion-archive-backup says why; systemctl start orion-archive-backup takes one",
  }),
  "backups-unknown": ({ make }) => ({
    meaning: "the bucket with the backups cannot be accessed: backups can be neither read nor written",
    remedy: `${make("up")} if its credentials were changed; on the server: orion-backup list`,
  }),
  "ranges-old": () => ({
    meaning:
      "Cloudflare's address ranges were not compared for half a year: visitors through a new range would be refused",
    remedy:
      "run it where Cloudflare's API can be reached, or compare common/cloudflare-ranges.ts with cloudflare.com/ips",
  }),
  "ranges-differ": ({ make }) => ({
    meaning: "Cloudflare has other address ranges than the firewalls and edges: visitors through a new one are refused",
    remedy: `write them into common/cloudflare-ranges.ts, with today's date, and ${make("up")}: firewalls and edges change while they run`,
  }),
  "client-certificate-ends": ({ make }) => ({
    meaning: "the certificate that Cloudflare shows the edges ends soon: from then on they refuse every visitor",
    remedy: `${make("up")}: any update replaces it, in use before the old one is deleted (docs/cloudflare.md)`,
  }),
  "client-certificate-missing": ({ make }) => ({
    meaning: "the edges admit visitors of the platform's zone by a certificate that the stack's state does not have",
    remedy: `${make("up")} makes it, and waits until Cloudflare presents it (docs/cloudflare.md)`,
  }),
  "disk-full": () => ({
    meaning: "the disk that holds containers and their data is almost full",
    remedy:
      "docker system df says what takes the room; on a server orion-image-cleanup removes all but the newest images of each " +
      "repository, on this machine docker image prune --all removes the unused ones; remove old files and logs",
  }),
  "images-old": () => ({
    meaning: "the pinned images are so old that fixed versions have been released since",
    remedy: "make outdated WRITE=1 writes today's digests; then make patch (docs/patching.md)",
  }),
  "images-unpinned": () => ({
    meaning: "official images are named by tag alone: what a new server pulls may differ from what the others run",
    remedy: "make outdated WRITE=1 writes their digests into config/image-pins.json; commit that file",
  }),
  "patch-late": ({ make }) => ({
    meaning: "Docker, the kernel and what is not a security update were not renewed for a long time",
    remedy: `${make("patch", " DRY=1")} shows what would be done; ${make("patch")} does it`,
  }),
  "reboot-pending": ({ make }) => ({
    meaning: "what was installed takes effect at the next reboot: the running kernel is not the fixed one",
    remedy: `${make("patch")} reboots the servers one after the other, each when it is drained`,
  }),
  "security-updates": ({ make }) => ({
    meaning:
      "packages with security fixes wait: of Docker, which is never updated by itself, or because the daily updates fail",
    remedy: `${make("patch")}; if they wait again on the next day, on the server: unattended-upgrade --debug`,
  }),
  "volume-full": ({ make }) => ({
    meaning: "the Volume with PostgreSQL's data is almost full; when it is full, writes fail, but nothing is lost",
    remedy:
      `a larger orion:database.volumeGb and ${make("up")}, which grows the Volume and its file system while PostgreSQL writes; ` +
      `or find out what takes the room: ${make("psql")}: \\dt+. Nothing has to be restarted`,
  }),
  "external-unfit": ({ make }) => ({
    meaning: "the external service does not do what the platform needs, and the next update is refused because of it",
    remedy: `each line below says what mends it (docs/external.md); ${make("check-external")} asks again`,
  }),
  "external-unsafe": ({ make }) => ({
    meaning: "the external service works, with drawbacks that users or operators will notice",
    remedy: `each line below says what mends it (docs/external.md); ${make("check-external")} asks again`,
  }),
  "volume-ungrown": ({ make }) => ({
    meaning: "the Volume is larger than its file system: PostgreSQL cannot use all of it",
    remedy: `on the server: ${growthCommand} with orion:database.volumeGb as its argument, or ${make("up")} with a larger one. Nothing has to be restarted`,
  }),
};

/**
 * What a problem of a service means and what to do, with commands for its stack.
 *
 * @param variables the variables that name the stack for make
 */
export function explain(problem: Problem, service: string, variables: string): Advice {
  const make = (target: string, more = "") => `make ${target} ${variables}${more}`;
  return advice[problem]({ make, logs: make("logs", ` SERVICE=${service}`) });
}

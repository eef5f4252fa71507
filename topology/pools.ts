/** How PostgreSQL's connections are divided: among the app's processes, or among the poolers of all servers. Pure. */
import type { Settings } from "../config/schema.ts";
import { byServer, hasServers, type Topology } from "./topology.ts";
import { hasReadUrl } from "./database-access.ts";

/** Connections that are kept for people, backups and replication. */
export const reservedConnections = 20;

/** Connections that go past the poolers: the release, `LISTEN`, session locks (`DATABASE_DIRECT_URL`). */
export const directConnections = 10;

/** The fewest connections with which a pooler is useful: to the primary, and for reads. */
const leastShare = { primary: 5, reads: 2 } as const;

/** Clients of a pooler at once, of which most wait: their connections cost some kilobytes each. It refuses what is more. */
export const mostPoolerClients = 4000;

/** Connections to PostgreSQL of each server's poolers. */
export interface PoolerShare {
  /** To the primary. */
  readonly primary: number;
  /** For reads: to a replica, and to the primary while no replica can be read; 0 without replicas. */
  readonly reads: number;
}

/** Size of the connection pool of one process of the app. */
export interface Pool {
  /** Connections that it keeps. */
  readonly size: number;
  /** Connections that it may open in addition for a while. */
  readonly overflow: number;
}

interface Demand {
  /** Processes of the app at once: during a rollout, the old ones and the new ones. */
  readonly processes: number;
  /** Processes of workers at once; each holds one connection. */
  readonly tasks: number;
  /** Connections that are free for all of them. */
  readonly free: number;
  /**
   * Pools that each of them may have at the primary: a second one, of the same size, for reads, which go to the primary while no replica
   * can be read. A pooler opens fewer connections than its clients.
   */
  readonly pools: 1 | 2;
}

const demandOf = (topology: Topology, settings: Settings): Demand => ({
  ...processesIn(topology, topology.services, settings),
  free: settings.database.maxConnections - reservedConnections,
  pools: hasReadUrl(settings) && poolersOf(topology).servers === 0 ? 2 : 1,
});

/** With servers a new version starts beside the old one, so that there are twice as many processes for a while. */
function processesIn(
  { hosting }: Pick<Topology, "hosting">,
  services: Topology["services"],
  { app }: Settings,
): Pick<Demand, "processes" | "tasks"> {
  const versions = hosting === "local" ? 1 : 2;
  const instances = services.filter(({ kind }) => kind === "app").length;
  const tasks = services.reduce((sum, service) => sum + (service.kind === "worker" ? service.concurrency : 0), 0);
  return { processes: versions * instances * app.uvicornWorkers, tasks: versions * tasks };
}

/** Servers with a pooler, and whether they have one for reads as well. */
function poolersOf({ services }: Pick<Topology, "services">): { readonly servers: number; readonly reads: boolean } {
  const poolers = services.filter((service) => service.kind === "pgbouncer");
  const servers = new Set(poolers.map(({ server }) => server)).size;
  return { servers, reads: poolers.some(({ reads }) => reads) };
}

/**
 * The share of each server's poolers: all servers together fit into what is free, also while every read goes to the primary.
 *
 * A third is for reads.
 */
export function poolerShare(topology: Topology, settings: Settings): PoolerShare {
  const { servers, reads } = poolersOf(topology);
  if (servers === 0) return { primary: 0, reads: 0 };
  const each = Math.floor((demandOf(topology, settings).free - directConnections) / servers);
  const ofReads = reads ? Math.max(leastShare.reads, Math.floor(each / 3)) : 0;
  return { primary: each - ofReads, reads: ofReads };
}

/** One line, with the sum, when the processes or the poolers need more connections than there are. */
export function connectionProblem(topology: Topology, settings: Settings): string[] {
  const { processes, tasks, free } = demandOf(topology, settings);
  const { servers, reads } = poolersOf(topology);
  const least = leastShare.primary + (reads ? leastShare.reads : 0);
  const needs = servers > 0 ? servers * least + directConnections : processes + tasks;
  if (needs <= free) return [];
  const what =
    servers > 0
      ? `the PgBouncers of ${servers} servers with ${least} connections each${reads ? `, ${leastShare.reads} of them for reads,` : ""} and ${directConnections} connections past them`
      : `${processes} processes of the app and ${tasks} of workers${topology.hosting === "local" ? "" : ", old and new ones during a rollout,"} with a connection each`;
  return [
    `orion:database.maxConnections: ${what} need ${needs} connections, and ${free} of ${settings.database.maxConnections} are ` +
      `available to them (${reservedConnections} are reserved for people, backups and replication); ` +
      moreConnections(settings, servers > 0),
  ];
}

/** Connections of PostgreSQL that only a superuser gets; the rest is what clients can have. */
const ofSuperuser = 3;

/** One line when the processes may need more connections than PostgreSQL has while a new version starts and every read goes to the primary. */
export function connectionNote(topology: Topology, settings: Settings): string[] {
  const { processes, tasks, pools } = demandOf(topology, settings);
  const { maxConnections } = settings.database;
  const needs = pools * (processes + tasks);
  return pools === 1 || needs <= maxConnections - ofSuperuser
    ? []
    : [
        `orion:database.maxConnections: during a rollout while no replica can be read, ${processes} processes of the app and ${tasks} of ` +
          `workers need at least ${needs}, one for writes and one for reads each, and PostgreSQL has ${maxConnections}: some requests would fail; ` +
          moreConnections(settings, false),
      ];
}

/** Everything that makes the connections suffice. */
function moreConnections({ hosting, app, database, gateway }: Settings, pooled: boolean): string {
  const counts = "the counts of orion:app.servers or orion:workers.servers";
  const own = `orion:app.instances (${app.instances}), orion:app.uvicornWorkers (${app.uvicornWorkers})`;
  const isOwn = database.mode === "provision";
  return [
    pooled
      ? `lower ${counts}`
      : `lower ${own}${hosting === "local" ? " or orion:workers.concurrency" : `, orion:workers.concurrency or ${counts}`}`,
    ...(isOwn && !pooled && gateway.enabled ? ["set orion:database.pooler to true"] : []),
    isOwn
      ? "or raise orion:database.maxConnections, which restarts PostgreSQL"
      : "or set orion:database.maxConnections to what the external database accepts, if that is more",
  ].join(", ");
}

/** Connections that a process of the app opens to its pooler: they cost the pooler next to nothing. */
const pooledProcess = 10;

/** With a single connection the requests of a process wait for each other: a second pool for reads takes none of two away. */
const fewest = 2;

/** Connections that a process of an image opens at most when nothing says how many: SQLAlchemy's default. */
const usualPool = 15;

/**
 * The pool of each process of the app, sized so that PostgreSQL has connections for all of them. Undefined in a local stack whose
 * processes find enough connections with their image's own default.
 */
export function poolOf(topology: Topology, settings: Settings): Pool | undefined {
  const { processes, tasks, free, pools } = demandOf(topology, settings);
  if (!hasServers(topology) && processes * usualPool + tasks <= free) return undefined;
  const share = (ways: number) => Math.floor((free - ways * tasks) / (ways * Math.max(1, processes)));
  const each = poolersOf(topology).servers > 0 ? pooledProcess : Math.max(1, share(pools), Math.min(fewest, share(1)));
  const size = Math.ceil(each / 2);
  return { size, overflow: each - size };
}

/** One line, with the sum, when a server's processes would be more clients than its pooler takes. */
export function poolerClientProblem(topology: Topology, settings: Settings): string[] {
  if (poolersOf(topology).servers === 0) return [];
  const loads = byServer(topology.services).map(({ server, services }) => {
    const { processes, tasks } = processesIn(topology, services, settings);
    return { server, processes, tasks, clients: processes * pooledProcess + tasks };
  });
  const [most] = loads.toSorted((one, other) => other.clients - one.clients);
  if (!most || most.clients <= mostPoolerClients) return [];
  const { server, processes, tasks, clients } = most;
  return [
    `orion:database.pooler: the PgBouncer of ${server} would have ${clients} clients, and takes ${mostPoolerClients}: ` +
      `${processes} processes of the app, old and new ones during a rollout, with ${pooledProcess} connections each, and ${tasks} ` +
      `tasks of workers; lower orion:app.instances (${settings.app.instances}), orion:app.uvicornWorkers ` +
      `(${settings.app.uvicornWorkers}) or orion:workers.concurrency`,
  ];
}

/** Checks that a plan fits: memory of each server, connections of PostgreSQL, servers of a placement group. Pure. */
import { smallestMemoryMb } from "../config/server-types.ts";
import type { Settings } from "../config/schema.ts";
import { placementGroupSize } from "./fleet.ts";
import type { Server } from "./server.ts";
import type { Topology } from "./topology.ts";

/** Memory for the kernel, the Docker Engine, SSH and the system's services, in MiB. */
export const systemMemoryMb = 640;

/** Connections that are kept for people, Beat, backups and replication. */
export const reservedConnections = 20;

/** The fewest connections with which a PgBouncer is useful. */
const leastOfPooler = 5;

/** One line, with the sum, for each budget that the plan exceeds. */
export const budgetProblems = (topology: Topology, settings: Settings): string[] => [
  ...topology.servers.flatMap((server) => memoryProblem(topology, server)),
  ...connectionProblem(topology, settings),
  ...groupProblems(topology),
];

/** The limits of all containers of a server, in MiB. */
export const memoryOf = ({ services }: Topology, server: string): number =>
  services.filter((service) => service.server === server).reduce((sum, { memoryMb }) => sum + memoryMb, 0);

function memoryProblem(topology: Topology, { name, types }: Server): string[] {
  const has = smallestMemoryMb(types);
  const needs = memoryOf(topology, name);
  if (has === undefined || needs + systemMemoryMb <= has) return [];
  const parts = topology.services
    .filter(({ server }) => server === name)
    .toSorted((one, other) => other.memoryMb - one.memoryMb)
    .map(({ name: service, memoryMb }) => `${service} ${memoryMb}`);
  return [
    `server ${name}: its containers may take ${needs} MiB (${parts.join(", ")}) and the system ${systemMemoryMb}, ` +
      `${types.join(" or ")} has ${has}; name larger server types, or lower memoryMb of orion:database, orion:app or ` +
      "orion:workers, or maxMemoryMb of orion:cache",
  ];
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
}

/** With servers a new version starts beside the old one, so that there are twice as many processes for a while. */
function demandOf({ services, hosting }: Topology, { app, database }: Settings): Demand {
  const versions = hosting === "local" ? 1 : 2;
  const instances = services.filter(({ kind }) => kind === "app").length;
  const tasks = services.reduce((sum, service) => sum + (service.kind === "worker" ? service.concurrency : 0), 0);
  return {
    processes: versions * instances * app.uvicornWorkers,
    tasks: versions * tasks,
    free: database.maxConnections - reservedConnections,
  };
}

/** PgBouncers of a plan; each has the same share of the connections. */
const poolersOf = ({ services }: Topology): number => services.filter(({ kind }) => kind === "pgbouncer").length;

function connectionProblem(topology: Topology, settings: Settings): string[] {
  const { processes, tasks, free } = demandOf(topology, settings);
  const poolers = poolersOf(topology);
  const needs = poolers > 0 ? poolers * leastOfPooler : processes + tasks;
  if (needs <= free) return [];
  const what =
    poolers > 0
      ? `${poolers} PgBouncers with ${leastOfPooler} connections each`
      : `${processes} processes of the app and ${tasks} of workers${topology.hosting === "local" ? "" : ", old and new ones during a rollout,"} with a connection each`;
  return [
    `orion:database.maxConnections: ${what} need ${needs} connections, and ${free} of ${settings.database.maxConnections} are ` +
      `available to them (${reservedConnections} are reserved for people, backups and replication); lower orion:app.instances, ` +
      "orion:app.uvicornWorkers or orion:workers.concurrency, or raise orion:database.maxConnections, which restarts PostgreSQL",
  ];
}

/** The pool of each process of the app, sized so that PostgreSQL has connections for all of them. */
export function poolOf(topology: Topology, settings: Settings): Pool {
  const { processes, tasks, free } = demandOf(topology, settings);
  // PgBouncer shares PostgreSQL's connections, so PostgreSQL's limit does not bound a process's pool.
  const each = poolersOf(topology) > 0 ? 10 : Math.max(1, Math.floor((free - tasks) / Math.max(1, processes)));
  const size = Math.ceil(each / 2);
  return { size, overflow: each - size };
}

function groupProblems({ servers }: Topology): string[] {
  const groups = [...new Set(servers.map(({ placementGroup }) => placementGroup))];
  return groups.flatMap((group) => {
    const { length } = servers.filter(({ placementGroup }) => placementGroup === group);
    return length <= placementGroupSize
      ? []
      : [
          `placement group ${group}: ${length} servers, and Hetzner's placement groups have room for ${placementGroupSize}; ` +
            "fewer and larger servers do the same work",
        ];
  });
}

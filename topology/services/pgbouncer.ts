/** PgBouncer: pools the connections to PostgreSQL, beside the gateway of each server that runs apps or workers. */
import { runsOwnDatabase } from "../../config/own-database.ts";
import type { Settings } from "../../config/schema.ts";
import { serviceName } from "../naming.ts";
import { isLocal, placesFor, serversOf, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { hasGateway } from "./gateway.ts";

export const poolerPorts = { postgres: 6432 } as const;

export interface PgbouncerService extends BaseService<"pgbouncer"> {
  /** Whether it pools the connections for reads: the others lead to the primary. */
  readonly reads: boolean;
}

/**
 * Whether processes reach PostgreSQL through poolers: they stand between two ports of a gateway, or lead to the external database of a
 * stack whose data can be moved. They ask the stack's own PostgreSQL which roles may log in.
 */
export const hasPooler = (settings: Settings): boolean =>
  settings.database.pooler && runsOwnDatabase(settings.database) && hasGateway(settings);

export const pgbouncer: Definition<PgbouncerService> = {
  images: () => ["pooler"],
  ports: poolerPorts,
  // Clients reach it through the gateway beside it.
  callers: ["gateway"],
  movesTo: ["app", "worker"],
  keeps: "nothing",
  runs: "always",
  lossEffect: undefined,
  memorySettings: () => [],
  cpuShares: 2048,
  confinement: { networks: ["data"], capabilities: [], writable: [], memoryFolders: {}, processes: 64 },
  commands: () => ({ "pgbouncer console": poolerConsole, "waiting clients": `${poolerConsole} -c "SHOW POOLS"` }),
  probe: () => ({ kind: "pooler" }),
  plan(planning) {
    if (isLocal(planning) || !hasPooler(planning.settings)) return [];
    const workers = planning.settings.workers.enabled ? placesFor(planning, "worker") : [];
    const places = [...placesFor(planning, "app"), ...workers];
    const kinds = serversOf(planning, "db").length > 0 ? [false, true] : [false];
    return [...new Map(places.map((at) => [at.name, at])).values()].flatMap((at) =>
      kinds.map((reads) => ({
        // A client that speaks TLS takes about 30 KB.
        ...serviceAt(planning, {
          ...{ kind: "pgbouncer", at, memoryMb: 192 },
          // Short, so that names of containers stay host names.
          ...(reads && { name: serviceName("reads", at.name) }),
        }),
        reads,
      })),
    );
  },
};

/** psql in PgBouncer's console, as the user that it runs as: over its socket, which is in memory. */
export const poolerSocketFolder = "/dev/shm";
export const poolerConsole = `psql -X -h ${poolerSocketFolder} -p ${poolerPorts.postgres} -U pgbouncer pgbouncer`;

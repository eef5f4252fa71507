/** PgBouncer: pools the connections to PostgreSQL, on each server that runs apps or workers. */
import { placesFor, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";

export const pgbouncer: Definition<BaseService<"pgbouncer">> = {
  images: () => [],
  ports: { postgres: 6432 },
  callers: [],
  keeps: "nothing",
  runs: "always",
  cpuShares: 1024,
  confinement: { networks: ["data"], capabilities: [], writable: [], memoryFolders: {}, processes: 64 },
  commands: () => ({}),
  probe: () => ({ kind: "health" }),
  plan(planning) {
    if (!planning.settings.database.pooler) return [];
    const places = [...placesFor(planning, "app"), ...placesFor(planning, "worker")];
    return [...new Map(places.map((at) => [at.name, at])).values()].map((at) =>
      serviceAt(planning, { kind: "pgbouncer", at, memoryMb: 64 }),
    );
  },
};

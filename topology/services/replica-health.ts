/** HTTP health service beside each replica: tells the gateways, whose checks speak no SQL, whether its lag allows reads. */
import { runsOwnDatabase } from "../../config/own-database.ts";
import { publish, serversOf, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { hasGateway } from "./gateway.ts";
import { postgresImage } from "./postgres.ts";

export const replicaHealthPorts = { http: 8008 } as const;

export const replicaHealth: Definition<BaseService<"replica-health">> = {
  // PostgreSQL's image has psql and Perl, and the replica's server has the image.
  images: (settings) => [postgresImage(settings)],
  ports: replicaHealthPorts,
  callers: ["gateway"],
  movesTo: [],
  keeps: "nothing",
  runs: "always",
  lossEffect: undefined,
  memorySettings: () => [],
  cpuShares: 1024,
  confinement: { networks: ["data"], capabilities: [], writable: [], memoryFolders: {}, processes: 32 },
  commands: () => ({}),
  probe: () => ({ kind: "health" }),
  plan(planning) {
    const { settings } = planning;
    if (!hasGateway(settings) || !runsOwnDatabase(settings.database)) return [];
    return serversOf(planning, "db").map((at) =>
      serviceAt(planning, {
        ...{ kind: "replica-health", at, memoryMb: 64 },
        published: publish(at, replicaHealthPorts.http),
      }),
    );
  },
};

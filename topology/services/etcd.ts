/** Planned, not built yet: etcd, the store in which Patroni's members elect the primary; one on each of their servers. */
import { runsOwnDatabase } from "../../config/own-database.ts";
import { coreOf, publish, serversOf, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";

const ports = { client: 2379 } as const;

export const etcd: Definition<BaseService<"etcd">> = {
  images: () => [],
  ports,
  callers: ["database", "replica", "etcd"],
  movesTo: [],
  keeps: "data",
  runs: "always",
  lossEffect: undefined,
  memorySettings: () => [],
  cpuShares: 2048,
  confinement: { networks: ["data"], capabilities: [], writable: [], memoryFolders: {}, processes: 256 },
  commands: () => ({}),
  probe: () => ({ kind: "health" }),
  plan(planning) {
    const { availability } = planning.settings.database;
    if (!runsOwnDatabase(planning.settings.database) || availability !== "patroni") return [];
    return [coreOf(planning), ...serversOf(planning, "db")].map((at) =>
      serviceAt(planning, { kind: "etcd", at, memoryMb: 128, published: publish(at, ports.client) }),
    );
  },
};

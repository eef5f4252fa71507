/** Redis Sentinel: watches cache and broker, and promotes a replica when one of them fails. */
import { coreOf, publish, redisReplicas, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";

const ports = { sentinel: 26379 } as const;

export const sentinel: Definition<BaseService<"sentinel">> = {
  images: () => ["redis"],
  ports,
  callers: ["sentinel", "app", "worker", "beat", "flower"],
  keeps: "nothing",
  runs: "always",
  cpuShares: 1024,
  confinement: { networks: ["data"], capabilities: [], writable: [], memoryFolders: {}, processes: 64 },
  commands: () => ({ "known masters": `redis-cli -p ${ports.sentinel} sentinel masters` }),
  probe: () => ({ kind: "health" }),
  plan(planning) {
    const replicas = redisReplicas(planning);
    const places = replicas.length > 0 ? [coreOf(planning), ...replicas] : [];
    return places.map((at) =>
      serviceAt(planning, { kind: "sentinel", at, memoryMb: 64, published: publish(at, ports.sentinel) }),
    );
  },
};

/** Redis Sentinel: watches cache and broker, and promotes a replica when one of them fails. */
import { sentinelAdmin } from "../../common/redis-contract.ts";
import { coreOf, publish, redisReplicas, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { redisDefinition } from "./redis.ts";

/** It speaks TLS only. */
export const sentinelPorts = { sentinel: 26379 } as const;

export const sentinel: Definition<BaseService<"sentinel">> = {
  images: () => ["redis"],
  ports: sentinelPorts,
  // A Redis asks for its master before it starts, the gateways all the time.
  callers: ["gateway", "sentinel", "cache", "broker", "cache-replica", "broker-replica"],
  movesTo: [],
  // It learns again from the others what it has learnt.
  keeps: "files",
  runs: "always",
  lossEffect: undefined,
  memorySettings: () => [],
  cpuShares: 1024,
  confinement: { ...redisDefinition.confinement, processes: 64 },
  commands: () => ({ "sentinel-cli": sentinelAdmin, "known masters": `${sentinelAdmin} sentinel masters` }),
  probe: () => ({ kind: "sentinel" }),
  plan(planning) {
    const replicas = redisReplicas(planning);
    // Three, however many replicas there are: two of them are the majority (components/cache/redis-group.ts).
    const places = replicas.length > 0 ? [coreOf(planning), ...replicas.slice(0, 2)] : [];
    return places.map((at) =>
      serviceAt(planning, { kind: "sentinel", at, memoryMb: 64, published: publish(at, sentinelPorts.sentinel) }),
    );
  },
};

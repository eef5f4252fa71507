/** A replica of the broker, for Sentinel to promote: its tasks must not be lost with one server. */
import { publish, redisReplicas, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { brokerPorts, redisDefinition, redisMemoryMb, redisPorts } from "./redis.ts";

export const brokerReplica: Definition<BaseService<"broker-replica">> = {
  ...redisDefinition,
  memorySettings: ({ cache: own }) => [`orion:cache.brokerMaxMemoryMb (${own.brokerMaxMemoryMb})`],
  plan: (planning) =>
    (planning.settings.workers.enabled ? redisReplicas(planning) : []).map((at) =>
      serviceAt(planning, {
        ...{ kind: "broker-replica", at, memoryMb: redisMemoryMb(planning.settings.cache.brokerMaxMemoryMb) },
        published: publish(at, redisPorts.tls, brokerPorts.tls),
      }),
    ),
};

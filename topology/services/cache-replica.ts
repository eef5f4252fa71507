/** A replica of the cache; Sentinel promotes it when the cache fails. */
import { publish, redisReplicas, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { cacheMemoryMb, redisDefinition, redisPorts } from "./redis.ts";

export const cacheReplica: Definition<BaseService<"cache-replica">> = {
  ...redisDefinition,
  memorySettings: ({ cache: own }) => [`orion:cache.maxMemoryMb (${own.maxMemoryMb})`],
  plan: (planning) =>
    redisReplicas(planning).map((at) =>
      serviceAt(planning, {
        ...{ kind: "cache-replica", at, memoryMb: cacheMemoryMb(planning.settings) },
        published: publish(at, redisPorts.tls),
      }),
    ),
};

/** Redis for Celery's tasks and results; separate from the cache, because it must never evict. */
import { coreOf, isLocal, onlyService } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { brokerPorts, hasCache, publishRedis, redisDefinition, redisMemoryMb } from "./redis.ts";

export const broker: Definition<BaseService<"broker">> = {
  ...redisDefinition,
  memorySettings: ({ cache: own }) => [`orion:cache.brokerMaxMemoryMb (${own.brokerMaxMemoryMb})`],
  plan(planning) {
    if (isLocal(planning) || !hasCache(planning) || !planning.settings.workers.enabled) return [];
    const at = coreOf(planning);
    const memoryMb = redisMemoryMb(planning.settings.cache.brokerMaxMemoryMb);
    const published = publishRedis(at, brokerPorts);
    return [onlyService(planning, { kind: "broker", at, memoryMb, published })];
  },
};

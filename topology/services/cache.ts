/** Redis for sessions, rate limits and feature flags; on the local Docker Engine it is the broker as well. */
import { coreOf, isLocal, onlyService, publish } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { cacheMemoryMb, hasCache, publishRedis, redisDefinition, redisPorts } from "./redis.ts";

export const cache: Definition<BaseService<"cache">> = {
  ...redisDefinition,
  memorySettings: ({ cache: own }) => [`orion:cache.maxMemoryMb (${own.maxMemoryMb})`],
  plan(planning) {
    if (!hasCache(planning)) return [];
    const at = coreOf(planning);
    const { settings } = planning;
    const published = isLocal(planning) ? publish(at, redisPorts.redis, settings.ports.cache) : publishRedis(at);
    return [onlyService(planning, { kind: "cache", at, memoryMb: cacheMemoryMb(settings), published })];
  },
};

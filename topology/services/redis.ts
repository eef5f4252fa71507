/** What the kinds of services that are Redis servers have in common. Pure. */
import type { Settings } from "../../config/schema.ts";
import type { Planning } from "../planning.ts";
import type { Definition } from "../service.ts";

export const redisPorts = { redis: 6379 } as const;

/** The broker's port on its server, beside the cache. */
export const brokerPort = 6380;

/** Half as much again as the data: rewriting the append-only file copies what changes meanwhile. */
export const redisMemoryMb = (dataMb: number): number => Math.ceil(dataMb * 1.5);

export const hasCache = ({ settings }: Planning): boolean =>
  settings.cache.mode === "provision" && (settings.hosting === "hetzner" || settings.services.includes("cache"));

/** One Redis for everything may not evict, for the broker's sake, and has the cache's memory alone. */
export const cacheMemoryMb = ({ cache }: Settings): number => redisMemoryMb(cache.maxMemoryMb);

export const redisDefinition = {
  images: () => ["redis"] as const,
  ports: redisPorts,
  callers: ["app", "worker", "beat", "flower", "release", "cache-replica", "broker-replica", "sentinel"],
  keeps: "data",
  runs: "always",
  scheme: "redis",
  cpuShares: 1024,
  commands: { "redis-cli": "redis-cli", "commands as they come": "redis-cli monitor" },
  probe: { kind: "redis" },
} as const satisfies Omit<Definition, "plan">;

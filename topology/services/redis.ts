/** The common part of the definitions of all Redis servers: cache, broker and their replicas. Pure. */
import type { Settings } from "../../config/schema.ts";
import type { Planning } from "../planning.ts";
import type { Definition } from "../service.ts";

export const redisPorts = { redis: 6379 } as const;

/** The broker's published port; the cache on the same server has Redis' default port. */
export const brokerPort = 6380;

/** Half as much again as the data: while the append-only file is rewritten, changed pages are copied. */
export const redisMemoryMb = (dataMb: number): number => Math.ceil(dataMb * 1.5);

export const hasCache = ({ settings }: Planning): boolean =>
  settings.cache.mode === "provision" && (settings.hosting === "hetzner" || settings.services.includes("cache"));

/** The cache's memory limit; a local Redis that is broker too gets no more. */
export const cacheMemoryMb = ({ cache }: Settings): number => redisMemoryMb(cache.maxMemoryMb);

export const redisDefinition = {
  images: () => ["redis"] as const,
  ports: redisPorts,
  callers: ["app", "worker", "beat", "flower", "release", "cache-replica", "broker-replica", "sentinel"],
  keeps: "data",
  runs: "always",
  scheme: "redis",
  cpuShares: 1024,
  confinement: {
    networks: ["data"],
    // The entrypoint gives its data to the user redis, becomes this user, and PID 1 passes signals on to it.
    capabilities: ["CHOWN", "DAC_OVERRIDE", "KILL", "SETGID", "SETUID"],
    writable: [],
    memoryFolders: {},
    processes: 256,
  },
  commands: { "redis-cli": "redis-cli", "watch commands": "redis-cli monitor" },
  probe: { kind: "redis" },
} as const satisfies Omit<Definition, "plan">;

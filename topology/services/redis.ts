/** The common part of the definitions of all Redis servers: cache, broker and their replicas. Pure. */
import { redisAdmin } from "../../common/redis-contract.ts";
import type { Settings } from "../../config/schema.ts";
import { publish, type Placement, type Planning } from "../planning.ts";
import type { Definition } from "../service.ts";
import { imageKinds } from "./image.ts";

/** Ports in the container. On servers clients speak TLS; without it, only those of the version before while they are replaced. */
export const redisPorts = { redis: 6379, tls: 6381 } as const;

/** The broker's published ports; the cache on the same server has those of the container. */
export const brokerPorts = { redis: 6380, tls: 6382 } as const;

/** The published ports of a Redis on a server: first the one for clients. */
export const publishRedis = (at: Placement, ports: Readonly<Record<keyof typeof redisPorts, number>> = redisPorts) => [
  ...publish(at, redisPorts.tls, ports.tls),
  ...publish(at, redisPorts.redis, ports.redis),
];

/** Half as much again as the data: while the append-only file is rewritten, changed pages are copied. */
export const redisMemoryMb = (dataMb: number): number => Math.ceil(dataMb * 1.5);

export const hasCache = ({ settings }: Planning): boolean =>
  settings.cache.mode === "provision" && (settings.hosting === "hetzner" || settings.services.includes("cache"));

/** The cache's memory limit; a local Redis that is broker too gets no more. */
export const cacheMemoryMb = ({ cache }: Settings): number => redisMemoryMb(cache.maxMemoryMb);

export const redisDefinition = {
  images: () => ["redis"] as const,
  ports: redisPorts,
  // A master that comes back follows another one, which may be any of them.
  callers: [...imageKinds, ...(["gateway", "cache", "broker", "cache-replica", "broker-replica", "sentinel"] as const)],
  movesTo: [],
  keeps: "data",
  runs: "always",
  lossEffect: undefined,
  scheme: "redis",
  tlsPort: redisPorts.tls,
  cpuShares: 1024,
  confinement: {
    networks: ["data"],
    // The entrypoint gives its data to the user redis, becomes this user, and PID 1 passes signals on to it.
    capabilities: ["CHOWN", "DAC_OVERRIDE", "KILL", "SETGID", "SETUID"],
    writable: [],
    memoryFolders: {},
    processes: 256,
  },
  commands: () => ({ "redis-cli": redisAdmin, "watch commands": `${redisAdmin} monitor` }),
  probe: () => ({ kind: "redis" }),
} as const satisfies Omit<Definition, "plan" | "memorySettings">;

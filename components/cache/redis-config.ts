/** Writes redis.conf for each of Redis' parts in the platform. Pure. */

/** `cache` may forget, `broker` must not: a broker that evicts loses tasks. `all` is both, so it must not either. */
export type RedisUse = "cache" | "broker" | "all";

/**
 * The text of redis.conf.
 *
 * @param maxMemoryMb what the data may take, in MiB
 * @param password what clients must say
 */
export function redisConfig(use: RedisUse, maxMemoryMb: number, password: string): string {
  return [
    `requirepass ${password}`,
    `maxmemory ${maxMemoryMb}mb`,
    `maxmemory-policy ${use === "cache" ? "allkeys-lru" : "noeviction"}`,
    "appendonly yes",
    // A task that was acknowledged is on the disk; a cache may lose its last second.
    `appendfsync ${use === "broker" ? "always" : "everysec"}`,
    "dir /data",
    // When the server runs out of memory, the kernel kills PostgreSQL last, and a process that saves or rewrites first.
    "oom-score-adj absolute",
    "oom-score-adj-values 200 200 800",
    "bind * -::*",
    "",
  ].join("\n");
}

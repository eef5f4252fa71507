/** Builds redis.conf for the cache, the broker, or a Redis that is both. Pure. */

/** `cache` may evict, `broker` must not: it would lose tasks. `all` is both, so it must not evict either. */
export type RedisUse = "cache" | "broker" | "all";

/**
 * The text of redis.conf.
 *
 * @param maxMemoryMb memory for the data, in MiB
 * @param password the password of all clients
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

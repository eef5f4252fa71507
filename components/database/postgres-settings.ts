/** Computes PostgreSQL's settings from the memory that it may use. Pure. */

/**
 * The settings of a server by name, for its memory in MiB. As in the platform's guide, shared buffers get a quarter of it, and
 * the planner assumes a cache of three quarters; with 1 GiB the result has the guide's own figures.
 */
export function postgresSettings(memoryMb: number, maxConnections = 100): Readonly<Record<string, string>> {
  return {
    shared_buffers: `${Math.floor(memoryMb / 4)}MB`,
    effective_cache_size: `${Math.floor((memoryMb * 3) / 4)}MB`,
    work_mem: `${clamp(Math.floor(memoryMb / 64), 4, 64)}MB`,
    maintenance_work_mem: `${clamp(Math.floor(memoryMb / 8), 64, 2048)}MB`,
    max_connections: String(maxConnections),
    wal_level: "replica",
    max_wal_senders: "10",
    // A replica that is down for long loses its slot and must be created again, instead of filling the primary's disk.
    max_slot_wal_keep_size: "4GB",
    random_page_cost: "1.1",
    effective_io_concurrency: "200",
    log_min_duration_statement: "1000",
    // Who logged in from where, and who changed what the database consists of.
    log_connections: "on",
    log_statement: "ddl",
    log_line_prefix: "%t [%p]: [%l-1] user=%u,db=%d,host=%h ",
  };
}

/** What the decoding of changes needs, for `make move-database`. */
export const movableSettings = { wal_level: "logical" } as const;

/**
 * The settings of a database for tests: a crash may lose it, so nothing waits for the disk. Its files are in memory, which is the
 * container's: buffers would hold them twice, and WAL is recycled early.
 */
export function throwawaySettings(memoryMb: number): Readonly<Record<string, string>> {
  return {
    ...postgresSettings(memoryMb),
    ...{ fsync: "off", synchronous_commit: "off", full_page_writes: "off" },
    ...{ shared_buffers: "32MB", min_wal_size: "32MB", max_wal_size: "64MB" },
  };
}

/** Room for its files, in MiB: the rest of the container's memory is for its processes, which the kernel would kill when files fill all. */
export const throwawayDataMb = (memoryMb: number): number => Math.floor((memoryMb * 5) / 8);

/** Settings as arguments of the server's command line, where `docker inspect` shows them. */
export const settingArguments = (settings: Readonly<Record<string, string>>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

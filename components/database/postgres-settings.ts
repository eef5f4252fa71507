/** PostgreSQL's settings, computed from the memory that it may use. */

/**
 * The settings of a server as `name=value`, from the memory in MiB that it may use.
 * A quarter of it is shared buffers and three quarters the planner's idea of the cache, as the platform's guide asks;
 * the guide's own figures are those for 1 GiB.
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
    // A replica that is away for long is made anew, and does not fill the primary's disk.
    max_slot_wal_keep_size: "4GB",
    random_page_cost: "1.1",
    effective_io_concurrency: "200",
    log_min_duration_statement: "1000",
    log_line_prefix: "%t [%p]: [%l-1] user=%u,db=%d ",
  };
}

/** The settings of a database that tests fill and throw away: a crash may lose it, so nothing waits for the disk. */
export function throwawaySettings(memoryMb: number): Readonly<Record<string, string>> {
  return { ...postgresSettings(memoryMb), fsync: "off", synchronous_commit: "off", full_page_writes: "off" };
}

/** Settings as arguments of the server's command line, where anybody can read what it runs with. */
export const settingArguments = (settings: Readonly<Record<string, string>>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

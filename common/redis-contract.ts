/** Paths in the containers of Redis that the program, the plan and the tools share. Pure. */

/** The folder of Redis' live files in its container. */
export const redisDirectory = "/etc/orion/redis";

/** A file of the version in use. */
export const redisFile = (name: string): string => `${redisDirectory}/current/${name}`;

/** `redis-cli` as the user `admin`, for people: it may run every command. */
export const redisAdmin = `sh ${redisFile("admin")}`;

/** `redis-cli` as the user `monitor`: health check and `make doctor`. */
export const redisMonitor = `sh ${redisFile("monitor")}`;

/** Gives the running Redis the users and the configuration of its files. */
export const redisReload = `sh ${redisFile("reload")}`;

/**
 * Contains whether clients of the program's version without users may log in, as `default` with the one password of that version:
 * `open` while an update replaces them, `leaving` after it, then `closed`. Without the file they may not.
 */
export const formerClientsFile = "/data/former-clients";

/** Exists once Sentinels watch a server: from then on they decide whether it is the master. */
export const watchedFile = "/data/watched";

/** The folder of a Sentinel's live files in its container. */
export const sentinelDirectory = "/etc/orion/sentinel";

/** A file of the version in use. */
export const sentinelFile = (name: string): string => `${sentinelDirectory}/current/${name}`;

/** `redis-cli` at the Sentinel itself as the user `admin`, for people. */
export const sentinelAdmin = `sh ${sentinelFile("admin")}`;

/** The same as the user `monitor`: health check and `make doctor`. */
export const sentinelMonitor = `sh ${sentinelFile("monitor")}`;

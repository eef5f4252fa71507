/** The script with which health checks and people open `redis-cli` in a container of Redis or of a Sentinel. Pure. */

/** `redis-cli` as a user, through the server's socket. @param passwordFile the file with the user's password */
export const clientScript = (user: "admin" | "monitor", socket: string, passwordFile: string): string => `#!/bin/sh
# redis-cli as the user ${user}; the arguments are its own.
REDISCLI_AUTH=$(cat ${passwordFile})
export REDISCLI_AUTH
exec redis-cli -s ${socket} --user ${user} "$@"
`;

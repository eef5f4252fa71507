/** The script with which health checks and people open `redis-cli` in a container of Redis or of a Sentinel, and its use in checks. Pure. */

/** `redis-cli` as a user, through the server's socket. @param passwordFile the file with the user's password */
export const clientScript = (user: "admin" | "monitor", socket: string, passwordFile: string): string => `#!/bin/sh
# redis-cli as the user ${user}; the arguments are its own.
REDISCLI_AUTH=$(cat ${passwordFile})
export REDISCLI_AUTH
exec redis-cli -s ${socket} --user ${user} "$@"
`;

/**
 * Lines of shell that wait for the answer of a server with the process id `$server`, and end it. When there is none they end the
 * script, with what the server has written to /tmp/log.
 *
 * @param client file of the {@link clientScript}
 * @param indent what each line begins with
 */
export const tryServer = (client: string, indent = ""): string =>
  [
    "tries=100",
    `until [ "$(sh ${client} ping 2>&1)" = PONG ]; do`,
    "  tries=$((tries - 1))",
    `  if [ "$tries" -le 0 ] || ! kill -0 "$server" 2>/dev/null; then`,
    "    cat /tmp/log",
    "    exit 1",
    "  fi",
    "  sleep 0.1",
    "done",
    `kill "$server"`,
    `wait "$server"`,
  ]
    .map((line) => `${indent}${line}`)
    .join("\n");

/** Shell scripts that run on a server before it is powered off, before it is deleted, and after it is back. Pure. */
import { workerStopSeconds } from "./app-contract.ts";
import { drainingFile, edgeConfigFile } from "./edge-contract.ts";

/** Load balancers probe every three seconds, and take a target out after three failures. */
const noticeSeconds = 15;
/** Longer than the longest time that a container may take to end: that of a worker with tasks. */
export const stopSeconds = workerStopSeconds + 35;
/** A server that was drained but not powered off starts its containers again after this time. */
const resumeSeconds = 900;

const containers = (stack: string): string => `--filter label=app=orion --filter label=stack=${stack}`;

/** Ends the connections that visitors keep open between two requests, at the edges that `$edges` lists. */
const endKeptConnections = `if [ -n "$edges" ]; then
  for edge in $edges; do docker exec "$edge" nginx -c ${edgeConfigFile} -s reload; done
  sleep 5
fi
`;

const edgesOf = (stack: string): string => `edges=$(docker ps --quiet ${containers(stack)} --filter label=role=edge)\n`;

/** Stops every container, each with its own stop timeout, on a server that gets no visitors any more. */
export const drainScript = (stack: string): string =>
  `${edgesOf(stack)}${endKeptConnections}docker ps --quiet ${containers(stack)} | xargs -r docker stop\n`;

/**
 * Makes load balancers take the server out, then stops the Docker Engine, which stops every container with its own timeout.
 * Containers that are stopped in this way start again at the next boot; one stopped by name would stay stopped.
 */
export const powerOffScript = (stack: string): string => `set -eu
${edgesOf(stack)}systemd-run --quiet --collect --on-active=${resumeSeconds} sh -c '
  umount /etc/docker/daemon.json
  systemctl start docker.socket docker.service
  docker ps --quiet ${containers(stack)} --filter label=role=edge |
    while read -r edge; do docker exec "$edge" rm -f ${drainingFile}; done'
if [ -n "$edges" ]; then
  for edge in $edges; do docker exec "$edge" touch ${drainingFile}; done
  sleep ${noticeSeconds}
fi
${endKeptConnections}# With live-restore the engine would leave its containers running when it ends.
mkdir -p /run/orion /run/systemd/system/docker.service.d
sed 's/"live-restore": *true/"live-restore":false/' /etc/docker/daemon.json > /run/orion/daemon.json
mount --bind /run/orion/daemon.json /etc/docker/daemon.json
printf '[Service]\\nTimeoutStopSec=${stopSeconds}\\n' > /run/systemd/system/docker.service.d/orion-power-off.conf
systemctl daemon-reload
systemctl reload docker.service
tries=0
while [ "$(docker info --format '{{.LiveRestoreEnabled}}')" = true ] && [ "$tries" -lt 20 ]; do
  sleep 0.5
  tries=$((tries + 1))
done
systemctl stop docker.socket docker.service
sync
`;

/**
 * Succeeds when every container of the stack is healthy.
 *
 * @param edgeHealth URL at which load balancers probe the server's edge
 */
export const readyScript = (stack: string, edgeHealth: string | undefined): string => `set -eu
ill=$(docker ps ${containers(stack)} --format '{{.Names}}: {{.Status}}' | grep -v '(healthy)' || true)
[ -z "$ill" ] || { echo "$ill"; exit 1; }
${edgeHealth === undefined ? "" : `python3 -c 'import urllib.request; urllib.request.urlopen("${edgeHealth}", timeout=3)'\n`}`;

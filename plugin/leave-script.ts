/** What a server does before it is switched off, and when it is back, as shell scripts for it. Pure. */
import { edgeConfigFile, drainingFile } from "../common/edge-contract.ts";

/** Load balancers ask every three seconds, and take three answers for one. */
const noticeSeconds = 15;
/** Longer than the longest that a container may take to end: a worker has 310 s for its tasks. */
export const stopSeconds = 345;
/** A server that was not switched off after all goes back to work. */
const staySeconds = 900;

const containers = (stack: string): string => `--filter label=app=orion --filter label=stack=${stack}`;

/** Connections that visitors keep end between two of their requests. Of edges that `$edges` lists. */
const endKept = `if [ -n "$edges" ]; then
  for edge in $edges; do docker exec "$edge" nginx -c ${edgeConfigFile} -s reload; done
  sleep 5
fi
`;

const edgesOf = (stack: string): string => `edges=$(docker ps --quiet ${containers(stack)} --filter label=role=edge)\n`;

/** Ends every container for good, in its own time, on a server that nobody is sent to any more. */
export const endScript = (stack: string): string =>
  `${edgesOf(stack)}${endKept}docker ps --quiet ${containers(stack)} | xargs -r docker stop\n`;

/**
 * Has visitors stay away, then ends every container in its own time. Nothing of it lasts beyond the next boot, when all of
 * them start again: whoever stops a container by name would have to start it by name as well.
 */
export const leaveScript = (stack: string): string => `set -eu
${edgesOf(stack)}systemd-run --quiet --collect --on-active=${staySeconds} sh -c '
  umount /etc/docker/daemon.json
  systemctl start docker.socket docker.service
  docker ps --quiet ${containers(stack)} --filter label=role=edge |
    while read -r edge; do docker exec "$edge" rm -f ${drainingFile}; done'
if [ -n "$edges" ]; then
  for edge in $edges; do docker exec "$edge" touch ${drainingFile}; done
  sleep ${noticeSeconds}
fi
${endKept}# The engine leaves containers running when it ends, unless it is told otherwise.
mkdir -p /run/orion /run/systemd/system/docker.service.d
sed 's/"live-restore": *true/"live-restore":false/' /etc/docker/daemon.json > /run/orion/daemon.json
mount --bind /run/orion/daemon.json /etc/docker/daemon.json
printf '[Service]\\nTimeoutStopSec=${stopSeconds}\\n' > /run/systemd/system/docker.service.d/orion-leave.conf
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
 * Ends well when every container of the stack is.
 *
 * @param edgeHealth URL at which load balancers ask for the server's edge
 */
export const backScript = (stack: string, edgeHealth: string | undefined): string => `set -eu
ill=$(docker ps ${containers(stack)} --format '{{.Names}}: {{.Status}}' | grep -v '(healthy)' || true)
[ -z "$ill" ] || { echo "$ill"; exit 1; }
${edgeHealth === undefined ? "" : `python3 -c 'import urllib.request; urllib.request.urlopen("${edgeHealth}", timeout=3)'\n`}`;

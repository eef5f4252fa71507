/** Shell scripts that run on a server before it is powered off, before it is deleted, and after it is back. Pure. */
import { imageRoles, workerStopSeconds } from "./app-contract.ts";
import { drainingFile, edgeConfigFile } from "./edge-contract.ts";
import { quoted } from "./shell.ts";

/** Load balancers probe every three seconds, and take a target out after three failures. */
const noticeSeconds = 15;
/** Longer than all containers may take to end: a worker with tasks, and then PostgreSQL. */
export const stopSeconds = workerStopSeconds + 75;
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

/**
 * The containers that use others of their server: the edge before an app, gateway and pooler, PostgreSQL and Redis. They end before these, or
 * they could neither complete a request or a task nor close a WebSocket as clients expect.
 */
const usersOf = (stack: string): string =>
  `users=$(for role in ${imageRoles.join(" ")}; do docker ps --quiet ${containers(stack)} --filter label=role=$role; done)\n`;

/** Stops every container, each with its own stop timeout, on a server that gets no visitors any more. */
export const drainScript = (stack: string): string =>
  `${edgesOf(stack)}${endKeptConnections}${usersOf(stack)}[ -z "$users" ] || docker stop $users
docker ps --quiet ${containers(stack)} | xargs -r docker stop
`;

/** Starts what {@link powerOffScript} has stopped by name and Docker has not started yet; from then on it restarts as before. */
export const restartAsBefore = (
  stack: string,
): string => `stopped=$(docker ps --all --quiet ${containers(stack)} | xargs -r docker inspect --format '{{.HostConfig.RestartPolicy.Name}} {{.Id}}' |
  sed -n 's/^always //p')
[ -z "$stopped" ] || { docker start $stopped && docker update --restart unless-stopped $stopped; } >/dev/null
`;

/** Undoes what {@link powerOffScript} has done, on a server that runs on. */
const resumeScript = (stack: string): string => `umount /etc/docker/daemon.json
systemctl start docker.socket docker.service
${restartAsBefore(stack)}docker ps --quiet ${containers(stack)} --filter label=role=edge |
  while read -r edge; do docker exec "$edge" rm -f ${drainingFile}; done`;

/**
 * Makes load balancers take the server out, stops the containers that use others, then the Docker Engine, which stops all others. At the
 * next boot all of them start again: of those that were stopped by name, Docker starts the ones that always restart.
 */
export const powerOffScript = (stack: string): string => `set -eu
${edgesOf(stack)}systemd-run --quiet --collect --on-active=${resumeSeconds} sh -c ${quoted(resumeScript(stack))}
if [ -n "$edges" ]; then
  for edge in $edges; do docker exec "$edge" touch ${drainingFile}; done
  sleep ${noticeSeconds}
fi
${endKeptConnections}${usersOf(stack)}if [ -n "$users" ]; then
  docker update --restart always $users >/dev/null
  docker stop $users >/dev/null
fi
# With live-restore the engine would leave its containers running when it ends.
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
 * Succeeds when every container of the stack is healthy, on a server that is back.
 *
 * @param edgeHealth URL at which load balancers probe the server's edge
 */
export const readyScript = (stack: string, edgeHealth: string | undefined): string => `set -eu
${restartAsBefore(stack)}ill=$(docker ps ${containers(stack)} --format '{{.Names}}: {{.Status}}' | grep -v '(healthy)' || true)
[ -z "$ill" ] || { echo "$ill"; exit 1; }
${edgeHealth === undefined ? "" : `python3 -c 'import urllib.request; urllib.request.urlopen("${edgeHealth}", timeout=3)'\n`}`;

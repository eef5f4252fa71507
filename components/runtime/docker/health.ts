/**
 * The health checks of all containers: one shell script for each kind of service, which costs next to nothing. Pure.
 *
 * Docker starts a check {@link betweenChecks} seconds after the check before has ended, so that two of a container never
 * overlap. Until a container has been healthy for the first time, the script probes it at once, since an update waits for the
 * result. From then on it sleeps before it probes: one check a minute. A container that was healthy and fails the probe is
 * probed again for a minute before the check fails: on a busy machine it may only be slow.
 *
 * Nothing restarts an unhealthy container. How a failure is noticed:
 * - a process that ends: Docker, which starts the container again within a second, without any check;
 * - an app that hangs: nginx, which sends a GET that has no answer after a minute to another instance;
 * - an edge that hangs: the load balancer, which checks every three seconds and takes it out after three failures;
 * - any other hang: `make doctor`, `docker ps`, and an update that waits for the server, after at most
 *   {@link secondsUntilUnhealthy} seconds.
 */

import { redisMonitor, sentinelMonitor } from "../../../common/redis-contract.ts";

/** The Docker health check; times in seconds. */
export interface DockerHealthcheck {
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly retries: number;
  readonly startPeriod: number;
}

/** The commands of a health check. */
export interface Probe {
  /** Shell commands that end with 0 when the container is healthy, and print why it is not. */
  readonly commands: string;
  /** Whether one check probes again and again while the container starts ({@link whileItStarts}). @default false: once */
  readonly eager?: boolean;
}

/**
 * For containers of which several start at once, each for many seconds: to start a check costs more processor time than the probe does, and
 * takes it from what starts. One check probes every second, and ends with the first success, or after {@link eagerSeconds}.
 */
export const whileItStarts = (probe: Probe): Probe => ({ ...probe, eager: true });

const betweenChecks = 2;
/** No longer than the answer to one probe may take, so that a container which hangs is noticed no later. */
const eagerSeconds = 10;
/** How long a check sleeps before it probes when the check before succeeded. */
const pause = 55;
/** How long one probe may take: much longer than a healthy process needs on a machine with four times the work. */
const answerSeconds = 10;
/** A container that was healthy is probed this often before the check fails, with so many seconds between. */
const tries = 4;
const betweenTries = 10;
/** Failed checks in a row that make a container unhealthy. The first of them has probed four times already. */
const retries = 4;
/** After this many failed checks the container is probed less often: no update waits for it any more. */
const failuresUntilRare = 60;
const rarePause = 15;

/**
 * Failed checks do not count within this time after a container's start. The first check that succeeds ends it; it is long,
 * since ten services that start together on two slow cores need over a minute.
 */
const startPeriod = 120;

/** The longest that the script takes. It must end in time itself: Docker 20.10 leaves the process of a check that timed out. */
const longestCheck = pause + tries * answerSeconds + (tries - 1) * betweenTries;

/** A container that hangs is unhealthy after this many seconds at the latest. */
export const secondsUntilUnhealthy = longestCheck + betweenChecks + (retries - 1) * (answerSeconds + betweenChecks);

/** The longest that a new container may take to become healthy, in seconds. */
export const secondsUntilHealthy = startPeriod + 60;

/** The health check with this probe, for Docker. */
export const dockerHealthcheck = (probe: Probe): DockerHealthcheck => ({
  test: ["CMD", "sh", "-c", healthScript(probe)],
  interval: betweenChecks,
  // Twice as long, for a machine that is so busy that programs take seconds to start.
  timeout: 2 * longestCheck,
  retries,
  startPeriod,
});

/**
 * The script. Its state is one line of a file in /dev/shm, which is empty after each start of the container: when the last
 * check succeeded, how many have failed since, and `seen`, a value that the probe keeps for the next check. When the last
 * success is long ago, the Docker Engine was restarted and knows no health any more: then the script probes at once.
 *
 * @param state file of the state
 * @param sleep program that sleeps
 */
export const healthScript = (
  { commands, eager = false }: Probe,
  state = "/dev/shm/orion-health",
  sleep = "sleep",
): string => `exec 2>&1
at=0 failed=1 seen= tries=1${eager ? ` end= pause=${betweenTries}` : ""}
if [ -s ${state} ]; then read -r at failed seen <${state}; fi
clock() { read -r now _ </proc/uptime; now=\${now%%.*}; }
limit=; if command -v timeout >/dev/null; then limit='timeout ${answerSeconds}'; fi
probe() {
${commands}
}
clock
if [ "$failed" -eq 0 ]; then
  tries=${tries}
  if [ $((now - at)) -lt 20 ]; then ${sleep} ${pause}; fi
elif [ "$failed" -gt ${failuresUntilRare} ]; then ${sleep} ${rarePause}${
  eager
    ? `
else end=$((now + ${eagerSeconds})) tries=${eagerSeconds} pause=1`
    : ""
}; fi
until probe; do
  tries=$((tries - 1))${eager ? `\n  if [ -n "$end" ]; then clock; [ "$now" -lt "$end" ] || tries=0; fi` : ""}
  if [ "$tries" -le 0 ]; then
    echo "0 $((failed + 1)) $seen" >${state}
    exit 1
  fi
  ${sleep} ${eager ? "$pause" : betweenTries}
done
clock
echo "$now 0 $seen" >${state}`;

/**
 * A GET is answered with a status of 200 to 299. It is sent by the lightest program that the image has: bash, which every
 * Debian has, or curl, or wget; Python is the last resort, since it takes much longer to start.
 */
export const httpProbe = (port: number, path: string): Probe =>
  getProbe(port, path, "read -r _ status _ <&3 && [[ $status == 2?? ]]");

/** How bash ends when the answer has another status. */
const otherStatus = 9;

/**
 * The same, and another status is printed: the health path of an app is a setting, which may be wrong. An app that answers has
 * started: an eager check does not probe it again.
 */
export const appProbe = (port: number, path: string): Probe =>
  getProbe(
    port,
    path,
    `read -r _ status reason <&3 && { [[ $status == 2?? ]] || { echo "HTTP $status \${reason%?}"; exit ${otherStatus}; }; }`,
    `\n    [ $? -ne ${otherStatus} ] || [ -z "\${end:-}" ] || tries=0\n   `,
  );

/**
 * @param check of bash: reads the answer and decides
 * @param failed commands of the script for a probe that has failed, whose exit code is still `$?`
 */
const getProbe = (port: number, path: string, check: string, failed = ""): Probe => {
  const host = `127.0.0.1:${port}`;
  const url = `http://${host}${path}`;
  const request = `GET ${path} HTTP/1.0\\r\\nHost: ${host}\\r\\nConnection: close\\r\\n\\r\\n`;
  return {
    commands: `  if command -v bash >/dev/null; then
    $limit bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port} && printf "${request}" >&3 && ${check}'
  elif command -v curl >/dev/null; then curl -fsS -m ${answerSeconds} -o /dev/null ${url}
  elif command -v wget >/dev/null; then wget -q -T ${answerSeconds} -O /dev/null ${url}
  else $limit python3 -c 'import urllib.request; urllib.request.urlopen("${url}", timeout=${answerSeconds})'
  fi || {${failed} echo "GET ${url}: no answer with status 2xx within ${answerSeconds} s"; return 1; }`,
  };
};

/**
 * PostgreSQL takes connections. Over TCP: the temporary server of the first initialisation listens on its socket only, and
 * must not be used yet.
 */
export const postgresProbe = (user: string, database: string): Probe => ({
  commands: `  pg_isready -h 127.0.0.1 -U ${user} -d ${database} -t ${answerSeconds}`,
});

/**
 * Redis answers PONG. `redis-cli` ends with 0 whatever the answer is, hence the comparison: a server that still loads its
 * data is not healthy.
 */
export const redisProbe: Probe = pingProbe(redisMonitor);

/** A Sentinel answers PONG. */
export const sentinelProbe: Probe = pingProbe(sentinelMonitor);

function pingProbe(client: string): Probe {
  return {
    commands: `  answer=$($limit ${client} ping)
  [ "$answer" = PONG ] || { echo "ping: $answer"; return 1; }`,
  };
}

/** PgBouncer's console answers. @param console the command line of psql in it */
export const poolerProbe = (console: string): Probe => ({
  commands: `  answer=$($limit ${console} -Atc "SHOW VERSION" 2>&1) || { echo "$answer"; return 1; }`,
});

/** pgBackRest's server answers, over TLS. */
export const backrestProbe: Probe = {
  commands: `  answer=$($limit pgbackrest server-ping 2>&1) || { echo "$answer"; return 1; }`,
};

/** Where Celery's workers and Beat write their process id when they have started. In /dev/shm, so that no old file remains. */
export const celeryPidFile = "/dev/shm/celery.pid";

/**
 * The main process of a worker or of Beat exists, and its loop runs: the kernel counts how often a process has waited for
 * something, and that number stays the same for a process that hangs or is in an endless loop. This needs nothing of the
 * image but Celery, and starts no program. The first probe has no number to compare with, and therefore always fails.
 *
 * @param proc folder of the kernel's files
 */
const loopRuns = (proc: string, pidFile: string): string => `  pid=; [ -s ${pidFile} ] && read -r pid <${pidFile}
  [ -n "$pid" ] && [ -e ${proc}/$pid/status ] || { echo "Celery has not started"; return 1; }
  waits=
  while read -r key value _; do
    if [ "$key" = voluntary_ctxt_switches: ]; then waits=$value; fi
  done <${proc}/$pid/status
  before=$seen seen=$waits
  [ -n "$before" ] && [ "$waits" != "$before" ] || { echo "Celery's process $pid has done nothing since the last look"; return 1; }`;

/** Seconds after which Beat looks at its schedule again at the latest: a deploy waits until its health check sees that its loop runs. */
export const beatMaxInterval = 2;

/** Beat's loop runs. Its connection to the broker is not looked for: it opens one only when a task is due. */
export const beatProbe = (proc = "/proc", pidFile = celeryPidFile): Probe => ({
  commands: loopRuns(proc, pidFile),
});

/**
 * A worker's loop runs, and it has an established connection (state 01) to its broker's port. A connection on which a packet
 * was sent again more than three times is not counted: the broker's server is gone. Other brokers than Redis are not looked
 * for, since their clients may keep no connection.
 */
export const workerProbe = (proc = "/proc", pidFile = celeryPidFile): Probe => ({
  commands: `${loopRuns(proc, pidFile)}
  case $CELERY_BROKER_URL in redis://* | rediss://*) ;; *) return 0 ;; esac
  port=\${CELERY_BROKER_URL#*://}
  port=\${port%%[/?]*}
  port=\${port##*@}
  port=\${port##*:}
  case $port in '' | *[!0-9]*) port=6379 ;; esac
  port=$(printf %04X "$port")
  for table in ${proc}/$pid/net/tcp ${proc}/$pid/net/tcp6; do
    [ -e "$table" ] || continue
    while read -r _ _ remote state _ _ resent _; do
      case $state-$remote-$resent in 01-*:$port-0000000[0-3]) return 0 ;; esac
    done <"$table"
  done
  echo "no connection to the broker's port"
  return 1`,
});

/**
 * How a worker ends: a shell in its container that lets it complete its tasks, and ends one that hangs with none left. Pure.
 *
 * Celery's warm shutdown can hang: a process of the pool has run its task and writes the result to the main process, which does not
 * read any more and waits for the process to end. Such a worker cannot be asked: it has left the broker. A process that sleeps within a task
 * looks the same, but the kernel knows in which system call each process sleeps. One that reads from the main process waits for a task, one
 * that writes to it has completed its task; any other may be in the midst of one.
 */

/** When all of a worker's processes have waited for the main process alone for so many seconds, it hangs. */
const hangs = 10;
/** Celery takes a process of the pool for lost ten seconds after its end. */
const givesUp = 12;

/**
 * The command with which a worker runs: it passes SIGTERM on, ends as the worker ends, and looks at the worker's processes from then on.
 * Those that hang are killed first: then the main process may complete its shutdown and give the tasks that it has fetched and not
 * started back to the broker. If it does not, it is killed, too, as Docker would do in the end.
 *
 * @param proc folder of the kernel's files
 */
export const endsWarmly = (command: readonly string[], proc = "/proc"): string[] => [
  ...["sh", "-c", warmShutdown(proc), "worker"],
  ...command,
];

/** System calls: `read` and `write` of x86-64 and of ARM64. On either, the other's numbers are of calls that wait for nothing. */
const readOrWrite = "0 | 1 | 63 | 64";

const warmShutdown = (proc: string): string => `stopping=
trap 'stopping=1' TERM
"$@" &
worker=$!
# The pool's processes are copies of the main one; with setproctitle they have a name.
pool() {
  own=$(tr '\\0' ' ' <${proc}/$worker/cmdline)
  for child in $(cat ${proc}/$worker/task/*/children 2>/dev/null); do
    case "$(tr '\\0' ' ' <${proc}/$child/cmdline)" in "$own" | *ForkPoolWorker*) echo "$child" ;; esac
  done 2>/dev/null
}
waits() {
  read -r call file _ <${proc}/$1/syscall || return 1
  case $call in ${readOrWrite}) ;; *) return 1 ;; esac
  pipe=$(readlink ${proc}/$1/fd/$((file))) || return 1
  for other in ${proc}/$worker/fd/*; do
    if [ "$(readlink "$other")" = "$pipe" ]; then return 0; fi
  done
  return 1
} 2>/dev/null
watch() {
  quiet=0
  while sleep 1; do
    left=$(pool)
    quiet=$((quiet + 1))
    for child in $left; do waits "$child" || quiet=0; done
    if [ $quiet -eq ${hangs} ]; then
      echo "orion: this worker has no task left and does not end; its processes are killed:" $left >&2
      kill -KILL $left 2>/dev/null
    elif [ $quiet -gt ${hangs + givesUp} ]; then
      kill -KILL "$worker"
      return
    fi
  done
}
wait "$worker"
code=$?
if [ -n "$stopping" ]; then
  # Without processes of a pool, tasks run in the main process.
  if [ -n "$(pool)" ]; then watch & fi
  kill -TERM "$worker" 2>/dev/null
  while :; do
    wait "$worker"
    code=$?
    kill -0 "$worker" 2>/dev/null || break
  done
fi
exit $code`;

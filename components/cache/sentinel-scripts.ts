/**
 * The shell scripts of a Sentinel's container. Pure.
 *
 * Sentinel rewrites its configuration file whenever it learns something. That file is on a volume of its own and is put together at
 * each start: the program's settings, and what the Sentinel has learnt. So a change of the program's settings takes effect at a
 * restart, and nothing that the Sentinel has learnt is lost or overruled.
 */
import { sentinelDirectory, sentinelFile } from "../../common/redis-contract.ts";
import { masterScript } from "./member-scripts.ts";
import type { RedisGroup } from "./redis-group.ts";
import { clientScript, tryServer } from "./client-script.ts";
import { sentinelData, sentinelSocket } from "./sentinel-config.ts";

const stateFile = `${sentinelData}/sentinel.conf`;

/** What Sentinel writes about itself, and about a group. */
const learntOfSelf = "myid|current-epoch";
const learntOfGroup = "monitor|config-epoch|leader-epoch|known-replica|known-sentinel";

/** Prints the configuration to start with. A Sentinel that knows nothing of a group asks the others, and else takes the first master. */
const composeScript = (groups: readonly RedisGroup[]): string => `#!/bin/sh
set -eu
folder=$1 state=$2
learnt() { if [ -e "$state" ]; then grep -E "^sentinel ($1)( |$)" "$state"; fi; }
cat "$folder/base.conf"
learnt '${learntOfSelf}' || true
for group in ${groups.map(({ name }) => name).join(" ")}; do
  known=$(learnt "(${learntOfGroup}) $group") || known=
  if [ -n "$known" ]; then
    printf '%s\\n' "$known"
  else
    first=$(grep "^sentinel monitor $group " "$folder/first.conf")
    if master=$(sh "$folder/master" "$group"); then echo "sentinel monitor $group $master \${first##* }"; else echo "$first"; fi
  fi
done
cat "$folder/groups.conf"
`;

const startScript = `#!/bin/sh
set -eu
umask 077
sh ${sentinelFile("compose")} ${sentinelDirectory}/current ${stateFile} >${stateFile}.next
mv -f ${stateFile}.next ${stateFile}
exec docker-entrypoint.sh redis-server ${stateFile} --sentinel
`;

/** Sentinel takes over certificates and passwords at a start only; Docker starts it again at once. What it watches does not notice. */
const reloadScript = `#!/bin/sh
sh ${sentinelFile("admin")} shutdown || true
`;

/** Starts a Sentinel with the files in a folder, which knows nothing, and waits for its answer. Its own output says what is wrong. */
const checkScript = `#!/bin/sh
set -u
folder=$1
sh "$folder/compose" "$folder" /tmp/none >/tmp/composed
for file in composed "$folder/monitor"; do
  (cd /tmp; sed "s#${sentinelDirectory}/current#$folder#g; s#${sentinelSocket}#/tmp/check.sock#g; s#^dir .*#dir /tmp#" "$file" >"/tmp/$(basename "$file").checked")
done
redis-server /tmp/composed.checked --sentinel --daemonize no >/tmp/log 2>&1 &
server=$!
${tryServer("/tmp/monitor.checked")}
exit 0
`;

/** The scripts by the names of their files. */
export const sentinelScripts = (groups: readonly RedisGroup[]): Readonly<Record<string, string>> => ({
  admin: clientScript("admin", sentinelSocket, sentinelFile("admin-password")),
  monitor: clientScript("monitor", sentinelSocket, sentinelFile("monitor-password")),
  master: masterScript(groups[0]?.sentinels ?? [], "server"),
  compose: composeScript(groups),
  start: startScript,
  reload: reloadScript,
  check: checkScript,
});

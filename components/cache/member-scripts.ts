/**
 * The shell scripts of a Redis that Sentinels watch. Pure.
 *
 * The Sentinels decide which server is the master; the program does not. Only until they watch a server ({@link watchedFile}) is the
 * group's first server its master. A Redis that starts asks the Sentinels before it accepts a command, so that a former master
 * that comes back starts as a replica. A Sentinel also tells a server to store its role (`CONFIG REWRITE`). This fails, because
 * redis.conf is read-only, and nothing reads the stored role.
 */
import { redisFile, watchedFile } from "../../common/redis-contract.ts";
import { replicationFile, tlsFiles } from "./redis-config.ts";
import type { Address } from "../published-address.ts";
import { type GroupMember, type RedisGroup, sentinelQuorum, written } from "./redis-group.ts";

/** How long a Sentinel may take to answer, in seconds. */
const answerSeconds = 2;

/**
 * Prints host and port of the master that most of the Sentinels name, and ends with 1 when there is none. All are asked at once.
 * It reads files in its own folder only, so that the scripts of the previous version of the files can still run.
 *
 * @param user of the Sentinels; its password is in the file `<user>-password`
 */
export const masterScript = (sentinels: readonly Address[], user: string): string => `#!/bin/sh
# Host and port of the master of the group $1, as ${sentinelQuorum} of ${sentinels.length} Sentinels name it.
set -u
cd "$(dirname "$0")"
REDISCLI_AUTH=$(cat ${user}-password)
export REDISCLI_AUTH
for at in ${sentinels.map((one) => `'${written(one)}'`).join(" ")}; do
  timeout ${answerSeconds} redis-cli -h "\${at% *}" -p "\${at#* }" --tls --cacert ${tlsFiles.authority} --user ${user} \\
    sentinel get-master-addr-by-name "$1" 2>/dev/null </dev/null | paste -s -d ' ' - &
done | grep -E '^[0-9.]+ [0-9]+$' | sort | uniq -c | while read -r votes master; do
  if [ "$votes" -ge ${sentinelQuorum} ]; then echo "$master"; fi
done | grep .
`;

/** Finds the arguments with which a server of a group starts: its master, if it is a replica, and whether it takes writes without replicas. */
export const startOfMember = ({
  group,
  own,
}: GroupMember): string => `until master=$(sh ${redisFile("master")} ${group.name}); do
  # Nobody has watched it yet: it is the first master, or follows it.
  if [ ! -e ${watchedFile} ]; then
    master='${written(group.first)}'
    break
  fi
  echo "Waiting until ${sentinelQuorum} of ${group.sentinels.length} Sentinels name the master of ${group.name}." >&2
  sleep 1
done
set --
if [ "$master" != '${written(own)}' ]; then set -- --replicaof $master; fi
if [ -e ${watchedFile} ]; then set -- "$@" --min-replicas-to-write 1; fi`;

/** A server of a group only needs its login at a master, for when it becomes a replica. */
export const reloadOfMember = `test -s ${replicationFile}`;

const waitSeconds = 90;

const watchScript = ({ group }: GroupMember): string => `#!/bin/sh
# Waits until the Sentinels watch the group and its data is on two servers. From then on they alone say who is the master, and a
# master that no replica hears takes no writes.
set -u
end=$(($(date +%s) + ${waitSeconds}))
isReady() {
  sh ${redisFile("master")} ${group.name} >/dev/null || { why="no majority of the Sentinels names a master"; return 1; }
  why=$(sh ${redisFile("admin")} info replication | tr -d '\\r')
  printf '%s\\n' "$why" | grep -Eq '^(master_link_status:up|slave[0-9]+:.*,state=online,)'
}
until isReady; do
  if [ "$(date +%s)" -ge "$end" ]; then echo "$why" >&2; exit 1; fi
  sleep 1
done
echo yes >${watchedFile}
sh ${redisFile("admin")} config set min-replicas-to-write 1
`;

/** Longer than a Sentinel takes to make a former master a replica: it does so eight seconds after it has seen it. */
const pauseMilliseconds = 20_000;

const leadScript = ({ group, own }: { readonly group: RedisGroup; readonly own: Address }): string => `#!/bin/sh
# Makes this server the master of ${group.name}, and loses no write: the old one takes none while the last ones arrive.
set -u
cd "$(dirname "$0")"
say() { echo "$1" >&2; }
is_master() { [ "$(sh ./admin role | head -1)" = master ] && [ "$(sh ./master ${group.name})" = '${written(own)}' ]; }
value() { tr -d '\\r' | sed -n "s/^$1://p"; }
at_master() {
  REDISCLI_AUTH=$(cat admin-password) timeout 5 redis-cli -h "\${master% *}" -p "\${master#* }" --tls --cacert ${tlsFiles.authority} --user admin "$@"
}
sentinels() { printf '%s\\n' ${group.sentinels.map((one) => `'${written(one)}'`).join(" ")}; }
at_sentinel() {
  at=$1
  shift
  REDISCLI_AUTH=$(cat server-password) timeout ${answerSeconds} redis-cli -h "\${at% *}" -p "\${at#* }" --tls --cacert ${tlsFiles.authority} --user server sentinel "$@" </dev/null
}
# Sentinels ask for the priority every ten seconds.
prefer() { sh ./admin config set replica-priority "$1" >/dev/null; }
prefers() { at_sentinel "$1" replicas ${group.name} | grep -A 1 '^slave-priority$' | grep -q '^1$'; }
is_master && exit 0
master=$(sh ./master ${group.name}) || { say "No majority of the Sentinels names the master of ${group.name}."; exit 1; }
prefer 1
trap 'prefer 100' EXIT
tries=30 leader=
until [ -n "$leader" ]; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { say "No Sentinel sees this server as a replica of ${group.name}."; exit 1; }
  sleep 1
  leader=$(sentinels | while read -r each; do if prefers "$each"; then echo "$each"; break; fi; done)
done
[ "$(at_master client pause ${pauseMilliseconds} write)" = OK ] || { say "The master $master does not answer."; exit 1; }
tries=50
until [ "$(at_master info replication | value master_repl_offset)" = "$(sh ./admin info replication | value slave_repl_offset)" ]; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { at_master client unpause >/dev/null; say "This server does not catch up with $master."; exit 1; }
  sleep 0.1
done
answer=$(at_sentinel "$leader" failover ${group.name})
[ "$answer" = OK ] || { at_master client unpause >/dev/null; say "Sentinel: $answer"; exit 1; }
tries=100
until is_master; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { at_master client unpause >/dev/null; say "The Sentinels have not made this server the master."; exit 1; }
  sleep 0.2
done
# Without replicas the former master takes no writes; it answers the Sentinels again, and they make it a replica.
tries=25
until [ "$(at_master info replication | value connected_slaves)" = 0 ] || [ "$tries" -le 0 ]; do
  tries=$((tries - 1))
  sleep 0.2
done
at_master client unpause >/dev/null
`;

/** The scripts by the names of their files. */
export const memberScripts = (member: GroupMember): Readonly<Record<string, string>> => ({
  master: masterScript(member.group.sentinels, "server"),
  watch: watchScript(member),
  lead: leadScript(member),
});

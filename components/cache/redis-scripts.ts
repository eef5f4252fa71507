/**
 * The shell scripts in a container of Redis, which are live files like its configuration. Pure.
 *
 * An update from the version without users replaces the container of Redis first, and its clients one after another: until
 * they are gone, Redis has to let them in as before. {@link formerClientsFile} says so, and survives a restart:
 * 1. `reload`, called in a container of the version before, writes `open`. The new container therefore starts with former.conf.
 * 2. When all new clients are healthy, the update writes `leaving` ({@link leavingScript}).
 * 3. `former` runs beside the server. Once no former client has been connected for {@link quietSeconds}, it ends these logins.
 */
import { workerStopSeconds } from "../../common/app-contract.ts";
import { formerClientsFile, redisDirectory, redisFile, watchedFile } from "../../common/redis-contract.ts";
import { clientScript, tryServer } from "./client-script.ts";
import { memberScripts, reloadOfMember, startOfMember } from "./member-scripts.ts";
import { redisSocket, replicationFile } from "./redis-config.ts";
import type { GroupMember } from "./redis-group.ts";

/** Longer than an update takes to stop the former workers, which complete their tasks first: the last thing that it does. */
const quietSeconds = workerStopSeconds + 290;

const lookSeconds = 10;

const redisClient = (user: "admin" | "monitor"): string =>
  clientScript(user, redisSocket, redisFile(`${user}-password`));

const stateLines = `state=closed
if [ -s ${formerClientsFile} ]; then read -r state <${formerClientsFile}; fi`;

const startScript = (member: GroupMember | undefined): string => `#!/bin/sh
# Starts Redis; as long as clients of the version without users are let in, with the configuration for them.
set -eu
${stateLines}
configuration=redis.conf
if [ "$state" != closed ]; then
  configuration=former.conf
  sh ${redisFile("former")} &
fi
${member ? startOfMember(member) : "set --"}
exec docker-entrypoint.sh redis-server ${redisDirectory}/current/$configuration "$@"
`;

/** Without Sentinels a server is its own master: a replica first becomes it, by the script of the version before, or data would be lost. */
const reloadWithoutGroup = `if [ -e ${watchedFile} ]; then
  for lead in ../*/lead; do sh "$lead"; done
  rm -f ${watchedFile}
fi`;

const reloadScript = (member: GroupMember | undefined): string => `#!/bin/sh
# Applies users and configuration to the running server, and removes users that are no longer listed. ACL SETUSER replaces a
# user in one step and keeps its connections; ACL LOAD would disconnect every client.
set -eu
cd ${redisDirectory}/current
${stateLines}
users=users.acl settings=redis.apply
if [ "$state" != closed ]; then users=former.acl settings=former.apply; fi
${member ? reloadOfMember : reloadWithoutGroup}
least=0
if [ -e ${watchedFile} ]; then least=1; fi
answers=$( {
  sed 's/^user \\([^ ]*\\)/ACL SETUSER \\1 reset/' $users
  cat $settings
  ${member ? `sed 's/^/CONFIG SET /' ${replicationFile}\n  ` : ""}echo "CONFIG SET min-replicas-to-write $least"
} | sh ./admin)
wrong=$(printf '%s\\n' "$answers" | grep -v '^OK$') || wrong=
[ -z "$wrong" ] || { printf '%s\\n' "$wrong" >&2; exit 1; }
for user in $(sh ./admin ACL USERS); do
  grep -q "^user $user " $users || sh ./admin ACL DELUSER "$user"
done
`;

/** @param quiet seconds without a former client after which none is let in any more @param look seconds between two looks */
export const formerScript = (quiet = quietSeconds, look = lookSeconds): string => `#!/bin/sh
# Ends the time of clients that know no users: once the update has replaced them and none is connected any more.
quiet=0
while [ "$quiet" -lt ${quiet} ]; do
  sleep ${look}
  ${stateLines.replaceAll("\n", "\n  ")}
  clients=$(sh ${redisFile("admin")} client list) && [ -n "$clients" ] || continue
  case $state-$clients in
    leaving-*" user=default "*) quiet=0 ;;
    leaving-*) quiet=$((quiet + ${look})) ;;
    open-*) quiet=0 ;;
    *) exit 0 ;;
  esac
done
echo closed >${formerClientsFile}
sh ${redisFile("reload")} && echo "Clients without a user are not let in any more."
`;

/** Starts a server with the files in a folder, but without data, and waits for its answer. Its own output says what is wrong. */
const checkScript = `#!/bin/sh
set -u
folder=$1
for name in redis former; do
  for file in $name.conf monitor; do sed "s#${redisDirectory}/current#$folder#g; s#${redisSocket}#/tmp/check.sock#g" "$folder/$file" >/tmp/$file; done
  redis-server /tmp/$name.conf --dir /tmp --appendonly no --save '' --oom-score-adj no --daemonize no >/tmp/log 2>&1 &
  server=$!
${tryServer("/tmp/monitor", "  ")}
done
exit 0
`;

/** The scripts by the names of their files. */
export const redisScripts = (member?: GroupMember): Readonly<Record<string, string>> => ({
  admin: redisClient("admin"),
  monitor: redisClient("monitor"),
  start: startScript(member),
  reload: reloadScript(member),
  former: formerScript(),
  check: checkScript,
  ...(member && memberScripts(member)),
});

/** The command that tells a container of Redis of its new files, or one of the version without users that it is going to be replaced. */
export const reloadCommand: readonly string[] = [
  ...["sh", "-c"],
  `if [ -e ${redisFile("reload")} ]; then exec sh ${redisFile("reload")}; fi; umask 0; echo open >${formerClientsFile}`,
];

/** Says that all clients have been replaced, where clients of the version without users were let in. */
export const leavingScript = `${stateLines}
if [ "$state" = open ]; then echo leaving >${formerClientsFile}; fi`;

/** The command of a server that takes base backups, checks that changes are archived, and restores to a given second. Pure. */
import { confinedServer } from "../../common/confinement.ts";
import { alertCommand, archiveBackupUnit, archiveSettingsFile } from "../../common/server-contract.ts";
import { assignments, quoted, quotedWords } from "../../common/shell.ts";
import { archiveEnvironment, gapFile, stanza } from "./archive-config.ts";
import { countTables } from "./backup-scripts.ts";
import { containerDataFolder } from "./data-folders.ts";
import { type ReplicaFilesAddress, replicaOptions } from "./replica-files-config.ts";
import { slotOf } from "./replication.ts";
import { superuser } from "./role-names.ts";
import { filesDirectory, takeFiles } from "./postgres-tls.ts";

export interface ArchiveSettings {
  /** Name of the primary's container. */
  readonly container: string;
  /** Its image, by name. */
  readonly image: string;
  /** The volume with its live files, among them pgBackRest's configuration. */
  readonly filesVolume: string;
  /** Folder of the server with its data. */
  readonly data: string;
  readonly database: string;
  /** The replica whose files base backups read. @default - none: they read the primary's */
  readonly replica?: ArchiveReplica | undefined;
}

export interface ArchiveReplica extends ReplicaFilesAddress {
  /** Its name. */
  readonly name: string;
  /** How long it may take to have what the primary had when the backup began. */
  readonly waitSeconds: number;
}

/** Text of `archiveSettingsFile`, which the script reads as shell. */
export const archiveSettingsText = (settings: ArchiveSettings): string =>
  assignments({
    CONTAINER: quoted(settings.container),
    IMAGE: quoted(settings.image),
    FILES: quoted(settings.filesVolume),
    DATA: quoted(settings.data),
    DATABASE: quoted(settings.database),
    ...replicaVariables(settings.replica),
  });

const replicaVariables = (replica: ArchiveReplica | undefined): Readonly<Record<string, string>> =>
  replica === undefined
    ? { REPLICA: quoted("") }
    : {
        REPLICA: quoted(replica.name),
        REPLICA_SLOT: quoted(slotOf(replica.name)),
        REPLICA_OPTIONS: quoted(quotedWords(replicaOptions(replica))),
        REPLICA_WAIT: String(replica.waitSeconds),
      };

/** How a base backup names the primary as what it has read, beside the name of a replica; so have all of the version before. */
const primarySource = "primary";

/** Name of the container and of the volume of a drill. */
const scratch = "orion-archive-drill";

/** A segment that waits for so long means that archiving has failed: one is finished every minute. */
const lateSeconds = 300;

/** A failure that lasts is told again after so long. */
const toldAgainSeconds = 6 * 3600;

const fullDays = 7;

/** What a container needs to run pgBackRest beside the data folder, as options of `docker run`. */
const backrestOptions = [
  `--volume "$FILES":${filesDirectory}:ro`,
  ...Object.entries(archiveEnvironment).map(([name, value]) => `--env ${name}=${value}`),
  `--env PGDATA=${containerDataFolder} --env PGUSER=${superuser} --env TARGET --env STANZA=${stanza}`,
].join(" ");

/** In such a container: fetches the newest base backup (from before `$TARGET`, if it is set) into the empty data folder, and says how far to recover. */
const fetchBackup = String.raw`set -eu
${takeFiles}
install -d -o postgres -g postgres -m 0700 "$PGDATA"
set -- --type=default
[ -z "$TARGET" ] || set -- --type=time --target="$TARGET" --target-action=promote
setpriv --reuid postgres --regid postgres --init-groups env HOME=/var/lib/postgresql \
  pgbackrest "$@" --process-max=2 restore`;

/**
 * - `info`: what can be restored.
 * - `facts`: the same and the state of the archive, for programs: lines of `name value`.
 * - `check`: what the timer runs every two minutes: registers the database in an empty archive, starts the first base backup, and
 *   tells people when changes are not archived or were given up.
 * - `backup [full|diff]`: a base backup. @default a full one every week, a differential one otherwise. It reads the files of the replica,
 *   if there is one that follows, otherwise those of the primary, and tells people why.
 * - `drill TIME`: restores to that second into a scratch server, reads everything, and removes it. With `ORION_DRILL_QUERY` it
 *   prints what this query says there.
 * - `restore latest`: the same with everything that was archived, for a database that is new and empty after a loss.
 * - `restore TIME`: replaces the data by that of that second; the data of now is kept beside it. `make restore` asks before.
 *
 * Times are UTC, such as `2026-11-29 12:00:05`.
 */
export const archiveScript = String.raw`#!/bin/sh
set -eu
exec </dev/null
umask 077
. ${archiveSettingsFile}
started=$(date +%s)
# Survives no boot: then it is looked at again.
state=/run/orion-archive
mkdir -p "$state"

say() { echo "$*"; }
die() {
  echo "orion-archive: $*" >&2
  exit 1
}
elapsed() { echo "$(($(date +%s) - started)) s"; }
human() { numfmt --to=iec --suffix=B "$1"; }
notify() { if [ -x ${alertCommand} ]; then ${alertCommand} "$@" || say "WARNING nobody could be told"; fi }
backrest() { docker exec --user postgres "$CONTAINER" pgbackrest "$@"; }
ask() { docker exec "$CONTAINER" psql -XqtA -v ON_ERROR_STOP=1 -c "$1"; }
is_primary() { [ "$(ask 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; }
# Values of the newest backups: the time at which a backup was complete is the first one that it can be restored to.
repository() { backrest info --output=json; }
of_repository() {
  repository | python3 -c '
import json, sys
known = json.load(sys.stdin)
backups = [one for each in known for one in each["backup"] if not one.get("error")]
fulls = [one for one in backups if one["type"] == "full"]
if backups:
    print("first", backups[0]["timestamp"]["stop"])
    print("newest", backups[-1]["timestamp"]["stop"])
    print("size", backups[-1]["info"]["size"])
    if sys.argv[1]:
        print("source", (backups[-1].get("annotation") or {}).get("source", "${primarySource}"))
    print("backups", len(backups))
if fulls:
    print("full", fulls[-1]["timestamp"]["stop"])
' "$REPLICA"
}
value() { sed -n "s/^$1 //p" "$state/facts"; }
# Segments that are finished and not archived: number, and age in seconds of the oldest one.
waiting() {
  find "$DATA/pg_wal/archive_status" -name '*.ready' -printf '%T@\n' 2>/dev/null | sort -n |
    awk -v now="$(date +%s)" 'NR == 1 { age = now - $1 } END { printf "%d %d\n", NR, age }'
}
shown() { date -u -d "@$1" '+%F %T'; }

# told KEY SUBJECT: tells people, and again only after hours.
told() {
  [ -z "$(find "$state" -name "told-$1" -newermt '-${toldAgainSeconds} seconds')" ] || return 0
  : >"$state/told-$1"
  notify "$2"
}
well() { rm -f "$state/told-$1"; }

register() {
  [ ! -e "$state/registered" ] || return 0
  backrest stanza-create || return 1
  : >"$state/registered"
}

# Whether the replica has all that the primary has now, and $why not. What the primary knows decides: a replica that lost it still answers.
replica_follows() {
  goal=$(ask "SELECT pg_current_wal_lsn()") || return 1
  patience=$(($(date +%s) + REPLICA_WAIT))
  while :; do
    why=$(ask "SELECT CASE
      WHEN NOT coalesce(bool_or(state = 'streaming'), false) THEN 'does not stream from the primary'
      WHEN coalesce(max(replay_lsn), '0/0') < '$goal' THEN 'is behind by ' || pg_size_pretty('$goal'::pg_lsn - coalesce(max(replay_lsn), '0/0'))
      END FROM pg_stat_replication WHERE application_name = '$REPLICA_SLOT'") || return 1
    case $why in
      '') return 0 ;;
      'is behind by '*) [ "$(date +%s)" -lt "$patience" ] || return 1 ;;
      *) return 1 ;;
    esac
    sleep 1
  done
}
# base_backup SOURCE OPTION...: takes one of the kind $kind.
base_backup() {
  source=$1
  shift
  backrest --type="$kind" --log-level-console=info --annotation=source="$source" "$@" backup
}

# A change after everything before it, archived with all of that. Without it, no time after the last change could be reached.
archive_all() {
  if ! is_primary; then
    say "the database does not answer: what was not archived before is not there"
    return 0
  fi
  # In a transaction of its own: its commit must be in the segment that is finished then.
  ask "SELECT pg_logical_emit_message(true, 'orion', 'restore')" >/dev/null
  last=$(ask "SELECT pg_walfile_name(pg_switch_wal())")
  tries=0
  until [ "$(ask "SELECT coalesce(last_archived_wal >= '$last', false) FROM pg_stat_archiver")" = t ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || die "the newest changes are not archived; journalctl -u orion-archive-check says why"
    sleep 0.5
  done
}

# target TIME: sets $TARGET, or refuses a time that cannot be restored.
target() {
  printf '%s' "$1" | grep -Eqx '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?' ||
    die "got the time '$1', allowed: UTC as 2026-11-29 12:00:05"
  seconds=$(date -u -d "$1" +%s) || die "got the time '$1', allowed: UTC as 2026-11-29 12:00:05"
  [ "$seconds" -lt "$started" ] || die "$1 is not in the past: it is $(shown "$started") UTC now"
  is_primary || docker container inspect "$CONTAINER" >/dev/null 2>&1 || die "the container $CONTAINER is not there"
  of_repository >"$state/facts" || die "the archive cannot be read"
  first=$(value first)
  [ -n "$first" ] || die "there is no base backup yet: $0 backup"
  [ "$seconds" -ge "$first" ] ||
    die "$1 cannot be restored: the oldest base backup was complete at $(shown "$first") UTC"
  export TARGET="$1+00"
}

# recovered CONTAINER SINCE: waits until it has recovered. What it says is in $state/log.
recovered() {
  while :; do
    docker logs --since "$2" "$1" >"$state/log" 2>&1 || true
    ! grep -q 'recovery ended before configured recovery target was reached' "$state/log" || return 1
    [ "$(docker container inspect --format '{{.State.Running}}' "$1")" = true ] || return 1
    [ "$(docker exec "$1" psql -XqtA -d postgres -c 'SELECT pg_is_in_recovery()' 2>/dev/null)" != f ] || return 0
    sleep 1
  done
}
reason() {
  if grep -q 'recovery ended before configured recovery target' "$state/log"; then
    echo "the archive has no change after that time: it ends $(sed -n 's/.*last completed transaction was at log time /at /p' "$state/log" | tail -n 1)"
  else
    tail -n 5 "$state/log"
  fi
}
reached() {
  sed -n 's/.*recovery stopping before commit of transaction \([0-9]*\), time \(.*\)/the first change that is left out is of \2/p; s/.*\(last completed transaction was at log time .*\)/\1/p' "$state/log" | tail -n 2
}

${countTables}
case "${"$"}{1-}" in
info)
  of_repository >"$state/facts"
  backrest info
  [ -z "$(value source)" ] || say "the newest base backup was read from $(value source)"
  ;;

facts)
  of_repository
  echo "waiting $(waiting)"
  [ ! -e "$DATA/${gapFile}" ] || echo "gap $(stat -c %Y "$DATA/${gapFile}")"
  ask "SELECT 'archived ' || coalesce(extract(epoch FROM last_archived_time)::bigint, 0) || ' ' || coalesce(last_archived_wal, '-') FROM pg_stat_archiver"
  ;;

check)
  exec 9>/run/lock/orion-archive-check
  flock --nonblock 9 || exit 0
  # A database that does not run is not this check's matter.
  is_primary || exit 0
  set -- $(waiting)
  if [ "$2" -ge ${lateSeconds} ]; then
    say "$1 segments wait, the oldest one for $2 s"
    ask "SELECT 'last failure: ' || last_failed_wal || ' at ' || last_failed_time FROM pg_stat_archiver" || true
    # Without pgBackRest's hints, which are about its configuration and hide the cause.
    docker logs --since 3m "$CONTAINER" 2>&1 | grep -E '[a-z]Error: |ERROR: \[|repo1: \[|archive command failed' | tail -n 5 >"$state/why" || true
    cat "$state/why"
    {
      echo "$1 segments of WAL wait on the Volume, the oldest one for $2 s. Changes since then cannot be restored to a second."
      cat "$state/why"
    } | told waiting "the database's changes are not archived"
  else
    well waiting
  fi
  if ! register; then
    told register "the database's archive cannot be written" </dev/null
    exit 0
  fi
  well register
  if [ -e "$DATA/${gapFile}" ]; then
    say "WAL was given up: a full backup begins"
    echo "More changes waited than orion:backups.archiveQueueGb allows. No time from then until the next base backup can be restored." |
      told gap "changes of the database were given up and are not archived"
    systemctl start --no-block ${archiveBackupUnit}.service
  elif [ ! -e "$state/has-backup" ]; then
    well gap
    of_repository >"$state/facts"
    if [ -n "$(value full)" ]; then : >"$state/has-backup"; else systemctl start --no-block ${archiveBackupUnit}.service; fi
  fi
  ;;

backup)
  exec 8>/run/lock/orion-archive
  flock --nonblock 8 || die "another base backup or restore is running"
  is_primary || die "the database does not answer, or is a replica"
  register || die "the database could not be registered in the archive"
  of_repository >"$state/facts" || die "the archive cannot be read"
  kind=${"$"}{2-}
  full=$(value full)
  if [ -z "$kind" ]; then
    kind=diff
    if [ -e "$DATA/${gapFile}" ] || [ -z "$full" ] || [ $((started - full)) -ge $((${fullDays} * 86400 - 43200)) ]; then kind=full; fi
  fi
  case $kind in full | diff) ;; *) die "got the kind '$kind', allowed: full, diff" ;; esac
  why=
  if [ -z "$REPLICA" ]; then
    base_backup ${primarySource}
  elif replica_follows && { base_backup "$REPLICA" $REPLICA_OPTIONS || { why='could not be read, see above'; false; }; }; then
    :
  else
    say "WARNING the replica $why; the base backup reads the primary"
    base_backup ${primarySource}
    echo "journalctl -u ${archiveBackupUnit} on the primary's server says more." |
      notify "the replica $why; the base backup was read from the primary"
  fi
  # A gap that came while it was taken needs another one.
  if [ "$kind" = full ] && [ -e "$DATA/${gapFile}" ] && [ "$(stat -c %Y "$DATA/${gapFile}")" -lt "$started" ]; then
    rm -f "$DATA/${gapFile}"
  fi
  : >"$state/has-backup"
  of_repository >"$state/facts"
  say "a $kind base backup is complete ($(elapsed)); base backups now: $(value backups), every second since $(shown "$(value first)") UTC can be restored${"$"}{REPLICA:+; read from $source}"
  ;;

drill)
  target "${"$"}{2-}"
  exec 9>/run/lock/${scratch}
  flock --nonblock 9 || die "another drill is running on this server"
  clear_up() {
    docker container rm --force --volumes ${scratch}
    docker volume rm --force ${scratch}
  } >/dev/null 2>&1
  subject=
  ended() {
    code=$?
    [ "$code" -eq 0 ] || [ -z "$subject" ] || notify "the restore drill to $subject failed" <"$state/report"
    clear_up || true
  }
  trap ended EXIT
  trap 'subject=; trap "" HUP INT PIPE TERM; exit 1' HUP INT PIPE TERM
  clear_up || true
  : >"$state/report"
  subject=$2
  needed=$(($(value size) * 3 / 2 + 1073741824))
  free=$(df --output=avail -B1 "$(docker info --format '{{.DockerRootDir}}')" | tail -n 1)
  [ "$free" -ge "$needed" ] || die "the disk of this server has $(human "$free") free, and $(human "$needed") are needed"
  archive_all
  say "restoring to $2 UTC, from base backups of $(human "$(value size)")"
  docker volume create ${scratch} >/dev/null
  # It archives nothing, and no program but this one reaches it.
  docker run --detach --init --name ${scratch} --volume ${scratch}:${containerDataFolder} ${backrestOptions} \
    --memory 1g --memory-swap 1g --shm-size 256m --cpu-shares 128 ${confinedServer} --entrypoint sh "$IMAGE" -c '
${fetchBackup}
echo "fetched"
exec docker-entrypoint.sh postgres -c listen_addresses= -c archive_mode=off -c hot_standby=off -c fsync=off -c full_page_writes=off \
  -c shared_buffers=256MB -c max_wal_size=1GB -c autovacuum=off' >/dev/null
  recovered ${scratch} 0 || {
    reason >"$state/report"
    die "the restore to $2 did not succeed ($(elapsed)): $(cat "$state/report")"
  }
  say "fetched and recovered ($(elapsed))"
  reached
  sql() { docker exec --interactive ${scratch} psql -XqtA -v ON_ERROR_STOP=1 --dbname "$DATABASE" "$@"; }
  if [ -n "${"$"}{ORION_DRILL_QUERY-}" ]; then
    printf '%s\n' "$ORION_DRILL_QUERY" | sql >"$state/answer" || die "the query failed"
    cat "$state/answer"
    rm -f "$state/answer"
  fi
  psql_sums | sql >"$state/tables" || die "the restored database could not be read whole"
  awk '{ rows = $2; sub(/^table [^ ]+ [^ ]+ /, ""); printf "restored %s: %s rows\n", $0, rows }' "$state/tables"
  [ -s "$state/tables" ] || die "the restored database has no table"
  docker exec ${scratch} pg_amcheck --database "$DATABASE" --install-missing --heapallindexed >"$state/report" 2>&1 ||
    die "pg_amcheck found damage: $(tail -n 5 "$state/report")"
  say "$2 was restored: $(wc -l <"$state/tables") tables, $(awk '{ sum += $2 } END { print sum + 0 }' "$state/tables") rows; $(elapsed) in all"
  notify --heartbeat drill
  ;;

restore)
  if [ "${"$"}{2-}" = latest ]; then
    of_repository >"$state/facts" && [ -n "$(value first)" ] || die "the archive cannot be read, or has no base backup"
    export TARGET=
  else
    target "${"$"}{2-}"
  fi
  exec 8>/run/lock/orion-archive
  flock --nonblock 8 || die "a base backup is running; it ends by itself"
  aside=$DATA.before-$(date -u +%Y%m%dT%H%M%SZ)
  needed=$(($(value size) + 1073741824))
  free=$(df --output=avail -B1 "$DATA" | tail -n 1)
  [ "$free" -ge "$needed" ] ||
    die "the disk with the data has $(human "$free") free, and $(human "$needed") are needed to keep the data of now beside the restored: enlarge orion:database.volumeGb"
  if [ "$2" = latest ]; then
    # A new database is another one than that of the archive, which takes nothing from it.
    say "the data of now is kept aside and not archived; the database stops"
  else
    archive_all
    say "what is there now is archived; the database stops ($(elapsed))"
  fi
  docker stop --time 120 "$CONTAINER" >/dev/null
  mv "$DATA" "$aside"
  install -d -m 0700 "$DATA"
  chown --reference="$aside" "$DATA"
  put_back() {
    docker stop --time 60 "$CONTAINER" >/dev/null 2>&1 || true
    rm -rf "$DATA"
    mv "$aside" "$DATA"
    docker start "$CONTAINER" >/dev/null
    say "the data of before is in place again, and the database runs"
  }
  trap 'put_back; exit 1' HUP INT PIPE TERM
  docker run --rm --init --name ${scratch}-fetch --volume "$DATA":${containerDataFolder} ${backrestOptions} \
    --memory 1g --memory-swap 1g ${confinedServer} --entrypoint sh "$IMAGE" -c '${fetchBackup}' || {
    put_back
    die "the backup could not be fetched"
  }
  say "the base backup is fetched ($(elapsed))"
  since=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)
  docker start "$CONTAINER" >/dev/null
  recovered "$CONTAINER" "$since" || {
    why=$(reason)
    put_back
    die "the restore to $2 did not succeed: $why"
  }
  trap - HUP INT PIPE TERM
  reached
  # A replica would take them over with the data, and stop at that time.
  for setting in restore_command recovery_target_time recovery_target_action recovery_target_timeline recovery_target_inclusive; do
    ask "ALTER SYSTEM RESET $setting"
  done
  ask "SELECT pg_reload_conf()" >/dev/null
  rm -f "$state/has-backup" "$state/registered"
  systemctl start --no-block ${archiveBackupUnit}.service || say "WARNING no base backup was started: systemctl start ${archiveBackupUnit}"
  say "the database has the data of $2$([ "$2" = latest ] || echo ' UTC') ($(elapsed)); that of before is in $aside: delete it when it is not needed"
  ;;

*) die "usage: orion-archive info | facts | check | backup [full|diff] | drill TIME | restore TIME|latest" ;;
esac
`;

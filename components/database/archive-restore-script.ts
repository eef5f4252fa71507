/** The part of the archive's command that restores to a given second: into a scratch server, or in place of the data. Pure. */
import { confinedServer } from "../../common/confinement.ts";
import { archiveBackupUnit } from "../../common/server-contract.ts";
import { archiveEnvironment, stanza } from "./archive-config.ts";
import { containerDataFolder } from "./data-folders.ts";
import { superuser } from "./role-names.ts";
import { filesDirectory, takeFiles } from "./postgres-tls.ts";

/** Name of the container and of the volume of a drill. */
const scratch = "orion-archive-drill";

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

/** Its shell functions; they use those of archive-script.ts. */
export const restoreFunctions = String.raw`# A change after everything before it, archived with all of that. Without it, no time after the last change could be reached.
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
`;

/** `drill TIME`: into a scratch server, which is removed again. */
export const drillCommand = String.raw`drill)
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
`;

/** `restore TIME|latest`: in place of the data, which is kept aside. */
export const restoreCommand = String.raw`restore)
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
    die "the disk with the data has $(human "$free") free, and $(human "$needed") are needed to keep the present data beside the restored data: enlarge orion:database.volumeGb"
  if [ "$2" = latest ]; then
    # A new database is another one than that of the archive, which takes nothing from it.
    say "the present data is kept aside and not archived; the database stops"
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
`;

/** The part of the archive's command that checks whether changes are archived, and tells people when they are not. Pure. */
import { archiveBackupUnit } from "../../common/server-contract.ts";
import { gapFile } from "./archive-config.ts";

/** A segment that waits for so long means that archiving has failed: one is finished every minute. */
const lateSeconds = 300;

/** A failure that lasts is told again after so long. */
const toldAgainSeconds = 6 * 3600;

/** Its shell functions; they use those of archive-script.ts. */
export const checkFunctions = String.raw`# told KEY SUBJECT: tells people, and again only after hours.
told() {
  [ -z "$(find "$state" -name "told-$1" -newermt '-${toldAgainSeconds} seconds')" ] || return 0
  : >"$state/told-$1"
  notify "$2"
}
well() { rm -f "$state/told-$1"; }
`;

/** `check`: what the timer runs. */
export const checkCommand = String.raw`check)
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
`;

/** The part of the archive's command that takes base backups, from the replica if there is one that follows. Pure. */
import { archiveBackupUnit } from "../../common/server-contract.ts";
import { gapFile } from "./archive-config.ts";

/** How a base backup names the primary as what it has read, beside the name of a replica; so have all of the version before. */
export const primarySource = "primary";

const fullDays = 7;

/** Its shell functions; they use those of archive-script.ts. */
export const backupFunctions = String.raw`# Whether the replica has all that the primary has now, and $why not. What the primary knows decides: a replica that lost it still answers.
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
`;

/** `backup [full|diff]`. */
export const backupCommand = String.raw`backup)
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
`;

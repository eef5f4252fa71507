/** Which server is dumped, the replica or the primary: a shell function of the backup script. Pure. */

/**
 * `choose_source` sets `$source` to `replica`, if there is one and it has replayed everything that the primary had a moment
 * ago, otherwise to `database`, the primary; then `$why` says what is wrong with the replica. Without an answer of the primary it
 * fails: what the replica lacks is unknown then.
 *
 * A replica that lost its primary still answers, with data that grows old. What the primary says decides: its position is asked
 * first, and the replica gets `$REPLICA_WAIT` seconds to reach it.
 */
export const chooseSource = `choose_source() {
  why=
  source=database
  taken=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  if [ ! -e "$files/replica.env" ]; then
    [ "$(ask "SELECT pg_is_in_recovery()")" = f ] ||
      die "the database does not answer, or is itself a replica, so its lag is unknown; nothing was backed up"
    return
  fi
  goal=$(ask "SELECT pg_current_wal_lsn()") ||
    die "the primary does not answer: without its WAL position it is unknown what the replica lacks; nothing was backed up"
  source=replica
  patience=$(($(date +%s) + REPLICA_WAIT))
  while :; do
    why=$(ask "SELECT CASE
      WHEN NOT pg_is_in_recovery() THEN 'is no replica any more: it accepts writes of its own'
      WHEN NOT EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 'does not receive anything from the primary'
      WHEN EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status <> 'streaming') THEN 'does not stream from the primary'
      WHEN pg_last_wal_replay_lsn() < '$goal' THEN 'is behind by ' || pg_size_pretty('$goal'::pg_lsn - pg_last_wal_replay_lsn())
      ELSE 'follows' END") || why='does not answer'
    case "$why" in
      follows)
        why=
        return
        ;;
      'is behind by '*) [ "$(date +%s)" -ge "$patience" ] || { sleep 1; continue; } ;;
    esac
    source=database
    return
  done
}
`;

/** Which backups are kept: a shell function of the backup script. Pure. */

/**
 * `outdated LIMIT GOOD` prints the objects on standard input that may be deleted. GOOD is a file with the times of the good
 * backups, the newest first: those that are complete and not suspect. Kept are
 * - everything that is younger than the limit;
 * - the newest `$DAILY` good backups, whatever their age;
 * - the last good backup of each of the newest `$WEEKLY` weeks (from Monday, UTC) and `$MONTHLY` months that have one.
 *
 * Suspect and incomplete backups never push out a good one, and are deleted by age alone: another server may still be writing
 * one. Without a good backup nothing is deleted.
 */
export const retention = `outdated() {
  [ -s "$2" ] || return 0
  awk -v limit="$1" -v daily="$DAILY" -v weekly="$WEEKLY" -v monthly="$MONTHLY" '
    # Days since 1970, of a time such as 20261129T023000Z.
    function day(time,   year, month) {
      year = substr(time, 1, 4) + 0
      month = substr(time, 5, 2) + 0
      if (month <= 2) { year--; month += 12 }
      return 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * (month - 3) + 2) / 5) + \\
        substr(time, 7, 2) - 1 - 719468
    }
    NR == FNR {
      week = int((day($0) + 3) / 7)
      month = substr($0, 1, 6)
      if (FNR <= daily) kept[$0]
      if (!(week in weeks) && weekly > 0) { weeks[week]; weekly--; kept[$0] }
      if (!(month in months) && monthly > 0) { months[month]; monthly--; kept[$0] }
      next
    }
    /^[0-9]+T[0-9]+Z[.]/ && index($0, ".") == 17 && $0 < limit && !(substr($0, 1, 16) in kept)' "$2" -
}
`;

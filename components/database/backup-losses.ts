/** Shell functions that compare two manifests and report lost data; the backup script uses them. Pure. */

/** Fewer rows than these, and fewer bytes of the dump, come and go in every database. */
const trifle = { rows: 10, bytes: 100_000 } as const;

/**
 * `losses BEFORE NOW` compares two manifests, and prints a line for each thing that looks like lost data: a table that is gone
 * or empty, a table or a dump that is smaller by more than `$LOSS_PERCENT`, another database, or an older position. Tables
 * that `$FLUCTUATING` names are not compared.
 *
 * It reads manifests of both versions; a table's name is everything behind its third field.
 */
export const losses = `losses() {
  awk -v percent="$LOSS_PERCENT" -v fluctuating="$FLUCTUATING" '
    function name_of(line) { sub(/^table [^ ]+ [^ ]+ /, "", line); return line }
    function fluctuates(name,   i) {
      for (i = 1; i <= patterns; i++) if (name ~ pattern[i]) return 1
      return 0
    }
    function is_less(now, before) { return now < before * (100 - percent) / 100 }
    BEGIN {
      patterns = split(fluctuating, pattern, " ")
      for (i = 1; i <= patterns; i++) {
        gsub(/[][.+?^$(){}|\\\\]/, "\\\\\\\\&", pattern[i])
        gsub(/[*]/, ".*", pattern[i])
        pattern[i] = "^" pattern[i] "$"
      }
    }
    NR == FNR && $1 == "table" { rows[name_of($0)] = $2; order[++tables] = name_of($0) }
    NR == FNR && $1 == "database" { database = $2 }
    NR == FNR && $1 == "file" && $4 ~ /[.]dump([.]age)?$/ { bytes = $2 }
    NR == FNR { next }
    $1 == "table" { now[name_of($0)] = $2 }
    $1 == "database" { database_now = $2 }
    $1 == "file" && $4 ~ /[.]dump([.]age)?$/ { bytes_now = $2 }
    END {
      if (database != database_now) {
        print "it is of the database " database_now ", the one before is of " database
        exit
      }
      for (i = 1; i <= tables; i++) {
        name = order[i]
        if (rows[name] + 0 == 0 || fluctuates(name)) continue
        if (!(name in now)) print name " is gone; it had " rows[name] " rows"
        else if (now[name] + 0 == 0) print name " is empty; it had " rows[name] " rows"
        else if (is_less(now[name], rows[name]) && rows[name] - now[name] > ${trifle.rows})
          print name " has " now[name] " rows; it had " rows[name]
      }
      if (is_less(bytes_now, bytes) && bytes - bytes_now > ${trifle.bytes})
        print "the dump has " bytes_now " bytes; the one before has " bytes
    }' "$1" "$2"
  # A position counts within one cluster only.
  if [ "$(fact system "$1")" = "$(fact system "$2")" ] && [ -n "$(fact lsn "$1")" ] &&
    [ "$(position "$(fact lsn "$2")")" -lt "$(position "$(fact lsn "$1")")" ]; then
    echo "its position $(fact lsn "$2") is older than that of the one before, $(fact lsn "$1")"
  fi
}
# An LSN as a number.
position() { echo "$((0x\${1%/*} * 4294967296 + 0x\${1#*/}))"; }
`;

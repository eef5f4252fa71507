/** The script that takes a backup. Pure. */
import { confined } from "../../common/confinement.ts";
import { authorityFile, publicAuthorities } from "../../common/server-contract.ts";
import { losses } from "./backup-losses.ts";
import { retention } from "./backup-retention.ts";
import { scriptHead } from "./backup-scripts.ts";
import { chooseSource } from "./backup-source.ts";
import { backupMemoryMb } from "../../topology/services/backup.ts";

/** Exit code of a backup that is complete and looks as if data was lost. It has alerted, and must not be taken again. */
export const suspectCode = 3;

const day = 86_400;

/**
 * The script that the timer runs. `list` lists the complete backups, `cat OBJECT` prints one of their objects as it is,
 * `accept TIME` makes a suspect backup a good one.
 *
 * One session counts, exports its snapshot and stays open: the dump has exactly the counted rows, and the session's locks
 * prevent that a table is truncated in between.
 */
export const backupScript = `${scriptHead("orion-backup")}${String.raw`
trap 'rm -rf "$work"' EXIT
case "${"$"}{1-}" in
  '') ;;
  list)
    look
    awk '
      FILENAME ~ /suspect$/ { mark[$0] = " suspect" }
      FILENAME ~ /accepted$/ { mark[$0] = " accepted" }
      FILENAME ~ /complete$/ { print $0 mark[$0] }' "$work/suspect" "$work/accepted" "$work/complete"
    exit
    ;;
  cat)
    look
    is_there "$2" || die "there is no $2 in the bucket $BUCKET"
    remote cat "$place/$2"
    exit
    ;;
  accept)
    look
    time=${"$"}{2-}
    grep -qxF "$time" "$work/suspect" && grep -qxF "$time" "$work/complete" ||
      die "there is no suspect backup '$time'; there are: $(tr '\n' ' ' <"$work/suspect")"
    ! grep -qxF "$time" "$work/accepted" || die "$time was accepted before"
    date -u +%Y-%m-%dT%H:%M:%SZ | remote rcat "$place/$time.accepted" || die "it could not be accepted"
    say "$time is accepted: later backups are compared with it, and it counts as a good one"
    exit
    ;;
  *) die "usage: orion-backup [list | cat OBJECT | accept TIME]" ;;
esac

exec 9>/run/lock/orion-backup
flock --nonblock 9 || die "another backup is running"
command -v age >/dev/null || die "age, which encrypts backups, is not installed; run: apt-get install age"
stamp=$(date -u +%Y%m%dT%H%M%SZ)
manifest="$work/manifest"

# Clients verify the server with it, where the stack has its own authority.
authority=
[ ! -e ${authorityFile} ] || authority="--volume ${authorityFile}:${authorityFile}:ro"
# The URL of an external database may name the public authorities, which the image need not have.
[ ! -e ${publicAuthorities} ] || authority="$authority --volume ${publicAuthorities}:${publicAuthorities}:ro"
# Or a file of the app's image.
named=$(sed -n 's/^PGSSLROOTCERT=//p' "$files/database.env")
case "$named" in
  '' | system | ${authorityFile} | ${publicAuthorities}) ;;
  *)
    docker run --rm --log-driver none --network none --pull never ${confined} --memory 64m --entrypoint cat "$APP_IMAGE" "$named" \
      >"$work/authority.pem" || die "the image $APP_IMAGE has no $named, which the database's URL names"
    chmod 644 "$work/authority.pem"
    authority="$authority --volume $work/authority.pem:$named:ro"
    ;;
esac

# client MIB COMMAND...: a client of PostgreSQL, connected to $source.
client() {
  memory=$1
  shift
  docker run --rm --init --interactive --log-driver none ${confined} --memory "$memory"m --cpu-shares 256 \
    --network "$NETWORK" \
    --env-file "$files/$source.env" $authority "$POSTGRES_IMAGE" "$@"
}
ask() { client ${backupMemoryMb.session} psql -XqtA -v ON_ERROR_STOP=1 -c "$1"; }

# store OBJECT SEAL COMMAND...: uploads what the command prints, sealed by SEAL, reads it back, and writes size and SHA-256 of
# what is in the bucket into the manifest.
store() {
  object=$1
  seal=$2
  shift 2
  rm -f "$work/ended" "$work/sealed" "$work/copy"
  mkfifo "$work/copy"
  sha256sum <"$work/copy" >"$work/sent" &
  sum=$!
  { { "$@" && : >"$work/ended"; } | "$seal" && : >"$work/sealed"; } | tee "$work/copy" | remote rcat "$place/$object" ||
    die "$object could not be uploaded"
  wait "$sum"
  [ -e "$work/ended" ] || die "$object is not complete: the command that produces it failed"
  [ -e "$work/sealed" ] || die "$object could not be encrypted"
  remote cat "$place/$object" >"$work/copy" &
  reading=$!
  sha256sum <"$work/copy" >"$work/read"
  wait "$reading" || die "$object could not be read back"
  cmp -s "$work/sent" "$work/read" || die "$object was read back, and is not what was written"
  size=$(remote lsf --format s "$place/$object")
  say "$object: $(human "$size"), read back"
  echo "file $size $(cut -d ' ' -f 1 "$work/sent") $object" >>"$manifest"
}
encrypted() { age --encrypt --recipient "$RECIPIENT"; }
plain() { cat; }

${chooseSource}
${losses}
${retention}
choose_source
if [ -n "$why" ]; then
  say "WARNING the replica $why; the primary itself is backed up"
  notify "the replica $why; the primary itself is backed up" </dev/null
fi

mkfifo "$work/questions" "$work/answers"
client ${backupMemoryMb.session} psql -XqtA -v ON_ERROR_STOP=1 <"$work/questions" >"$work/answers" &
session=$!
exec 3>"$work/questions" 4<"$work/answers"
{
  # Before the snapshot, so that the backup has at least everything up to this position. Some providers of external databases
  # forbid the one or the other.
  echo "\\set ON_ERROR_STOP off"
  echo "SELECT 'lsn ' || CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END;"
  echo "SELECT 'system ' || system_identifier FROM pg_control_system();"
  echo "\\set ON_ERROR_STOP on"
  psql_sums
  echo "SELECT 'database ' || current_database();"
  echo "SELECT 'server ' || current_setting('server_version');"
  echo "SELECT 'bytes ' || pg_database_size(current_database());"
  echo "SELECT 'snapshot ' || pg_export_snapshot();"
} >&3
snapshot=''
while [ -z "$snapshot" ] && IFS= read -r line <&4; do
  case "$line" in
    'snapshot '*) snapshot=${"$"}{line#snapshot } ;;
    *) printf '%s\n' "$line" >>"$work/facts" ;;
  esac
done
[ -n "$snapshot" ] || die "the database did not answer; nothing was uploaded"
{
  printf 'orion-backup 2\ntaken %s\nsource %s\n' "$taken" "$([ "$source" = replica ] && echo replica || echo primary)"
  # Without the sums: with them, the content of a small table could be guessed.
  sed 's/^\(table [0-9]*\) [-0-9]* /\1 - /' "$work/facts"
} >"$manifest"
grep '^table ' "$work/facts" >"$work/sums" || true
database=$(fact database "$manifest")
say "$database: $(wc -l <"$work/sums") tables counted at $(fact lsn "$manifest") of the $(fact source "$manifest") ($(elapsed))"

store "$stamp.globals.sql.age" encrypted client ${backupMemoryMb.dump} pg_dumpall --globals-only --no-tablespaces --database "$database" $GLOBALS
store "$stamp.dump.age" encrypted client ${backupMemoryMb.dump} pg_dump --format custom --snapshot "$snapshot"
exec 3>&- 4<&-
wait "$session" || die "the session that held the snapshot ended before the dump did"
store "$stamp.sums.age" encrypted cat "$work/sums"

look
before=$(head -n 1 "$work/good")
: >"$work/losses"
if [ -n "$before" ]; then
  remote cat "$place/$before.manifest" >"$work/before" || die "the manifest of $before could not be read"
  losses "$work/before" "$manifest" >"$work/losses"
  echo "compared $before" >>"$manifest"
fi
sed 's/^/suspect /' "$work/losses" >>"$manifest"
# First the mark: without it, a backup would count as a good one for a moment.
[ ! -s "$work/losses" ] || store "$stamp.suspect" plain cat "$work/losses"
store "$stamp.manifest" plain cat "$manifest"

# Old backups are deleted only after a new one is complete.
look
[ "$(head -n 1 "$work/complete")" = "$stamp" ] ||
  die "$stamp is complete, but there is one of a later time: the clock was set back; no old backup was deleted"
# What R2 still locks cannot be deleted; a day more, because the lock begins when the upload ends.
days=$((DAILY > LOCK_DAYS + 1 || LOCK_DAYS == 0 ? DAILY : LOCK_DAYS + 1))
limit=$(date -u -d "@$((started - days * ${day}))" +%Y%m%dT%H%M%SZ)
outdated "$limit" "$work/good" <"$work/objects" >"$work/old"
drop() {
  [ ! -s "$1" ] || remote delete --files-from-raw - "$place" <"$1" && return
  say "WARNING old backups could not be deleted"
  notify "old backups could not be deleted" </dev/null
}
# Manifests first: a half-deleted backup does not count any more.
grep '\.manifest$' "$work/old" >"$work/old-manifests" || true
grep -v '\.manifest$' "$work/old" >"$work/old-others" || true
drop "$work/old-manifests"
drop "$work/old-others"
gone=$(wc -l <"$work/old-manifests")
say "$stamp is complete ($(elapsed)); complete backups now: $(($(wc -l <"$work/complete") - gone)), deleted for their age: $gone"

if [ -s "$work/losses" ]; then
  {
    sed 's/^/SUSPECT  /' "$work/losses"
    echo "$stamp was compared with $before, the last good one. It is kept, and no good backup is deleted while only suspect"
    echo "ones follow. If the loss was intended: make backup ACCEPT=$stamp"
  } >"$work/warning"
  cat "$work/warning"
  notify "the backup $stamp looks as if data was lost" <"$work/warning"
  exit ${suspectCode}
fi
notify --heartbeat backup
`}`;

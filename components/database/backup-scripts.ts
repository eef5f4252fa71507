/**
 * The script that takes a backup, and the shell functions that it shares with the restore drill. Pure.
 *
 * A backup is a set of objects named after its time, `postgresql/<time>.<what>`: the dump, the roles, and the manifest. The
 * manifest is written last, after the others were read back and compared. Objects without a manifest are not a backup: an
 * upload that ends early looks like any other object, and S3 cannot rename an object when it is complete.
 *
 * The manifest has a line for each table of the dumped snapshot: `table <rows> <sum of hashes> <name>`. The drill counts and
 * hashes the restored tables in the same way.
 */
import { backupFilesVariable, backupFiles } from "../../common/server-contract.ts";

/** Backups younger than this many days are kept; so are this many of the newest complete ones, whatever their age. */
export const keptDays = 7;

/** The folder of the settings; the drill can also run on a server without them. */
const folder = backupFiles.settings.slice(0, backupFiles.settings.lastIndexOf("/"));

/**
 * The beginning of both scripts. `remote` is rclone; `psql_sums` prints the statements that count and hash every table, in a
 * transaction that stays open. The text of a row depends on no setting, and the order of rows does not matter.
 *
 * No output of a container goes into Docker's log, because it is the data.
 */
export const scriptHead = (program: string): string => String.raw`#!/bin/sh
set -eu
exec </dev/null
umask 077
files=${"$"}{${backupFilesVariable}:-${folder}}
. "$files/settings"
place="store:$BUCKET/postgresql"
started=$(date +%s)
work=$(mktemp -d /run/${program}.XXXXXX)
# A second signal must not interrupt the cleanup.
trap 'trap "" HUP INT PIPE TERM; exit 1' HUP INT PIPE TERM

say() { echo "$*"; }
die() {
  echo "${program}: $*" >&2
  exit 1
}
human() { numfmt --to=iec --suffix=B "$1"; }
elapsed() { echo "$(($(date +%s) - started)) s"; }

remote() {
  docker run --rm --init --interactive --log-driver none --memory 256m --cpu-shares 256 \
    --env-file "$files/store.env" "$RCLONE_IMAGE" --config= --log-level ERROR "$@"
}

# The times of complete backups, the newest first, go into $work/complete; the names of all objects into $work/objects.
look() {
  remote lsf --files-only "$place" >"$work/objects" || die "the bucket $BUCKET could not be listed"
  sed -n 's/^\([0-9]\{8\}T[0-9]\{6\}Z\)\.manifest$/\1/p' "$work/objects" | sort -r >"$work/complete"
}

# rclone reads a missing object as if it were empty.
is_there() { grep -qxF "$1" "$work/objects"; }

psql_sums() {
  cat <<'SQL'
SET TimeZone TO 'UTC';
SET DateStyle TO 'ISO, YMD';
SET IntervalStyle TO 'iso_8601';
SET bytea_output TO 'hex';
SET extra_float_digits TO 3;
SET lc_monetary TO 'C';
SET search_path TO pg_catalog;
SET row_security TO off;
SET statement_timeout TO 0;
SET idle_in_transaction_session_timeout TO 0;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT format(
    'SELECT concat_ws('' '', ''table'', count(*), coalesce(sum(hashtextextended((r.*)::text, 0)), 0), %L) FROM ONLY %I.%I AS r',
    format('%I.%I', n.nspname, c.relname), n.nspname, c.relname)
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    -- What belongs to an extension comes with the extension.
    AND NOT EXISTS (
      SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY n.nspname, c.relname
\gexec
SQL
}
`;

/**
 * A shell function: `outdated LIMIT COMPLETE` prints the objects on standard input that are older than the limit and belong
 * to none of the newest complete backups. So nothing is deleted while backups fail or the clock is wrong; incomplete backups
 * are deleted by age, because another server may still be writing one.
 */
export const retention = `outdated() {
  awk -v limit="$1" '
    NR == FNR { if (FNR <= ${keptDays}) newest[$0]; next }
    /^[0-9]+T[0-9]+Z[.]/ && index($0, ".") == 17 && $0 < limit && !(substr($0, 1, 16) in newest)' "$2" -
}
`;

/**
 * The script that the timer runs. `list` lists the complete backups, `cat <object>` prints one of their objects.
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
    cat "$work/complete"
    exit
    ;;
  cat)
    look
    is_there "$2" || die "there is no $2 in the bucket $BUCKET"
    remote cat "$place/$2"
    exit
    ;;
  *) die "usage: orion-backup [list | cat OBJECT]" ;;
esac

exec 9>/run/lock/orion-backup
flock --nonblock 9 || die "another backup is running"
stamp=$(date -u +%Y%m%dT%H%M%SZ)
manifest="$work/manifest"

client() {
  docker run --rm --init --interactive --log-driver none --memory 512m --cpu-shares 256 --network "$NETWORK" \
    --env-file "$files/${backupFiles.database.slice(backupFiles.database.lastIndexOf("/") + 1)}" "$POSTGRES_IMAGE" "$@"
}

# store OBJECT COMMAND...: uploads what the command prints, reads it back, and writes size and SHA-256 into the manifest.
store() {
  object=$1
  shift
  rm -f "$work/ended" "$work/copy"
  mkfifo "$work/copy"
  sha256sum <"$work/copy" >"$work/sent" &
  sum=$!
  { "$@" && : >"$work/ended"; } | tee "$work/copy" | remote rcat "$place/$object" ||
    die "$object could not be uploaded"
  wait "$sum"
  [ -e "$work/ended" ] || die "$object is not complete: the command that produces it failed"
  remote cat "$place/$object" >"$work/copy" &
  reading=$!
  sha256sum <"$work/copy" >"$work/read"
  wait "$reading" || die "$object could not be read back"
  cmp -s "$work/sent" "$work/read" || die "$object was read back, and is not what was written"
  size=$(remote lsf --format s "$place/$object")
  say "$object: $(human "$size"), read back"
  echo "file $size $(cut -d ' ' -f 1 "$work/sent") $object" >>"$manifest"
}

${retention}
mkfifo "$work/questions" "$work/answers"
client psql -XqtA -v ON_ERROR_STOP=1 <"$work/questions" >"$work/answers" &
session=$!
exec 3>"$work/questions" 4<"$work/answers"
{
  psql_sums
  echo "SELECT 'database ' || current_database();"
  echo "SELECT 'server ' || current_setting('server_version');"
  echo "SELECT 'bytes ' || pg_database_size(current_database());"
  echo "SELECT 'snapshot ' || pg_export_snapshot();"
} >&3
printf 'orion-backup 1\ntaken %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$manifest"
snapshot=''
database=''
while [ -z "$snapshot" ] && IFS= read -r line <&4; do
  case "$line" in
    'snapshot '*) snapshot=${"$"}{line#snapshot } ;;
    *)
      case "$line" in 'database '*) database=${"$"}{line#database } ;; esac
      printf '%s\n' "$line" >>"$manifest"
      ;;
  esac
done
[ -n "$snapshot" ] || die "the database did not answer; nothing was uploaded"
say "$database: $(grep -c '^table ' "$manifest") tables counted ($(elapsed))"

store "$stamp.globals.sql" client pg_dumpall --globals-only --no-tablespaces --database "$database" $GLOBALS
store "$stamp.dump" client pg_dump --format custom --snapshot "$snapshot"
exec 3>&- 4<&-
wait "$session" || die "the session that held the snapshot ended before the dump did"
store "$stamp.manifest" cat "$manifest"

# Old backups are deleted only after a new one is complete.
look
[ "$(head -n 1 "$work/complete")" = "$stamp" ] ||
  die "$stamp is complete, but there is one of a later time: the clock was set back; no old backup was deleted"
limit=$(date -u -d "@$((started - ${keptDays * 86_400}))" +%Y%m%dT%H%M%SZ)
outdated "$limit" "$work/complete" <"$work/objects" >"$work/old"
drop() {
  [ ! -s "$1" ] || remote delete --files-from-raw - "$place" <"$1" || die "old backups could not be deleted"
}
# Manifests first: a half-deleted backup does not count any more.
grep '\.manifest$' "$work/old" >"$work/old-manifests" || true
grep -v '\.manifest$' "$work/old" >"$work/old-others" || true
drop "$work/old-manifests"
drop "$work/old-others"
gone=$(wc -l <"$work/old-manifests")
say "$stamp is complete ($(elapsed)); complete backups now: $(($(wc -l <"$work/complete") - gone)), deleted for their age: $gone"
`}`;

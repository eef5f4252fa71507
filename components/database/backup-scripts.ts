/**
 * What the scripts of backup and restore drill have in common: where backups are, and how tables are counted. Pure.
 *
 * A backup is a set of objects named after its time, `postgresql/<time>.<what>`:
 * - `dump.age`, `globals.sql.age`, `sums.age`: the dump, the roles, and the checksum of every table; encrypted with the
 *   stack's public key before they leave the server;
 * - `manifest`: time, position, source, rows of every table, and the SHA-256 of the other objects. It is written last, after
 *   they were read back and compared: an upload that ends early looks like any other object, and S3 cannot rename an object
 *   when it is complete. Objects without a manifest are not a backup;
 * - `suspect`: only if data seems to be lost; written before the manifest. `accepted`: an operator found it in order.
 *
 * No object is ever written twice, because R2's lock refuses it. Manifests of version 1 name `dump` and `globals.sql`, which
 * are not encrypted, and have the checksums themselves.
 */
import { confined } from "../../common/confinement.ts";
import { backupMemoryMb } from "../../topology/services/backup.ts";
import { alertCommand, backupFilesVariable, backupFiles } from "../../common/server-contract.ts";

/** The folder of the settings; the drill can also run on a server without them. */
const folder = backupFiles.settings.slice(0, backupFiles.settings.lastIndexOf("/"));

/**
 * `psql_sums` prints the statements that count and hash every table, in a transaction that stays open. The text of a row depends
 * on no setting, and the order of rows does not matter.
 */
export const countTables = String.raw`psql_sums() {
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
 * The beginning of both scripts. `remote` is rclone.
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
# Tells people, or a monitor; the log has what could not be sent.
notify() { if [ -x ${alertCommand} ]; then ${alertCommand} "$@" || say "WARNING the alert could not be sent"; fi }
# The value of a line of a manifest.
fact() { sed -n "s/^$1 //p" "$2"; }

remote() {
  docker run --rm --init --interactive --log-driver none ${confined} --memory ${backupMemoryMb.store}m --cpu-shares 256 \
    --env-file "$files/store.env" "$RCLONE_IMAGE" --config= --log-level ERROR "$@"
}

# The names of all objects go into $work/objects; the times of complete backups, the newest first, into $work/complete; those
# of them that are not suspect, or were accepted, into $work/good.
look() {
  remote lsf --files-only "$place" >"$work/objects" || die "the bucket $BUCKET could not be listed"
  times_of manifest >"$work/complete"
  times_of suspect >"$work/suspect"
  times_of accepted >"$work/accepted"
  awk '
    FILENAME ~ /suspect$/ { doubted[$0] }
    FILENAME ~ /accepted$/ { delete doubted[$0] }
    FILENAME ~ /complete$/ && !($0 in doubted)' "$work/suspect" "$work/accepted" "$work/complete" >"$work/good"
}
times_of() { sed -n "s/^\([0-9]\{8\}T[0-9]\{6\}Z\)[.]$1\$/\1/p" "$work/objects" | sort -r; }

# rclone reads a missing object as if it were empty.
is_there() { grep -qxF "$1" "$work/objects"; }

${countTables}`;

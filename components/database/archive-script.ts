/** The command of a server that takes base backups, checks that changes are archived, and restores to a given second. Pure. */
import { alertCommand, archiveSettingsFile } from "../../common/server-contract.ts";
import { assignments, quoted, quotedWords } from "../../common/shell.ts";
import { backupCommand, backupFunctions, primarySource } from "./archive-backup-script.ts";
import { checkCommand, checkFunctions } from "./archive-check-script.ts";
import { gapFile } from "./archive-config.ts";
import { drillCommand, restoreCommand, restoreFunctions } from "./archive-restore-script.ts";
import { countTables } from "./backup-scripts.ts";
import { type ReplicaFilesAddress, replicaOptions } from "./replica-files-config.ts";
import { slotOf } from "./replication.ts";

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
 * - `restore TIME`: replaces the data by that of that second; the present data is kept beside it. `make restore` asks before.
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
notify() { if [ -x ${alertCommand} ]; then ${alertCommand} "$@" || say "WARNING the alert could not be sent"; fi }
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

${checkFunctions}
register() {
  [ ! -e "$state/registered" ] || return 0
  backrest stanza-create || return 1
  : >"$state/registered"
}

${backupFunctions}
${restoreFunctions}
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

${checkCommand}
${backupCommand}
${drillCommand}
${restoreCommand}
*) die "usage: orion-archive info | facts | check | backup [full|diff] | drill TIME | restore TIME|latest" ;;
esac
`;

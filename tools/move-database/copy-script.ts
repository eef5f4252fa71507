/** The script that copies one PostgreSQL to another. Pure. */
import { type DatabaseEndpoint, inside, psqlOf } from "./database-endpoint.ts";
import { marker } from "./sql.ts";

/** The longest that a copy may take. */
export const copySeconds = 7 * 24 * 3600;

const restoreWith = ({ owner, database }: DatabaseEndpoint): readonly string[] => [
  ...["pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", "--no-comments"],
  ...["--no-publications", "--no-subscriptions"],
  ...(owner === undefined ? [] : [`--role=${owner}`]),
  `--dbname=${database}`,
];

const dumpWith = ({ database }: DatabaseEndpoint): readonly string[] => [
  ...["pg_dump", "--format=custom", "--compress=1", `--exclude-table=public.${marker}`],
  `--dbname=${database}`,
];

/**
 * Dumps one database and restores the dump in the other one while it is written. A session of the source exports the snapshot that the
 * dump is of, and stays open until the dump has ended. The last line of its output is this snapshot, which says which
 * transactions the copy has.
 */
export const copyScript = (from: DatabaseEndpoint, to: DatabaseEndpoint): string => `set -u
d=$(mktemp -d) && mkfifo "$d/in" || exit 1
${psqlOf(from)} <"$d/in" >"$d/out" 2>"$d/error" &
exec 3>"$d/in"
echo "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot(); SELECT pg_export_snapshot();" >&3
tries=0
until [ "$(wc -l <"$d/out")" -ge 2 ]; do
  tries=$((tries + 1)); [ $tries -lt 300 ] || { cat "$d/error" >&2; exit 1; }
  sleep 0.2
done
snapshot=$(sed -n 2p "$d/out")
{ ${inside(from, dumpWith(from))} --snapshot="$snapshot" 2>"$d/dump" || echo "pg_dump: error: it failed" >>"$d/dump"; } | ${inside(to, restoreWith(to))} 2>"$d/restore"
code=$?
echo "COMMIT;" >&3; exec 3>&-; wait
cat "$d/dump" "$d/restore" >&2
[ ! -s "$d/dump" ] || code=1
sed -n 1p "$d/out"
rm -rf "$d"
exit $code
`;

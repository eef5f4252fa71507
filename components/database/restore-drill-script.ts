/** The script of the restore drill: it restores a backup into a scratch server and compares it with the manifest. Pure. */
import { confinedServer } from "../../common/confinement.ts";
import { backupKeyVariable } from "../../common/server-contract.ts";
import { scriptHead } from "./backup-scripts.ts";

/** Name of the container, the volume and the network of a drill. */
const scratch = "orion-restore-drill";

/**
 * Restores the newest backup, or the one of the given time. The private key is in the file that `ORION_BACKUP_KEY` names; only
 * `make restore-drill` and people bring it to a server, for as long as the drill lasts.
 *
 * Its network is internal and it publishes no port; everything is removed however the drill ends. It can run beside the
 * platform: its memory is limited, it yields the CPU, and it refuses to start when the disk has too little space.
 */
export const restoreDrillScript = `${scriptHead(scratch)}${String.raw`
exec 9>/run/lock/${scratch}
flock --nonblock 9 || die "another drill is running on this server"

clear_up() {
  docker container rm --force --volumes ${scratch}
  docker volume rm --force ${scratch}
  docker network rm ${scratch}
} >/dev/null 2>&1
subject=
ended() {
  code=$?
  clear_up || true
  [ "$code" -eq 0 ] || [ -z "$subject" ] || notify "the restore drill of $subject failed" <"$work/report"
  rm -rf "$work"
}
trap ended EXIT
# Who ends a drill knows it.
trap 'subject=; trap "" HUP INT PIPE TERM; exit 1' HUP INT PIPE TERM
# What a power cut has left behind.
clear_up || true

manifest="$work/manifest"
key=${"$"}{${backupKeyVariable}-}
: >"$work/report"
sql() { docker exec --interactive ${scratch} psql -XqtA -v ON_ERROR_STOP=1 --username orion_drill "$@"; }

look
time=${"$"}{1-$(head -n 1 "$work/complete")}
[ -n "$time" ] || die "there is no complete backup in the bucket $BUCKET"
grep -qx "$time" "$work/complete" || die "there is no complete backup $time; there are: $(tr '\n' ' ' <"$work/complete")"
remote cat "$place/$time.manifest" >"$manifest" || die "the manifest of $time could not be read"
subject=$time
case "$(head -n 1 "$manifest")" in
  'orion-backup 1') suffix='' open=cat ;;
  'orion-backup 2')
    suffix=.age open=decrypted
    command -v age >/dev/null || die "age, which decrypts backups, is not installed here; run: apt-get install age"
    [ -n "$key" ] && [ -r "$key" ] ||
      die "$time is encrypted: its key is needed. make restore-drill brings it; by hand, name a file that has it: ${backupKeyVariable}=/run/key"
    ;;
  *) die "the manifest of $time is not one that this drill understands" ;;
esac
for object in $(awk '$1 == "file" { print $4 }' "$manifest"); do
  is_there "$object" || die "$object is not in the bucket any more; do not rely on $time: make backup takes a new one"
done
age=$(($(date +%s) - $(date -d "$(fact taken "$manifest")" +%s)))
database=$(fact database "$manifest")
size=$(awk '$1 == "file" { sum += $2 } END { print sum }' "$manifest")
say "backup $time of $database: $(human "$size"), $((age / 3600)) h $((age / 60 % 60)) min old"

# Tables and indexes at their old size, half of that for WAL and temporary files, and 1 GiB for other services.
needed=$(($(fact bytes "$manifest") * 3 / 2 + 1073741824))
free=$(df --output=avail -B1 "$(docker info --format '{{.DockerRootDir}}')" | tail -n 1)
[ "$free" -ge "$needed" ] ||
  die "the disk of this server has $(human "$free") free, and $(human "$needed") are needed; name another one: SERVER=..."

docker network create --internal ${scratch} >/dev/null
docker volume create ${scratch} >/dev/null
docker run --detach --init --name ${scratch} --network ${scratch} --volume ${scratch}:/var/lib/postgresql/data \
  --memory 1g --memory-swap 1g --shm-size 256m --cpu-shares 128 ${confinedServer} \
  --env POSTGRES_USER=orion_drill --env POSTGRES_HOST_AUTH_METHOD=trust --env PGDATA=/var/lib/postgresql/data/drill \
  "$POSTGRES_IMAGE" postgres -c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 \
  -c max_wal_size=1GB -c maintenance_work_mem=128MB -c autovacuum=off >/dev/null
tries=0
# Over TCP: the server of the first initialisation has its socket alone.
until docker exec ${scratch} pg_isready --quiet --host 127.0.0.1 --username orion_drill; do
  tries=$((tries + 1))
  [ "$tries" -lt 120 ] || die "the scratch server did not start: $(docker logs --tail 5 ${scratch} 2>&1)"
  sleep 1
done

# What cannot be decrypted is read to its end, so that the whole object is judged.
decrypted() {
  code=0
  age --decrypt --identity "$key" || code=$?
  cat >/dev/null
  return "$code"
}
# fetched OBJECT COMMAND...: hands an object, decrypted, to a command, and notes when it is not what the manifest says.
failures=0
failed() {
  failures=$((failures + 1))
  say "FAILED   $*"
}
fetched() {
  object=$1
  shift
  rm -f "$work/copy" "$work/ended" "$work/opened"
  mkfifo "$work/copy"
  sha256sum <"$work/copy" >"$work/read" &
  sum=$!
  { remote cat "$place/$object" && : >"$work/ended"; } | tee "$work/copy" | { "$open" && : >"$work/opened"; } | "$@" ||
    failed "$object could not be restored"
  wait "$sum"
  [ -e "$work/ended" ] || failed "$object could not be read from the bucket"
  [ -e "$work/opened" ] || failed "$object could not be decrypted: is this the key that it was encrypted for?"
  expected=$(awk -v name="$object" '$1 == "file" && $4 == name { print $3 }' "$manifest")
  [ "$(cut -d ' ' -f 1 "$work/read")" = "$expected" ] || failed "$object is not what was written: its SHA-256 differs"
}
roles() { sql --dbname postgres -v ON_ERROR_STOP=0; }
# Reads what is left, so that the whole object is judged also when it cannot be restored.
restore() {
  code=0
  docker exec --interactive ${scratch} pg_restore --username orion_drill --dbname postgres --create --exit-on-error || code=$?
  cat >/dev/null
  return "$code"
}
recorded() { cat >"$work/recorded"; }
fetched "$time.globals.sql$suffix" roles
fetched "$time.dump$suffix" restore
if [ "$open" = cat ]; then
  grep '^table ' "$manifest" >"$work/recorded" || true
else
  fetched "$time.sums.age" recorded
fi
say "fetched and restored ($(elapsed))"

if [ "$failures" -eq 0 ]; then
  psql_sums | sql --dbname "$database" >"$work/restored" || failed "the restored database could not be read whole"
  # As texts: the sums have more digits than awk counts with.
  awk '
    function name_of(line) { sub(/^table [^ ]+ [^ ]+ /, "", line); return line }
    NR == FNR { rows[name_of($0)] = $2; sums[name_of($0)] = $3; next }
    {
      name = name_of($0)
      found[name]
      if (!(name in rows)) printf "DIFFERS  %s: it was not in the backup\n", name
      else if ($2 != rows[name]) printf "DIFFERS  %s: %s rows were backed up, %s restored\n", name, rows[name], $2
      else if ($3 "" != sums[name] "") printf "DIFFERS  %s: as many rows, but other contents\n", name
      else printf "ok       %s: %s rows\n", name, $2
    }
    END { for (name in rows) if (!(name in found)) printf "DIFFERS  %s: it is missing\n", name }
  ' "$work/recorded" "$work/restored" >"$work/report"
  cat "$work/report"
  [ -s "$work/recorded" ] || failed "the manifest names no table; a backup of nothing is none"
  failures=$((failures + $(grep -c '^DIFFERS' "$work/report" || true)))
  # Every page of every table and index, and whether they agree.
  docker exec ${scratch} pg_amcheck --username orion_drill --database "$database" --install-missing --heapallindexed ||
    failed "pg_amcheck found damage"
fi

if [ "$failures" -gt 0 ]; then
  die "$failures of the checks failed ($(elapsed)): do not rely on $time; make backup takes a new one, and try that"
fi
notify --heartbeat drill
rows=$(awk '$1 == "table" { sum += $2 } END { print sum + 0 }' "$manifest")
say "$time was restored: $(wc -l <"$work/recorded") tables, $rows rows, all as they were backed up; $(elapsed) in all"
`}`;

/**
 * The scripts that ask an external PostgreSQL or Redis about itself, in a container with its client. The first line of standard
 * input is the password, the rest certificates of authorities. They print lines of `key value` (image-script.ts). Pure.
 */

/** How often a round trip is measured. */
export const rounds = 21;

/** Where a container with a client has the certificates of authorities. */
export const authoritiesFile = "/tmp/ca.pem";

const common = `export LC_ALL=C
IFS= read -r password
cat >${authoritiesFile}
# An image with BusyBox knows seconds only.
now() { case $(date +%s%N) in *[!0-9]*) date +%s000000000 ;; *) date +%s%N ;; esac; }
since() { echo "$1 $(( ($(now) - $2) / 1000 ))"; }
one() { tr '\\n' ' ' | cut -c 1-400; }
`;

/**
 * Arguments: the URL, the URL without its parameters about TLS. It writes nothing.
 *
 * Two sessions that are open at the same time have different processes of the server, unless a pooler gives them one by turns.
 */
export const askPostgres = `${common}
export PGPASSWORD="$password" PGCONNECT_TIMEOUT=30 url=$1 bare=$2
[ -n "$password" ] || unset PGPASSWORD
echo "client $(psql --version)"
ask() { psql -XAtqw "$@" "$url"; }
begin=$(now)
if ! ask -c 'SELECT 1' >/dev/null 2>/tmp/said; then echo "problem $(one </tmp/said)"; exit 0; fi
since first $begin
for _ in 1 2 3; do begin=$(now); ask -c 'SELECT 1' >/dev/null 2>&1; since next $begin; done
ask -c '\\conninfo' 2>/dev/null | grep -q 'SSL connection' && echo "encrypted yes"
if PGSSLMODE=require psql -XAtqw -c 'SELECT 1' "$bare" >/dev/null 2>&1; then echo "offers yes"; fi
if PGSSLMODE=verify-full PGSSLROOTCERT=${authoritiesFile} psql -XAtqw -c 'SELECT 1' "$bare" >/dev/null 2>&1; then echo "verifies yes"; fi
{ printf '%s\\n' '\\timing on'; i=0; while [ $i -lt ${rounds} ]; do echo 'SELECT 1;'; i=$((i + 1)); done; } |
  ask 2>/dev/null | sed -n 's/^Time: \\([0-9.]*\\) ms.*/round \\1/p'
{ i=0; while [ $i -lt 4 ]; do
  echo "SELECT 'outer ' || pg_backend_pid();"
  printf '%s\\n' "\\! psql -XAtqw -c \\"SELECT 'inner ' || pg_backend_pid()\\" \\"\\$url\\" 2>&1"
  i=$((i + 1)); done; } | ask 2>/dev/null
ask 2>/dev/null <<'SQL'
SELECT 'version ' || current_setting('server_version_num');
SELECT 'standby ' || pg_is_in_recovery();
SELECT 'readonly ' || current_setting('transaction_read_only');
SELECT 'encoding ' || current_setting('server_encoding');
SELECT 'connections ' || current_setting('max_connections');
SELECT 'reserved ' || sum(setting::int) FROM pg_settings WHERE name IN ('superuser_reserved_connections', 'reserved_connections');
SELECT 'roleLimit ' || rolconnlimit FROM pg_roles WHERE rolname = current_user;
SELECT 'superuser ' || rolsuper FROM pg_roles WHERE rolname = current_user;
SELECT 'databaseLimit ' || datconnlimit FROM pg_database WHERE datname = current_database();
SELECT 'used ' || sum(numbackends) FROM pg_stat_database;
SELECT 'inSchema ' || has_schema_privilege(coalesce(current_schema(), 'public'), 'CREATE');
SELECT 'inDatabase ' || has_database_privilege(current_database(), 'CREATE');
SELECT 'extension ' || a.name || ' ' || (a.installed_version IS NOT NULL) || ' '
    || coalesce((SELECT bool_or(v.trusted) FROM pg_available_extension_versions v WHERE v.name = a.name), false)
  FROM pg_available_extensions a;
SQL
`;

/**
 * Arguments: host, port, user (may be empty), number of the database, `tls`, `unverified` or `plain`, `broker` or `cache`. It writes
 * keys, and members of Celery's own keys, whose names have `orion-check` in them, and removes them.
 */
export const askRedis = `${common}
export REDISCLI_AUTH="$password"
[ -n "$password" ] || unset REDISCLI_AUTH
host=$1 port=$2 user=$3 number=$4 how=$5 use=$6
ask() { timeout 30 redis-cli --no-auth-warning -h "$host" -p "$port" \${user:+--user "$user"} $tls "$@" 2>&1 </dev/null; }
case $how in
tls) tls="--tls --cacert ${authoritiesFile} --sni $host" ;;
unverified) tls="--tls --insecure --sni $host" ;;
*) tls= ;;
esac
begin=$(now)
said=$(ask ping) || said="no answer within 30 s \${said:-}"
[ "$said" = PONG ] || { echo "problem $(printf '%s' "$said" | one)"; exit 0; }
since first $begin
for _ in 1 2 3; do begin=$(now); ask ping >/dev/null; since next $begin; done
said=$(ask -n "$number" ping)
[ "$said" = PONG ] || { echo "problem $(printf '%s' "$said" | one)"; exit 0; }
if [ $how = plain ]; then
  tls="--tls --insecure --sni $host"
  [ "$(ask ping)" = PONG ] && echo "offers yes"
  tls=
fi
ask info | tr -d '\\r' | sed -n 's/^\\(redis_version\\|run_id\\|role\\|cluster_enabled\\|maxmemory_policy\\|maxmemory\\|used_memory\\|aof_enabled\\|connected_clients\\|maxclients\\):\\(.*\\)/\\1 \\2/p'
ask config get maxmemory-policy | sed -n '2s/^/policy /p'
saves=$(ask config get save)
[ "$(echo "$saves" | head -n 1)" = save ] && echo "saves =$(echo "$saves" | sed -n 2p)"
i=0
while [ $i -le ${rounds} ]; do echo time; i=$((i + 1)); done |
  timeout 60 redis-cli --no-auth-warning -h "$host" -p "$port" \${user:+--user "$user"} $tls 2>/dev/null | paste -d ' ' - - | sed -n 's/^\\([0-9]* [0-9]*\\)$/time \\1/p'
try() { case $(ask -n "$number" "$@") in *NOPERM*|*'unknown command'*|*READONLY*|*'not allowed'*) echo "denied $1" ;; esac; }
if [ $use = broker ]; then
  try lpush orion-check x
  try llen orion-check
  try brpop orion-check 1
  try sadd _kombu.binding.orion-check x
  try smembers _kombu.binding.orion-check
  try srem _kombu.binding.orion-check x
  try hset unacked orion-check x
  try hget unacked orion-check
  try hdel unacked orion-check
  try zadd unacked_index xx 0 orion-check
  try zrevrangebyscore unacked_index 0 0
  try zrem unacked_index orion-check
  try setex celery-task-meta-orion-check 5 x
  try mget celery-task-meta-orion-check
  try del celery-task-meta-orion-check orion-check
  try publish "/$number.celeryev/orion-check" x
  case $(timeout 1 redis-cli --no-auth-warning -h "$host" -p "$port" \${user:+--user "$user"} $tls psubscribe '/*.orion-check' 2>&1 </dev/null) in *NOPERM*|*'unknown command'*) echo "denied psubscribe" ;; esac
else
  try set orion-check x ex 5
  try get orion-check
  try expire orion-check 5
  try del orion-check
fi
try watch orion-check
try multi
try eval 'return 1' 0
`;

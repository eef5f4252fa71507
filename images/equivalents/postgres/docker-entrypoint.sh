#!/bin/bash
# Starts PostgreSQL as the user postgres, also when the container starts as root; initialises an empty data directory first.
# Any command other than postgres runs unchanged.
set -Eeuo pipefail

[[ ${1-} == -* ]] && set -- postgres "$@"
[[ ${1-} == postgres ]] || exec "$@"
for argument; do
  case $argument in
    --help | -'?' | --version | -V | --describe-config) exec "$@" ;;
  esac
done

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown postgres:postgres /var/run/postgresql
  chmod 3777 /var/run/postgresql
  find "$PGDATA" ! -user postgres -exec chown postgres:postgres {} +
  if [[ -n ${POSTGRES_INITDB_WALDIR:-} ]]; then
    mkdir -p "$POSTGRES_INITDB_WALDIR"
    find "$POSTGRES_INITDB_WALDIR" ! -user postgres -exec chown postgres:postgres {} +
  fi
  export HOME=/var/lib/postgresql
  exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi

# Marks a first start that has not finished; see first-start.sh.
unfinished=$PGDATA/.first-start

if [[ -s $PGDATA/PG_VERSION && ! -e $unfinished ]]; then
  found=$(<"$PGDATA/PG_VERSION")
  if [[ $found != "$PG_MAJOR" ]]; then
    echo "The data in $PGDATA was written by PostgreSQL $found, and this is PostgreSQL $PG_MAJOR: use the image of version $found, or dump and restore." >&2
    exit 1
  fi
else
  source /usr/local/bin/first-start.sh
  first_start "$@"
fi

exec "$@"

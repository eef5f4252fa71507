#!/bin/bash
# Starts PostgreSQL as the user postgres, whoever starts the container, and fills an empty data directory first.
# Any command but postgres runs as it is given.
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

# Here lies what the first start has not finished yet; see first-start.sh.
unfinished=$PGDATA/.first-start

if [[ -s $PGDATA/PG_VERSION && ! -e $unfinished ]]; then
  found=$(<"$PGDATA/PG_VERSION")
  if [[ $found != "$PG_MAJOR" ]]; then
    echo "The data in $PGDATA is of PostgreSQL $found, this is PostgreSQL $PG_MAJOR: use the image of version $found, or dump and restore." >&2
    exit 1
  fi
else
  source /usr/local/bin/first-start.sh
  first_start "$@"
fi

exec "$@"

# The first start: creates the data directory, user and database, and runs the scripts in /docker-entrypoint-initdb.d.
#
# The folder .first-start in the data directory exists while this runs. A start that finds it knows that the previous one
# was interrupted, and starts over: no client can have used that data, since the server listens on no address until the
# folder is removed.
# shellcheck shell=bash

# Value of NAME, or the contents of the file NAME_FILE, else the default.
setting() {
  local name=$1 default=${2-} file=${1}_FILE
  if [[ -n ${!name-} && -n ${!file-} ]]; then
    echo "Set $name or $file, not both." >&2
    exit 1
  fi
  if [[ -n ${!file-} && ! -r ${!file} ]]; then
    echo "$file names '${!file}', which cannot be read." >&2
    exit 1
  fi
  local value=${!name:-$default}
  [[ -z ${!file-} ]] || value=$(<"${!file}")
  export "$name=$value"
  unset "$file"
}

read_settings() {
  setting POSTGRES_PASSWORD
  setting POSTGRES_USER postgres
  setting POSTGRES_DB "$POSTGRES_USER"
  setting POSTGRES_INITDB_ARGS
  : "${POSTGRES_HOST_AUTH_METHOD:=}"
  if [[ -z $POSTGRES_PASSWORD && $POSTGRES_HOST_AUTH_METHOD != trust ]]; then
    echo "The database is new and its superuser has no password: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE." >&2
    echo "POSTGRES_HOST_AUTH_METHOD=trust allows connections without a password." >&2
    exit 1
  fi
}

# Empties the data directory of an interrupted start; refuses a directory with other contents.
clear_directory() {
  if [[ -e $unfinished ]]; then
    echo "The first start was interrupted; starting over."
    find "$PGDATA" -mindepth 1 -maxdepth 1 ! -path "$unfinished" -exec rm -rf {} +
    rm -rf "$unfinished"
    if [[ -n ${POSTGRES_INITDB_WALDIR:-} ]]; then find "$POSTGRES_INITDB_WALDIR" -mindepth 1 -delete; fi
  fi
  if [[ -n $(find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) ]]; then
    echo "$PGDATA is not empty, but holds no PostgreSQL data: use an empty volume, or set PGDATA to a folder inside it." >&2
    exit 1
  fi
}

make_cluster() {
  local -a arguments=()
  # Several arguments in one variable, quoted as in a shell.
  eval "arguments=($POSTGRES_INITDB_ARGS)"
  [[ -z ${POSTGRES_INITDB_WALDIR:-} ]] || arguments+=(--waldir "$POSTGRES_INITDB_WALDIR")

  chmod 0700 "$PGDATA"
  mkdir "$unfinished"
  sync "$PGDATA"
  # initdb needs an empty directory, and the mount point of a volume may have files.
  initdb --pgdata="$unfinished/data" --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${arguments[@]}"
  find "$unfinished/data" -mindepth 1 -maxdepth 1 -exec mv --target-directory="$PGDATA" {} +

  local method=$POSTGRES_HOST_AUTH_METHOD
  [[ -n $method ]] || method=$(postgres -C password_encryption -D "$PGDATA")
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# psql as the superuser, stopping at the first error.
run_sql() {
  psql --no-psqlrc --no-password --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" "$@"
}

# The server of the first start uses another socket, so that readiness checks fail until the database is complete.
start_private_server() {
  unset PGHOSTADDR
  export PGHOST=/var/run/postgresql/first-start
  rm -rf "$PGHOST"
  mkdir "$PGHOST"
  postgres "$@" -c listen_addresses='' -c port="${PGPORT:-5432}" -c unix_socket_directories="$PGHOST" &
  server=$!
  trap 'kill -INT "$server"; wait "$server"; exit 1' TERM INT
  until pg_isready --quiet --username="$POSTGRES_USER" --dbname=postgres; do
    if ! kill -0 "$server" 2>/dev/null; then
      echo "The server ended before it was ready; its messages are above." >&2
      exit 1
    fi
    sleep 0.1
  done
}

stop_private_server() {
  kill -INT "$server"
  wait "$server"
  trap - TERM INT
  rm -rf "$PGHOST"
  unset PGHOST
}

run_scripts() {
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh)
        echo "running $script"
        # Executable scripts run as programs; others are sourced, so that they can use the functions of this shell.
        if [[ -x $script ]]; then "$script"; else source "$script"; fi
        ;;
      *.sql) echo "running $script" && run_sql --dbname="$POSTGRES_DB" --file="$script" ;;
      *.sql.gz) echo "running $script" && gunzip --stdout "$script" | run_sql --dbname="$POSTGRES_DB" ;;
      '/docker-entrypoint-initdb.d/*') ;;
      *) echo "ignoring $script: not a .sql, .sql.gz or .sh file" ;;
    esac
  done
}

# Arguments: the container's command; its options also apply to the server of the first start.
first_start() {
  read_settings
  mkdir -p "$PGDATA"
  clear_directory
  make_cluster
  export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
  start_private_server "${@:2}"
  if [[ $POSTGRES_DB != postgres ]]; then
    run_sql --dbname=postgres --set=name="$POSTGRES_DB" <<<'CREATE DATABASE :"name"'
  fi
  run_scripts
  stop_private_server
  unset PGPASSWORD
  rm -rf "$unfinished"
  # Flushed to disk: if it were lost in a power failure, the next start would delete all data stored since.
  sync "$PGDATA"
  echo "The first start is complete."
}

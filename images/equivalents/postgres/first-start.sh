# shellcheck shell=bash
# The first start: makes the data directory, the user, the database, and runs what lies in /docker-entrypoint-initdb.d.
#
# The folder .first-start inside the data directory is there from the first step to the last. A start that finds it knows
# that the one before was cut off and begins anew: nobody can have used that data, since the server listens on no address
# until the folder is gone.

# NAME or the contents of the file NAME_FILE, else the default.
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
    echo "The database is new and has no password for its superuser: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE." >&2
    echo "POSTGRES_HOST_AUTH_METHOD=trust lets anybody in without one." >&2
    exit 1
  fi
}

# Empties the data directory of a start that was cut off; refuses one with contents of unknown origin.
clear_directory() {
  if [[ -e $unfinished ]]; then
    echo "The first start was cut off; beginning anew."
    find "$PGDATA" -mindepth 1 -maxdepth 1 ! -path "$unfinished" -exec rm -rf {} +
    rm -rf "$unfinished"
    if [[ -n ${POSTGRES_INITDB_WALDIR:-} ]]; then find "$POSTGRES_INITDB_WALDIR" -mindepth 1 -delete; fi
  fi
  if [[ -n $(find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) ]]; then
    echo "$PGDATA is not empty, but holds no PostgreSQL data: give an empty volume, or set PGDATA to a folder inside it." >&2
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
  # initdb wants an empty directory, which the mount point of a volume need not be.
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

# The server of the first start has a socket of its own, so that nothing takes the database for ready before it is.
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
        # Executable scripts run by themselves; others are read into this shell, so that they can use its functions.
        if [[ -x $script ]]; then "$script"; else source "$script"; fi
        ;;
      *.sql) echo "running $script" && run_sql --dbname="$POSTGRES_DB" --file="$script" ;;
      *.sql.gz) echo "running $script" && gunzip --stdout "$script" | run_sql --dbname="$POSTGRES_DB" ;;
      '/docker-entrypoint-initdb.d/*') ;;
      *) echo "leaving out $script, which is neither .sql, .sql.gz nor .sh" ;;
    esac
  done
}

# Arguments: the command of the container, whose options the server has during the first start as well.
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
  # Were this lost in a power failure, the next start would throw away what had been stored since.
  sync "$PGDATA"
  echo "The first start is complete."
}

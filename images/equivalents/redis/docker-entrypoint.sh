#!/bin/sh
# Runs redis-server as the user redis, also when the container starts as root; any other command runs unchanged.
set -eu

# Options alone, or a configuration file, mean the server.
case ${1-} in
  -* | *.conf) set -- redis-server "$@" ;;
esac

if [ "${1-}" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find . ! -user redis -exec chown redis:redis {} +
  exec setpriv --reuid redis --regid redis --init-groups "$0" "$@"
fi

# Data and dumps are readable by their owner only, unless the user set a umask.
[ "$(umask)" = 0022 ] && umask 0077

# Containers are reached through their network, so Redis must not insist on its loopback address.
# The setting comes before the given options, so an option or a configuration file overrides it.
if [ "${1-}" = redis-server ]; then
  shift
  case ${1-} in
    -v | --version | -h | --help | --test-memory | --check-system | -) ;;
    --* | '') set -- --protected-mode no "$@" ;;
    *)
      if [ -f "$1" ] && ! grep -Eiq '^[[:space:]]*protected-mode' "$1"; then
        configuration=$1
        shift
        set -- "$configuration" --protected-mode no "$@"
      fi
      ;;
  esac
  set -- redis-server "$@"
fi

exec "$@"

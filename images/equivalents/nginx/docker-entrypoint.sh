#!/bin/sh
# Runs the hooks of /docker-entrypoint.d in the order of their names, then the command.
# NAME.envsh is read into this shell (to set variables), NAME.sh is run; both must be executable.
set -eu

say() {
  [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: $*"
}

case ${1-} in
  nginx | nginx-debug)
    for hook in /docker-entrypoint.d/*; do
      case $hook in
        *.envsh | *.sh) ;;
        *) continue ;;
      esac
      if [ ! -x "$hook" ]; then
        say "leaving out $hook, which is not executable"
        continue
      fi
      say "running $hook"
      case $hook in
        *.envsh) . "$hook" ;;
        *) "$hook" ;;
      esac
    done
    ;;
esac

exec "$@"

#!/bin/sh
# Runs haproxy so that it can reload its configuration, and stays in the foreground; any other command runs unchanged.
set -eu

# Options alone mean the server.
case ${1-} in -*) set -- haproxy "$@" ;; esac

if [ "${1-}" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi

exec "$@"

#!/usr/bin/env bash
# Runs the sample application's tests against a real PostgreSQL and Redis, started on free loopback ports.
# Python packages are installed into a cache folder named by their hash; arguments are passed to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/lib/postgresql/15/bin"

fail() { echo "error: $1" >&2; exit 1; }

if ! command -v postgres >/dev/null || ! command -v redis-server >/dev/null; then
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] \
    || fail "the tests need PostgreSQL 15 and Redis: install postgresql and redis-server with your package manager"
  echo "Installing PostgreSQL and Redis for the tests ..."
  # Run level 1: the Debian packages must not start their servers.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive sh -c \
    'apt-get -qq update && apt-get -qq install -y --no-install-recommends postgresql redis-server' >/dev/null \
    || fail "apt-get could not install postgresql and redis-server; check the network and the package sources"
fi

python=$(command -v python3.11 || command -v python3) || fail "Python 3.11 or newer is needed"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || fail "Python 3.11 or newer is needed; this is $("$python" --version 2>&1)"

packages="${XDG_CACHE_HOME:-$HOME/.cache}/orion/sample-app/$(cat requirements*.txt | sha256sum | cut -c1-16)"
if [ ! -e "$packages/complete" ]; then
  echo "Installing the Python packages for the tests ..."
  rm -rf "$packages"
  "$python" -m venv "$packages"
  "$packages/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-dev.txt
  touch "$packages/complete"
fi

"$packages/bin/ruff" check --quiet .
"$packages/bin/ruff" format --quiet --check .
exec "$packages/bin/python" -m pytest --quiet "$@"

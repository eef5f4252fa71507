"""Container health checks that cost next to nothing: `python -m app.healthcheck ...`.

    http://127.0.0.1:8000/health    any 2xx answer within three seconds
    --worker                        the worker is connected to its broker and its event loop turns
    --beat                          Beat's loop turns
    --flower                        Flower answers on FLOWER_PORT (5555)

Exits with 0 or 1 and prints one line. Imports the standard library only.
"""

import os
import socket
import sys
import time
from pathlib import Path

from app.core.paths import BEAT_HEARTBEAT, WORKER_HEARTBEAT

TIMEOUT_SECONDS = 3.0
MAX_AGE_SECONDS = 30.0


def check_http(url: str) -> str | None:
    """Return the problem of an `http://host:port/path`, or None. A plain socket avoids importing `http.client`."""
    address, _, path = url.removeprefix("http://").partition("/")
    host, _, port = address.rpartition(":")
    if not url.startswith("http://") or not port.isdigit():
        return f"{url}: expected http://host:port/path"
    request = f"GET /{path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host.strip("[]"), int(port)), TIMEOUT_SECONDS) as connection:
            connection.sendall(request.encode())
            status = connection.recv(64).split(b" ", 2)[1:2]
    except OSError as error:
        return f"{url}: {error}"
    if status and status[0].startswith(b"2"):
        return None
    return f"{url}: answered {b''.join(status).decode() or 'nothing'}"


def check_age(file: Path, limit: float = MAX_AGE_SECONDS) -> str | None:
    """Return the problem of a heartbeat file, or None."""
    try:
        age = time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return f"{file.name}: no heartbeat yet"
    return None if age <= limit else f"{file.name}: last heartbeat {age:.0f} s ago, allowed are {limit:.0f} s"


def check(argument: str) -> str | None:
    """Run the check that the argument names."""
    if argument == "--worker":
        return check_age(WORKER_HEARTBEAT)
    if argument == "--beat":
        return check_age(BEAT_HEARTBEAT)
    if argument == "--flower":
        port = os.environ.get("FLOWER_PORT") or "5555"
        prefix = (os.environ.get("FLOWER_URL_PREFIX") or "").strip("/")
        return check_http(f"http://127.0.0.1:{port}/{prefix + '/' if prefix else ''}healthcheck")
    return check_http(argument)


def main(arguments: list[str]) -> int:
    """Print the outcome and return the exit code."""
    if len(arguments) != 1:
        print(__doc__)
        return 1
    problem = check(arguments[0])
    print(problem or "ok")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

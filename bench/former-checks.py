"""The health checks that the containers had before, as Docker ran them: bench/idle.ts compares with them.

Runs on a server: `former-checks.py SECONDS`. Like Docker, it waits after each check and never has two of one container.
Prints the CPU seconds that it took itself, which are not the checks'.
"""

import http.client
import json
import socket
import sys
import threading
import time


def http_check(url: str) -> list[str]:
    return ["python", "-c", f'import urllib.request; urllib.request.urlopen("{url}", timeout=4)']


# What `python -m app.healthcheck` loaded and asked, which the image has no more.
HEARTBEAT = "import os, socket, sys, time; from pathlib import Path; Path('/dev/shm/celery.pid').stat()"
NGINX = "exec 2>&1; test -s /tmp/nginx.pid && nginx -t -q -c /etc/orion/edge/current/nginx.conf"

# By role: seconds between two, and the command.
CHECKS = {
    "database": (2, ["pg_isready", "-h", "127.0.0.1", "-U", "orion_user", "-d", "orion_db"]),
    "cache": (2, ["sh", "-c", 'test "$(redis-cli ping)" = PONG']),
    "broker": (2, ["sh", "-c", 'test "$(redis-cli ping)" = PONG']),
    "app": (5, http_check("http://127.0.0.1:8000/health")),
    "worker": (5, ["python", "-c", HEARTBEAT]),
    "beat": (5, ["python", "-c", HEARTBEAT]),
    "flower": (5, http_check("http://127.0.0.1:5555/healthcheck")),
    "edge": (3, ["sh", "-c", NGINX]),
}


class Engine(http.client.HTTPConnection):
    """The Docker Engine of this machine."""

    def __init__(self) -> None:
        super().__init__("localhost")

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect("/var/run/docker.sock")

    def call(self, method: str, path: str, body: object = None) -> bytes:
        self.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.getresponse().read()
        self.close()
        return answer


def check(container: str, seconds: int, command: list[str], end: float, failed: list[str]) -> None:
    engine = Engine()
    while time.monotonic() < end:
        wanted = {"Cmd": command, "AttachStdout": True, "AttachStderr": True}
        made = json.loads(engine.call("POST", f"/containers/{container}/exec", wanted))["Id"]
        engine.call("POST", f"/exec/{made}/start", {"Detach": False})
        if json.loads(engine.call("GET", f"/exec/{made}/json"))["ExitCode"] != 0:
            failed.append(f"{container}: {command}")
        time.sleep(seconds)


def main() -> None:
    end = time.monotonic() + float(sys.argv[1])
    failed: list[str] = []
    threads = []
    for container in json.loads(Engine().call("GET", "/containers/json")):
        known = CHECKS.get(container["Labels"].get("role", ""))
        if known:
            threads.append(threading.Thread(target=check, args=(container["Id"], *known, end, failed)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed or not threads:
        sys.exit("\n".join(failed) or "no container to check")
    print(time.process_time())


main()

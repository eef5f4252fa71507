"""Servers for the tests: started on free loopback ports in temporary folders, ended by their process id."""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

PROJECT = Path(__file__).resolve().parents[1]
PASSWORD = "t3st-Pa55word"  # noqa: S105 - searched for in logs, where it must not appear


def free_port() -> int:
    """Return a free loopback port.

    It is below the range for outgoing connections: a port of that range could be taken in the next moment.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Poll a condition until it is true. Fails after the timeout with the name of the condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


def program(name: str) -> str:
    """Find a program, also where Debian keeps those of PostgreSQL."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    search = os.pathsep.join([*map(str, homes), os.environ.get("PATH", "")])
    found = shutil.which(name, path=search)
    assert found, f"{name} is not installed"
    return found


class Server:
    """A child process that logs into a file and is always ended."""

    def __init__(self, arguments: list[str], log: Path, environment: dict[str, str], user: str | None = None) -> None:
        self.log = log
        self._output = log.open("ab")
        self.process = subprocess.Popen(
            arguments,
            cwd=PROJECT,
            env=environment,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            user=user,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def text(self) -> str:
        """Everything the process has written."""
        return self.log.read_text(errors="replace")

    def send_signal(self, number: int) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    def stop(self, seconds: float = 15.0, number: int = signal.SIGTERM) -> int:
        """End the process, by force when it takes too long, and return its exit code."""
        if self.running:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            # The whole process group, which contains this process and its children only.
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
        self._output.close()
        return self.process.returncode

    def wait_for_port(self, port: int) -> Self:
        """Wait until the server listens."""
        try:
            wait_until(lambda: _listens(port) or not self.running, f"port {port}")
            assert self.running, f"ended at once:\n{self.text()}"
        except AssertionError:
            self.stop()
            raise
        return self


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL and yield its URL. It refuses to run as root, so root runs it as `postgres`."""
    user = "postgres" if os.geteuid() == 0 else None
    data, secret, port = folder / "data", folder / "password", free_port()
    folder.mkdir(parents=True)
    secret.write_text(PASSWORD)
    if user:
        account = pwd.getpwnam(user)
        for path in (folder, secret):
            os.chown(path, account.pw_uid, account.pw_gid)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    subprocess.run(
        [program("initdb"), "-D", str(data), "-U", "orion", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync"],
        check=True,
        user=user,
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
    options = [part for setting in settings for part in ("-c", setting)]
    command = [program("postgres"), "-D", str(data), "-p", str(port), *options]
    server = Server(command, folder.parent / "postgres.log", environment, user)
    try:
        server.wait_for_port(port)
        url = f"postgresql://orion:{PASSWORD}@127.0.0.1:{port}/postgres"
        wait_until(lambda: _answers(url), "PostgreSQL to answer")
        yield url
    finally:
        server.stop(number=signal.SIGINT)


def _answers(url: str) -> bool:
    import psycopg

    with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2):
        return True
    return False


class RedisServer:
    """A Redis that can be stopped and started again with its data and its port."""

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._folder = folder
        self._options = options
        self._server: Server | None = None

    def url(self, database: int) -> str:
        """The URL of one of its databases."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> Self:
        """Start it and wait until it listens."""
        secret = ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
        place = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)]
        command = [program("redis-server"), *place, *secret, "--appendonly", "yes", "--save", "", *self._options]
        self._server = Server(command, self._folder / "log", {"PATH": os.environ["PATH"]}).wait_for_port(self.port)
        return self

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it, if it runs."""
        if self._server:
            self._server.stop(number=number)
            self._server = None

    def send_signal(self, number: int) -> None:
        """Send a signal to it."""
        assert self._server
        self._server.send_signal(number)

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()


def python(*arguments: str) -> list[str]:
    """A command that runs a module or script with this interpreter."""
    return [sys.executable, *arguments]


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of the application to its end."""
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60)

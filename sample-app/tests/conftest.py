"""Fixtures: the servers, the environment, and a running platform of web process, worker and Beat."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.servers import RedisServer, Server, free_port, postgres, python, run, wait_until

Row = tuple[Any, ...]
CELERY = [sys.executable, "-m", "celery", "-A", "app.celery"]
TOKEN = "t0ken-for-the-tests-only"  # noqa: S105 - of these servers alone


@dataclass
class Platform:
    """A running platform, with helpers to query it."""

    url: str
    port: int
    environment: dict[str, str]
    web: Server
    worker: Server
    beat: Server
    broker: RedisServer
    cache: RedisServer
    folder: Path
    client: httpx.Client = field(init=False)
    # The same with the token of the task API.
    operator: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Make the HTTP clients."""
        self.client = httpx.Client(base_url=self.url, timeout=15)
        self.operator = httpx.Client(base_url=self.url, timeout=15, headers={"Authorization": f"Bearer {TOKEN}"})

    def rows(self, query: str, *arguments: object) -> list[Row]:
        """Query the database directly."""
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(query, arguments)
            return cursor.fetchall() if cursor.description else []

    def task(self, name: str, **arguments: object) -> dict[str, Any]:
        """Run a task over the API and return its final state."""
        started = self.operator.post(f"/tasks/{name}", json=arguments)
        assert started.status_code == 202, started.text
        state: dict[str, Any] = {}

        def ended() -> bool:
            state.update(self.operator.get(f"/tasks/{started.json()['id']}").json())
            return state["state"] in {"SUCCESS", "FAILURE"}

        wait_until(ended, f"the end of {name}")
        return state


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary folder that other users, like that of PostgreSQL, may enter."""
    path = tmp_path_factory.mktemp("orion")
    for parent in (path, *path.parents[:2]):
        if parent.owner() == Path("~").expanduser().owner():
            parent.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def database_url(folder: Path) -> Iterator[str]:
    """A PostgreSQL."""
    with postgres(folder / "postgres") as url:
        yield url


@pytest.fixture(scope="session")
def cache(folder: Path) -> Iterator[RedisServer]:
    """The Redis of sessions, limits and flags."""
    with RedisServer(folder / "cache") as server:
        yield server


@pytest.fixture(scope="session")
def broker(folder: Path) -> Iterator[RedisServer]:
    """The Redis of the task queue."""
    with RedisServer(folder / "broker") as server:
        yield server


@pytest.fixture(scope="session")
def environment(folder: Path, database_url: str, cache: RedisServer, broker: RedisServer) -> dict[str, str]:
    """The environment of the application."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        # As in the image.
        "UVICORN_WS": "app.core.closing:ClosingProtocol",
        "DATABASE_URL": database_url,
        "REDIS_URL": cache.url(0),
        "CELERY_BROKER_URL": broker.url(1),
        "CELERY_RESULT_BACKEND": broker.url(2),
        "SECRET_KEY": "a-key-for-the-tests-only-0123456789",
        "ENVIRONMENT": "test",
        "APP_VERSION": "1.2.3",
        "INSTANCE_NAME": "test-1",
        "UPLOAD_DIR": str(folder / "uploads"),
        "RUN_DIR": str(folder / "run"),
        "RATE_LIMIT_PER_MINUTE": "30",
        "CELERY_MAX_DELIVERIES": "3",
        "STRIPE_WEBHOOK_SECRET": "whsec_test",
        "CLOUDFLARE_ENABLED": "true",
        "TASK_API_TOKEN": TOKEN,
        "PUBLIC_URL": "https://orion.example.test",
        "WEBSOCKETS_PER_CLIENT": "5",
    }


@pytest.fixture(scope="session")
def migrated(environment: dict[str, str]) -> dict[str, str]:
    """The environment, after migration and seed."""
    for command in (python("-m", "alembic", "upgrade", "head"), python("scripts/seed/init_production.py")):
        done = run(command, environment)
        assert done.returncode == 0, done.stdout + done.stderr
    return environment


@pytest.fixture(scope="session")
def start(folder: Path) -> Iterator[Callable[..., Server]]:
    """Start a process of the application that ends with the tests."""
    servers: list[Server] = []

    def starter(name: str, command: list[str], environment: dict[str, str]) -> Server:
        servers.append(Server(command, folder / f"{name}.log", environment))
        return servers[-1]

    yield starter
    for server in reversed(servers):
        server.stop()


def start_worker(start: Callable[..., Server], name: str, environment: dict[str, str]) -> Server:
    """Start a worker of all queues that also has the tasks made for tests."""
    options = ["-I", "tests.poison", "--loglevel=info", "--concurrency=2", "-Q", "default,imports,emails,reports"]
    return start(name, [*CELERY, "worker", *options], environment)


@pytest.fixture(scope="session")
def platform(
    migrated: dict[str, str],
    cache: RedisServer,
    broker: RedisServer,
    folder: Path,
    start: Callable[..., Server],
) -> Platform:
    """Everything running, with two Uvicorn workers."""
    port = free_port()
    worker = start_worker(start, "worker", migrated)
    beat = start("beat", [*CELERY, "beat", "--loglevel=info"], migrated)
    web = start("web", python("-m", "uvicorn", "main:app", "--port", str(port), "--workers", "2"), migrated)
    web.wait_for_port(port)
    running = Platform(f"http://127.0.0.1:{port}", port, migrated, web, worker, beat, broker, cache, folder)

    def ready() -> bool:
        try:
            return running.client.get("/ready").status_code == 200
        except httpx.TransportError:
            return False

    wait_until(ready, "the web process")
    wait_until(lambda: " ready." in worker.text(), "the worker")
    wait_until(lambda: "beat: Starting..." in beat.text(), "Beat")
    return running

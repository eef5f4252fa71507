"""Tests of outages: a dependency becomes unavailable and returns."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import redis
import websockets

from tests.conftest import CELERY, Platform, start_worker
from tests.servers import PASSWORD, RedisServer, Server, free_port, postgres, program, python, run, wait_until
from tests.test_api import order


@pytest.fixture(scope="module", autouse=True)
def orphan(
    migrated: dict[str, str], tmp_path_factory: pytest.TempPathFactory, start: Callable[..., Server]
) -> Iterator[Server]:
    """A worker that gets SIGTERM while its broker does not answer: this takes minutes, so it is started first."""
    folder = tmp_path_factory.mktemp("orphan")
    with RedisServer(folder / "broker") as broker:
        urls = {"CELERY_BROKER_URL": broker.url(1), "CELERY_RESULT_BACKEND": broker.url(2)}
        environment = migrated | urls | {"RUN_DIR": str(folder)}
        worker = start("worker-orphan", [*CELERY, "worker", "--concurrency=1"], environment)
        wait_until(lambda: " ready." in worker.text(), "the worker")
        broker.send_signal(signal.SIGSTOP)
        # By then it has tried to send an event: one comes every two seconds.
        time.sleep(5)
        worker.send_signal(signal.SIGTERM)
        yield worker


def _wait_for_confirmations(
    platform: Platform, start: Callable[..., Server], numbers: list[int], seconds: float
) -> None:
    """Wait until every order is confirmed, and start the worker again when it has ended.

    That is what the restart policy of its container does. Celery ends a worker whose acknowledgement of a task is
    refused, which a full Redis does, and the process may take a moment to end.
    """

    def confirmed(number: int) -> bool:
        if not platform.worker.running:
            assert platform.worker.process.returncode != 0
            assert "OutOfMemoryError" in platform.worker.text()
            platform.worker = start_worker(start, "worker-restarted", platform.environment)
        return bool(platform.client.get(f"/orders/{number}").json()["confirmed_at"])

    for number in numbers:
        wait_until(lambda number=number: confirmed(number), f"the confirmation of order {number}", seconds)


@pytest.mark.parametrize("name", ["redis", "broker"])
def test_a_full_redis_is_told(platform: Platform, name: str, start: Callable[..., Server]) -> None:
    server = platform.cache if name == "redis" else platform.broker
    with redis.Redis.from_url(server.url(0)) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        try:
            ready = platform.client.get("/ready")
            assert (ready.status_code, ready.json()["failed"], ready.json()["checks"][name]) == (503, [name], "full")
            # Orders are in the database, and their tasks in the outbox.
            answer = platform.client.post("/orders", json=order())
            assert answer.status_code == 201
        finally:
            client.config_set("maxmemory", "0")
    wait_until(lambda: platform.client.get("/ready").status_code == 200, "readiness")
    _wait_for_confirmations(platform, start, [answer.json()["id"]], 120)


@pytest.mark.parametrize("kind", ["pubsub", "normal"])
def test_a_worker_goes_on_when_its_connections_are_cut(
    platform: Platform, kind: str, start: Callable[..., Server]
) -> None:
    """The broker runs on, so each connection can be opened again at once: as behind a gateway that changes servers."""
    with redis.Redis.from_url(platform.broker.url(0)) as client:
        assert client.client_kill_filter(_type=kind, skipme=True) > 0
    answer = platform.client.post("/orders", json=order())
    assert answer.status_code == 201
    # Below the time of the sweep, which would publish the task once more.
    _wait_for_confirmations(platform, start, [answer.json()["id"]], 25)


def test_a_broker_that_fills_up_loses_no_task(platform: Platform, start: Callable[..., Server]) -> None:
    with redis.Redis.from_url(platform.broker.url(0)) as client:
        client.config_set("maxmemory-policy", "noeviction")
        # By the time the broker is full the worker has some of the tasks, which it then cannot acknowledge.
        numbers = [platform.client.post("/orders", json=order()).json()["id"] for _ in range(10)]
        client.config_set("maxmemory", "1")
        time.sleep(1)
        client.config_set("maxmemory", "0")
    _wait_for_confirmations(platform, start, numbers, 240)


def test_orders_survive_a_broker_outage(platform: Platform, start: Callable[..., Server]) -> None:
    platform.broker.stop()
    started = time.monotonic()
    answers = [platform.client.post("/orders", json=order()) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201] * 5
    assert time.monotonic() - started < 10
    ready = platform.client.get("/ready")
    assert (ready.status_code, ready.json()["failed"]) == (503, ["broker"])
    assert platform.client.get("/health").status_code == 200
    assert platform.operator.post("/tasks/cleanup_expired_sessions").status_code == 503

    platform.broker.start()
    wait_until(lambda: platform.client.get("/ready").status_code == 200, "readiness")
    # Without a restart or a new order, the worker reconnects and the sweep publishes the confirmations.
    _wait_for_confirmations(platform, start, [answer.json()["id"] for answer in answers], 120)
    _wait_for_confirmations(platform, start, [platform.client.post("/orders", json=order()).json()["id"]], 10)


def test_a_hanging_broker_does_not_hold_up_orders(platform: Platform) -> None:
    platform.broker.send_signal(signal.SIGSTOP)
    try:
        # Responses precede publishing; a separate connection avoids the one that still tries to publish.
        times = []
        for _ in range(5):
            started = time.monotonic()
            assert httpx.post(f"{platform.url}/orders", json=order(), timeout=10).status_code == 201
            times.append(time.monotonic() - started)
        assert max(times) < 2
        started = time.monotonic()
        ready = platform.client.get("/ready")
        assert time.monotonic() - started < 3
        assert (ready.status_code, ready.json()["failed"]) == (503, ["broker"])
    finally:
        platform.broker.send_signal(signal.SIGCONT)
    wait_until(lambda: platform.client.get("/ready").status_code == 200, "readiness")


def test_sessions_say_503_without_redis(platform: Platform, start: Callable[..., Server]) -> None:
    platform.cache.stop()
    try:
        assert platform.client.post("/session", json={"user": "eve"}).status_code == 503
        ready = platform.client.get("/ready")
        assert (ready.status_code, ready.json()["failed"]) == (503, ["redis"])
        assert platform.client.get("/flags/new_checkout").json()["source"] == "database"
        number = platform.client.post("/orders", json=order()).json()["id"]
        # The sweep runs periodically, and the task may be slow on a busy machine.
        _wait_for_confirmations(platform, start, [number], 120)
    finally:
        platform.cache.start()
    assert platform.client.get("/ready").status_code == 200


def test_a_killed_worker_loses_no_task(platform: Platform, start: Callable[..., Server]) -> None:
    platform.worker.stop(number=signal.SIGKILL)
    numbers = [platform.client.post("/orders", json=order()).json()["id"] for _ in range(20)]
    platform.worker = start_worker(start, "worker-2", platform.environment)
    _wait_for_confirmations(platform, start, numbers, 60)


def test_a_database_outage_is_a_503_and_passes(
    migrated: dict[str, str], tmp_path: Path, start: Callable[..., Server], folder: Path
) -> None:
    port = free_port()
    with postgres(folder / "second") as url:
        environment = migrated | {"DATABASE_URL": url, "RUN_DIR": str(tmp_path)}
        assert run(python("-m", "alembic", "upgrade", "head"), environment).returncode == 0
        web = start("web-2", python("-m", "uvicorn", "main:app", "--port", str(port)), environment)
        web.wait_for_port(port)
        assert httpx.post(f"http://127.0.0.1:{port}/orders", json=order()).status_code == 201
    answer = httpx.post(f"http://127.0.0.1:{port}/orders", json=order(), timeout=10)
    assert (answer.status_code, answer.json()) == (503, {"detail": "database unavailable"})
    assert httpx.get(f"http://127.0.0.1:{port}/ready", timeout=10).json()["failed"] == ["database"]
    assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    assert PASSWORD not in web.text()
    web.stop()


def test_a_missing_replica_is_replaced_by_the_primary(
    migrated: dict[str, str], tmp_path: Path, start: Callable[..., Server]
) -> None:
    port = free_port()
    environment = migrated | {
        "DATABASE_REPLICA_URL": f"postgresql://orion:{PASSWORD}@127.0.0.1:{free_port()}/postgres",
        "DATABASE_PREPARED_STATEMENTS": "false",
        "RUN_DIR": str(tmp_path),
    }
    web = start("web-3", python("-m", "uvicorn", "main:app", "--port", str(port)), environment)
    web.wait_for_port(port)
    assert httpx.get(f"http://127.0.0.1:{port}/orders").status_code == 200
    assert "the read replica does not answer" in web.text()
    web.stop()


def _stopping_web(
    start: Callable[..., Server], name: str, migrated: dict[str, str], folder: Path
) -> tuple[Server, int]:
    """Start a web process that has ten seconds for its shutdown."""
    port = free_port()
    command = python("-m", "uvicorn", "main:app", "--port", str(port), "--timeout-graceful-shutdown", "10")
    return start(name, command, migrated | {"RUN_DIR": str(folder)}).wait_for_port(port), port


def test_shutdown_ends_requests_and_closes_websockets_with_1012(
    migrated: dict[str, str], tmp_path: Path, start: Callable[..., Server]
) -> None:
    web, port = _stopping_web(start, "web-4", migrated, tmp_path)

    async def close_code() -> int | None:
        async with websockets.connect(f"ws://127.0.0.1:{port}/ws") as socket:
            await socket.send("hello")
            await socket.recv()
            web.send_signal(signal.SIGTERM)
            await asyncio.wait_for(socket.wait_closed(), 10)
            return socket.close_code

    assert asyncio.run(close_code()) == 1012
    wait_until(lambda: not web.running, "the end of the web process", 12)


def test_a_client_that_still_writes_when_the_server_stops_is_not_cut_off(
    migrated: dict[str, str], tmp_path: Path, start: Callable[..., Server]
) -> None:
    """A proxy that cannot pass on what its client writes ends the connection, and does not read the close frame."""
    web, port = _stopping_web(start, "web-5", migrated, tmp_path)
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
    handshake = f"Host: orion\r\n{upgrade}\r\nSec-WebSocket-Key: {'A' * 22}=="
    text, close = b"\x81\x82\0\0\0\0hi", b"\x88\x82\0\0\0\0" + (1012).to_bytes(2, "big")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"GET /ws HTTP/1.1\r\n{handshake}\r\n\r\n".encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 101 ")
        web.send_signal(signal.SIGTERM)
        assert client.recv(4) == b"\x88\x02" + (1012).to_bytes(2, "big")
        for _ in range(3):
            client.sendall(text)
            time.sleep(0.2)
        client.sendall(close)
        assert client.recv(1) == b""
    wait_until(lambda: not web.running, "the end of the web process", 5)
    assert "Exception in ASGI application" not in web.text()


def test_flower_answers_its_health_check(platform: Platform, tmp_path: Path, start: Callable[..., Server]) -> None:
    environment = platform.environment | {
        "FLOWER_PORT": str(free_port()),
        "FLOWER_BASIC_AUTH": "ops:flower-Pa55",
        "RUN_DIR": str(tmp_path),
    }
    flower = start("flower", [*CELERY, "flower"], environment).wait_for_port(int(environment["FLOWER_PORT"]))
    # What the container's health check asks for needs no password.
    assert httpx.get(f"http://127.0.0.1:{environment['FLOWER_PORT']}/healthcheck").status_code == 200
    assert httpx.get(f"http://127.0.0.1:{environment['FLOWER_PORT']}/").status_code == 401
    assert PASSWORD not in flower.text()
    flower.stop()


def test_a_sentinel_failover_is_followed(
    migrated: dict[str, str], tmp_path: Path, start: Callable[..., Server], platform: Platform
) -> None:
    first = RedisServer(tmp_path / "first").start()
    second = RedisServer(tmp_path / "second", "--replicaof", f"127.0.0.1 {first.port}").start()
    sentinels = []
    try:
        for number in range(3):
            sentinels.append(_sentinel(tmp_path / f"sentinel-{number}", first.port, start))
        nodes = [f"sentinel://:{PASSWORD}@127.0.0.1:{port}" for port in sentinels]
        environment = migrated | {
            "REDIS_URL": ";".join(f"{node}/0" for node in nodes),
            "REDIS_SENTINEL_MASTER": "orion",
            "CELERY_BROKER_URL": ";".join(f"{node}/1" for node in nodes),
            "CELERY_RESULT_BACKEND": ";".join(f"{node}/2" for node in nodes),
            "CELERY_SENTINEL_MASTER": "orion",
            "RUN_DIR": str(tmp_path / "run"),
        }
        port = free_port()
        worker = start("worker-sentinel", [*CELERY, "worker", "--concurrency=1"], environment)
        web = start("web-sentinel", python("-m", "uvicorn", "main:app", "--port", str(port)), environment)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=15)
        web.wait_for_port(port)
        wait_until(lambda: client.get("/ready").status_code == 200, "readiness through Sentinel")
        wait_until(lambda: " ready." in worker.text(), "the worker")

        def confirm_one(seconds: float) -> None:
            number = client.post("/orders", json=order()).json()["id"]
            wait_until(lambda: client.get(f"/orders/{number}").json()["confirmed_at"], "a confirmation", seconds)

        confirm_one(15)
        first.stop(signal.SIGKILL)
        wait_until(lambda: client.get("/ready").status_code == 200, "readiness after the failover", 40)
        assert client.post("/session", json={"user": "ann"}).status_code == 201
        wait_until(lambda: _confirm_quickly(client), "confirmations by the reconnected worker", 60)
        assert PASSWORD not in worker.text() + web.text()
        web.stop()
        worker.stop()
    finally:
        second.stop()
        first.stop()


def _confirm_quickly(client: httpx.Client) -> bool:
    number = client.post("/orders", json=order()).json()["id"]
    time.sleep(2)
    return bool(client.get(f"/orders/{number}").json()["confirmed_at"])


def _sentinel(folder: Path, master_port: int, start: Callable[..., Server]) -> int:
    folder.mkdir()
    port = free_port()
    (folder / "sentinel.conf").write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor orion 127.0.0.1 {master_port} 2\n"
        f"sentinel auth-pass orion {PASSWORD}\n"
        "sentinel down-after-milliseconds orion 1500\n"
        "sentinel failover-timeout orion 6000\n"
    )
    command = [program("redis-server"), str(folder / "sentinel.conf"), "--sentinel"]
    start(folder.name, command, {"PATH": "/usr/bin:/bin"}).wait_for_port(port)
    return port


def test_a_worker_ends_when_it_is_told_to_though_its_broker_does_not_answer(orphan: Server) -> None:
    wait_until(lambda: not orphan.running, "the end of the worker", 240)
    assert orphan.process.returncode == 0

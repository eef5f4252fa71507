"""Routes for liveness (/health) and readiness (/ready)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from fastapi import APIRouter, Response
from redis.exceptions import OutOfMemoryError

from app.core import database, redis
from app.core.config import AppSettings, settings

router = APIRouter(tags=["health"])

TIMEOUT_SECONDS = 2.0


class Probe:
    """A readiness check of one dependency. While one hangs, no second is started, so probes never accumulate."""

    def __init__(self, check: Callable[[], object]) -> None:
        self._check = check
        self._running: Future[object] | None = None

    async def run(self, threads: ThreadPoolExecutor) -> str:
        """Return `ok`, `timeout`, `full`, or the kind of the error: its message may have a host name."""
        if self._running is None or self._running.done():
            self._running = threads.submit(self._check)
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._running)), TIMEOUT_SECONDS)
        except TimeoutError:
            return "timeout"
        except OutOfMemoryError:
            return "full"
        except Exception as error:
            return type(error).__name__
        return "ok"


_threads = ThreadPoolExecutor(max_workers=3, thread_name_prefix="probe")
_probes = {
    "database": Probe(database.ping),
    "redis": Probe(lambda: redis.write_probe(redis.cache_store())),
    "broker": Probe(lambda: redis.write_probe(redis.broker())),
}


@router.get("/health")
async def health() -> dict[str, str]:
    """Liveness: the event loop runs. Checks no dependency, since a restart would not fix its outage."""
    config = settings(AppSettings)
    return {"status": "ok", "version": config.app_version, "instance": config.instance_name}


@router.get("/ready")
async def ready(response: Response) -> dict[str, object]:
    """Readiness: 200 when the database answers and Redis and broker take a write within two seconds, else 503."""
    outcomes = await asyncio.gather(*(probe.run(_threads) for probe in _probes.values()))
    checks = dict(zip(_probes, outcomes, strict=True))
    failed = [name for name, outcome in checks.items() if outcome != "ok"]
    if failed:
        response.status_code = 503
    return {"status": "unavailable" if failed else "ok", "failed": failed, "checks": checks}


def close() -> None:
    """Shut down the threads of the probes without waiting for one that hangs."""
    _threads.shutdown(wait=False, cancel_futures=True)

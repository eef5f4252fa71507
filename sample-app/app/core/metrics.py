"""Prometheus metrics of the web process.

With PROMETHEUS_MULTIPROC_DIR set (`main.py` sets it), the Uvicorn workers of one container share their counts through
files in it.
"""

import os
from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.celery import QUEUES
from app.core.database import transaction
from app.core.redis import broker
from app.models import Outbox

_SHARED = os.environ.get("PROMETHEUS_MULTIPROC_DIR")

_REQUESTS = Counter("orion_http_requests", "Requests answered", ["method", "route", "status"])
_SECONDS = Histogram("orion_http_request_seconds", "Time to the end of the answer", ["method", "route"])


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request, by route rather than by path, which keeps the number of series small."""
    _REQUESTS.labels(method, route, str(status)).inc()
    _SECONDS.labels(method, route).observe(seconds)


class _Backlog(Collector):
    """Queue lengths, read at the time of the scrape. Values that cannot be read are omitted."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            queues = GaugeMetricFamily("orion_queue_length", "Tasks waiting in the broker", labels=["queue"])
            for queue in QUEUES:
                queues.add_metric([queue], broker().llen(queue))
            yield queues
        except RedisError:
            pass
        try:
            with transaction() as session:
                pending = session.scalar(select(func.count()).select_from(Outbox).where(Outbox.done_at.is_(None)))
            yield GaugeMetricFamily("orion_outbox_pending", "Outbox rows that are not done", value=pending or 0)
        except SQLAlchemyError:
            pass


def render() -> bytes:
    """All metrics in Prometheus' text format."""
    backlog = CollectorRegistry()
    backlog.register(_Backlog())
    requests = REGISTRY
    if _SHARED:
        requests = CollectorRegistry()
        MultiProcessCollector(requests)
    return generate_latest(requests) + generate_latest(backlog)

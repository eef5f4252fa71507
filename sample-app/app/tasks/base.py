"""Base class of all tasks: retries after an outage, and a limit for tasks that kill their worker."""

import logging
from typing import Any

from celery import Task
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError

from app.core.config import BrokerSettings, settings
from app.core.redis import cache_store

log = logging.getLogger(__name__)

DELIVERY_COUNT_TTL_SECONDS = 24 * 3600


class PoisonTaskError(Exception):
    """The task was delivered too often without ending."""


class OrionTask(Task):
    """Base class of every task.

    A task whose process is killed is delivered again. A task that itself kills the process would be delivered forever.
    So each start is counted in Redis, each end resets the count, and above CELERY_MAX_DELIVERIES the task fails.
    """

    autoretry_for = (OperationalError, InterfaceError, ConnectionError, TimeoutError)
    retry_backoff = 2
    retry_backoff_max = 60
    retry_jitter = True
    max_retries = 10

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - a task takes and returns what it likes
        """Run the task, unless it has been started too often."""
        if self.request.id is None or self.request.called_directly:
            return super().__call__(*args, **kwargs)
        counter = f"deliveries:{self.request.id}"
        self._count(counter)
        try:
            return super().__call__(*args, **kwargs)
        finally:
            self._forget(counter)

    def _count(self, counter: str) -> None:
        limit = settings(BrokerSettings).celery_max_deliveries
        try:
            with cache_store().pipeline() as pipe:
                deliveries, _ = pipe.incr(counter).expire(counter, DELIVERY_COUNT_TTL_SECONDS).execute()
        except RedisError:
            log.warning("deliveries are not counted: Redis does not answer", extra={"task": self.name})
            return
        if deliveries > limit:
            self._forget(counter)
            raise PoisonTaskError(f"{self.name} was started {limit} times and never ended")

    def _forget(self, counter: str) -> None:
        try:
            cache_store().delete(counter)
        except RedisError:
            log.warning("a delivery count was not removed", extra={"task": self.name})

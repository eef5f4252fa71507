"""The transactional outbox: a task is stored in the same transaction as its data, then published.

The row is committed with the order. Right after that the task is published; if this fails, or the message is lost,
the sweep publishes it again. The task marks the row as done in the transaction in which it does its work.
"""

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.exceptions import CeleryError
from kombu.exceptions import KombuError
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.celery import celery_app
from app.models import Outbox

log = logging.getLogger(__name__)

GRACE_SECONDS = 30
LONGEST_PAUSE_SECONDS = 900
BATCH = 500
BROKER_PAUSE_SECONDS = 5.0
BROKER_OUTAGES = (KombuError, CeleryError, RedisError, OSError)


@dataclass(frozen=True)
class Call:
    """A task to publish."""

    task: str
    arguments: dict[str, Any]


def remember(session: Session, call: Call, order_id: int | None = None) -> None:
    """Store a call in the outbox, as part of the caller's transaction."""
    first_sweep = datetime.now(UTC) + timedelta(seconds=GRACE_SECONDS)
    session.add(Outbox(task=call.task, arguments=call.arguments, order_id=order_id, next_attempt_at=first_sweep))


def take_due(session: Session) -> list[Call]:
    """Return the calls that are due and schedule their next attempt, with exponential backoff.

    The backoff keeps a long queue from filling up with copies of tasks that already wait in it.
    """
    rows = session.scalars(
        select(Outbox)
        .where(Outbox.done_at.is_(None), Outbox.next_attempt_at <= func.now())
        .order_by(Outbox.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        pause = min(GRACE_SECONDS * 2**row.attempts, LONGEST_PAUSE_SECONDS)
        row.attempts += 1
        row.next_attempt_at = datetime.now(UTC) + timedelta(seconds=pause)
    return [Call(row.task, row.arguments) for row in rows]


_broker_retry_at = 0.0


def publish(call: Call) -> bool:
    """Publish a call to the broker. Returns False when it is unavailable, and then pauses for some seconds."""
    global _broker_retry_at  # noqa: PLW0603 - one clock per process, a race costs one extra attempt
    if time.monotonic() < _broker_retry_at:
        return False
    try:
        celery_app.send_task(call.task, kwargs=call.arguments, retry=False, ignore_result=True)
    except BROKER_OUTAGES as error:
        _broker_retry_at = time.monotonic() + BROKER_PAUSE_SECONDS
        log.warning("the broker does not answer, the outbox will catch up", extra={"error": type(error).__name__})
        return False
    return True

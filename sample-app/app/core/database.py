"""PostgreSQL through SQLAlchemy: engines, and sessions for writing and reading.

`from app.core.database import engine` gives the primary's engine, for use in a Python shell.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import psycopg
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.core.config import DatabaseSettings, settings

log = logging.getLogger(__name__)

# TLS and SCRAM are slow on a busy machine; a request that waits is better than one that fails.
CONNECT_SECONDS = 5
REPLICA_PAUSE_SECONDS = 15.0

# Errors of a server that was demoted or is stopping: its connections must not be reused.
_GONE = (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.AdminShutdown, psycopg.errors.CannotConnectNow)


def normalise(url: str) -> URL:
    """Turn `postgresql://` and `postgres://` into SQLAlchemy's name for psycopg 3."""
    return make_url(url).set(drivername="postgresql+psycopg")


def _connect_args(config: DatabaseSettings) -> dict[str, object]:
    arguments: dict[str, object] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "orion",
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        # Milliseconds until unacknowledged data means that the server is gone.
        "tcp_user_timeout": 20_000,
    }
    if not config.database_prepared_statements:
        arguments["prepare_threshold"] = None
    return arguments


def _create(url: str, *, pooled: bool = True) -> Engine:
    config = settings(DatabaseSettings)
    if not pooled:
        return create_engine(normalise(url), connect_args=_connect_args(config), poolclass=NullPool)
    engine = create_engine(
        normalise(url),
        connect_args=_connect_args(config),
        pool_size=config.database_pool_size,
        max_overflow=config.database_max_overflow,
        pool_timeout=5,
        pool_recycle=1800,
        pool_pre_ping=True,
    )
    event.listen(engine, "handle_error", _drop_demoted)
    return engine


def _drop_demoted(context: ExceptionContext) -> None:
    if isinstance(context.original_exception, _GONE):
        context.is_disconnect = True


@cache
def primary() -> Engine:
    """The engine of the primary."""
    return _create(settings(DatabaseSettings).database_url)


@cache
def replica() -> Engine | None:
    """The engine of the read replica, or None when there is none."""
    url = settings(DatabaseSettings).database_replica_url
    return _create(url) if url else None


@cache
def unpooled() -> Engine:
    """An engine that opens a connection per use, for readiness checks, which must not wait for the pool."""
    return _create(settings(DatabaseSettings).database_url, pooled=False)


@contextmanager
def transaction() -> Iterator[Session]:
    """A session on the primary, committed at the end and rolled back on an exception."""
    with Session(primary(), expire_on_commit=False) as session, session.begin():
        yield session


_replica_retry_at = 0.0


@contextmanager
def reader() -> Iterator[Session]:
    """A session for lists and reports: on the replica, or on the primary while the replica is unavailable."""
    with Session(_reading_engine(), expire_on_commit=False) as session:
        yield session


def _reading_engine() -> Engine:
    global _replica_retry_at  # noqa: PLW0603 - one clock per process, a race costs one extra attempt
    engine = replica()
    if engine is None or time.monotonic() < _replica_retry_at:
        return primary()
    try:
        # The pool's ping tests the connection, which the session then uses at once.
        engine.connect().close()
    except OperationalError:
        _replica_retry_at = time.monotonic() + REPLICA_PAUSE_SECONDS
        log.warning("the read replica does not answer, reading from the primary")
        return primary()
    return engine


def ping() -> None:
    """Run `SELECT 1` on a fresh connection to the primary."""
    with unpooled().connect() as connection:
        connection.execute(text("SELECT 1"))


def forget_connections() -> None:
    """Drop connections inherited from a parent process without closing them there."""
    for engine in (primary(), replica()):
        if engine is not None:
            engine.dispose(close=False)


def __getattr__(name: str) -> Engine:
    if name == "engine":
        return primary()
    raise AttributeError(name)

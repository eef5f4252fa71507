"""Feature flags: stored in PostgreSQL, cached in Redis for five minutes."""

import logging
from typing import Literal, NamedTuple

from redis.exceptions import RedisError
from sqlalchemy import select

from app.core.database import reader
from app.core.redis import flag_store
from app.models import FeatureFlag

log = logging.getLogger(__name__)

TTL_SECONDS = 300


class Flag(NamedTuple):
    """A flag's state, and where it was read."""

    enabled: bool
    source: Literal["cache", "database"]


def read_flag(name: str) -> Flag | None:
    """Return a flag, or None for an unknown name. Reads the database when the cache is unavailable."""
    key = f"flag:{name}"
    try:
        cached = flag_store().get(key)
    except RedisError:
        log.warning("the flag cache does not answer")
        cached = None
    if cached is not None:
        return Flag(cached == "1", "cache")
    with reader() as session:
        enabled = session.scalar(select(FeatureFlag.enabled).where(FeatureFlag.name == name))
    if enabled is None:
        return None
    try:
        flag_store().set(key, "1" if enabled else "0", ex=TTL_SECONDS)
    except RedisError:
        log.warning("a flag was not cached")
    return Flag(enabled, "database")

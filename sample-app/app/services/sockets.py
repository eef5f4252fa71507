"""How many WebSockets each client holds, counted in Redis so that all processes of all servers share one count."""

import logging
import time
from uuid import uuid4

from redis.exceptions import RedisError

from app.core.redis import cache_store

log = logging.getLogger(__name__)

# A connection whose process has died stops counting after this time.
LEASE_SECONDS = 60
RENEW_SECONDS = 20


def _key(client: str) -> str:
    return f"sockets:{client}"


def open_socket(client: str, limit: int) -> str | None:
    """Count a connection and return its id, or None when the client has `limit` already.

    Without an answer from Redis it is not counted: an outage of the cache must not close the platform.
    """
    socket_id, now, key = uuid4().hex, time.time(), _key(client)
    try:
        with cache_store().pipeline() as pipe:
            pipe.zremrangebyscore(key, 0, now)
            pipe.zadd(key, {socket_id: now + LEASE_SECONDS})
            pipe.zcard(key)
            pipe.expire(key, LEASE_SECONDS * 2)
            count = pipe.execute()[2]
        if count > limit:
            cache_store().zrem(key, socket_id)
            return None
    except RedisError as error:
        log.warning("a WebSocket was not counted", extra={"error": type(error).__name__})
    return socket_id


def keep_socket(client: str, socket_id: str) -> None:
    """Count the connection for another while."""
    key = _key(client)
    try:
        with cache_store().pipeline() as pipe:
            pipe.zadd(key, {socket_id: time.time() + LEASE_SECONDS}).expire(key, LEASE_SECONDS * 2).execute()
    except RedisError as error:
        log.warning("a WebSocket was not counted", extra={"error": type(error).__name__})


def close_socket(client: str, socket_id: str) -> None:
    """Stop counting the connection."""
    try:
        cache_store().zrem(_key(client), socket_id)
    except RedisError as error:
        log.warning("a closed WebSocket counts for another minute", extra={"error": type(error).__name__})

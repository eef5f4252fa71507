"""Redis clients. Plain and TLS servers by URL; Sentinel by a `;`-separated list of `sentinel://` URLs."""

from functools import cache
from urllib.parse import urlsplit

from pydantic import SecretStr
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from redis.sentinel import Sentinel

from app.core.config import BrokerSettings, CacheSettings, settings

TIMEOUT_SECONDS = 2.0
SENTINEL_PORT = 26379


def _options() -> dict[str, object]:
    return {
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "socket_keepalive": True,
        "health_check_interval": 15,
        "decode_responses": True,
        # One more attempt after a connection that Redis closed, for example by restarting.
        "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), 1),
        "retry_on_error": [RedisConnectionError],
    }


def connect(url: str, master: str | None = None, sentinel_password: SecretStr | None = None) -> Redis:
    """Create a client. It connects at its first command; a command times out after two seconds.

    `master` is the name that the Sentinels know the server by; it is needed for `sentinel://` only.
    """
    if not url.startswith("sentinel:"):
        return Redis.from_url(url, **_options())
    nodes = [urlsplit(part) for part in url.split(";")]
    sentinel_options: dict[str, object] = {
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
    }
    if sentinel_password is not None:
        sentinel_options["password"] = sentinel_password.get_secret_value()
    sentinel = Sentinel(
        [(node.hostname, node.port or SENTINEL_PORT) for node in nodes],
        sentinel_kwargs=sentinel_options,
    )
    return sentinel.master_for(
        master,
        username=nodes[0].username or None,
        password=nodes[0].password or None,
        db=int(nodes[0].path.strip("/") or 0),
        **_options(),
    )


# Named like a task's result: in the broker the app may write nothing but what Celery does.
PROBE_KEY = "celery-task-meta-orion-ready"


def write_probe(client: Redis) -> None:
    """Write a key that soon expires. A server at its memory limit answers a ping, and refuses this."""
    client.set(PROBE_KEY, "1", ex=10)


@cache
def cache_store() -> Redis:
    """Database 0: sessions and rate limits."""
    config = settings(CacheSettings)
    return connect(config.redis_url, config.redis_sentinel_master, config.redis_sentinel_password)


@cache
def flag_store() -> Redis:
    """Database 3: cached feature flags."""
    config = settings(CacheSettings)
    return connect(config.flags_url, config.redis_sentinel_master, config.redis_sentinel_password)


@cache
def broker() -> Redis:
    """Database 1: the Celery broker, for readiness and queue lengths."""
    config = settings(BrokerSettings)
    return connect(config.celery_broker_url, config.celery_sentinel_master, config.celery_sentinel_password)

"""Rate limit per client and minute, counted in Redis."""

import time

from app.core.redis import cache_store

WINDOW_SECONDS = 60
COUNTER_TTL_SECONDS = 3600


def seconds_to_wait(scope: str, client: str, limit: int) -> int:
    """Count a request. Returns 0 when it is within the limit (0 = no limit), else the seconds to the next window."""
    if limit == 0:
        return 0
    now = int(time.time())
    key = f"rate:{scope}:{client}:{now // WINDOW_SECONDS}"
    with cache_store().pipeline() as pipe:
        count, _ = pipe.incr(key).expire(key, COUNTER_TTL_SECONDS).execute()
    return WINDOW_SECONDS - now % WINDOW_SECONDS if count > limit else 0

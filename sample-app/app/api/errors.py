"""Error handlers: 503 when the database or Redis is unavailable, 404 for a missing file."""

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.services.storage import MissingFileError

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 2


def _unavailable(what: str, error: Exception) -> JSONResponse:
    log.error("%s unavailable", what, extra={"error": type(error).__name__})
    return JSONResponse(
        {"detail": f"{what} unavailable"}, status_code=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
    )


async def _database(_: Request, error: Exception) -> JSONResponse:
    lost = isinstance(error, (OperationalError, InterfaceError, PoolTimeoutError))
    if not lost and not (isinstance(error, DBAPIError) and error.connection_invalidated):
        raise error
    return _unavailable("database", error)


async def _redis(_: Request, error: Exception) -> JSONResponse:
    return _unavailable("redis", error)


async def _missing_file(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "no such file"}, status_code=404)


def add_error_handlers(app: FastAPI) -> None:
    """Answer an outage of a dependency with a 503 and Retry-After, instead of a 500."""
    for kind in (DBAPIError, PoolTimeoutError):
        app.add_exception_handler(kind, _database)
    for kind in (RedisError, BrokerError):
        app.add_exception_handler(kind, _redis)
    app.add_exception_handler(MissingFileError, _missing_file)

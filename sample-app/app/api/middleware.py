"""Middleware for every request: host check, access log, metrics, a header with the instance's name."""

import logging
import time
from uuid import uuid4

from fastapi import Request
from fastapi.responses import PlainTextResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.client import client_address
from app.core.metrics import observe_request

log = logging.getLogger("orion.access")

# Requested by health checks, which use an address instead of a host name.
INTERNAL_PATHS = frozenset({"/health", "/ready", "/metrics"})


class Edge:
    """Pure ASGI, so that streams and WebSockets pass untouched."""

    def __init__(self, app: ASGIApp, instance: str, host_names: frozenset[str]) -> None:
        self._app = app
        self._instance = instance
        self._host_names = host_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = request.headers.get("x-request-id", "")[:64] or uuid4().hex
        status = 500
        start = time.perf_counter()

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Instance"] = self._instance
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        try:
            if self._is_foreign(request):
                await PlainTextResponse("unknown host", status_code=400)(scope, receive, send_marked)
            else:
                await self._app(scope, receive, send_marked)
        finally:
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", "other")
            observe_request(request.method, route, status, seconds)
            if request.url.path not in INTERNAL_PATHS:
                log.info(
                    "request",
                    extra={
                        "method": request.method,
                        "path": request.url.path,
                        "status": status,
                        "ms": round(seconds * 1000, 1),
                        "client": client_address(request),
                        "request_id": request_id,
                    },
                )

    def _is_foreign(self, request: Request) -> bool:
        if not self._host_names or request.url.path in INTERNAL_PATHS:
            return False
        return (request.url.hostname or "").lower() not in self._host_names

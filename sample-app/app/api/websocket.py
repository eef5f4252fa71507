"""WebSocket route that echoes messages. At a shutdown, clients get 1012, service restart (app/core/closing.py)."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse

from app.api.client import client_address
from app.core.config import AppSettings, settings
from app.services.sockets import RENEW_SECONDS, close_socket, keep_socket, open_socket

router = APIRouter()

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_own_origin(origin: str | None, host: str, config: AppSettings) -> bool:
    """Whether a page of this platform opened the connection.

    A browser always says which site does, and sends the user's cookies whatever the site is. Programs send no `Origin`;
    they have no cookies that a foreign site could use. A platform with several host names has pages at each, which
    connect to their own one. In development any page of this machine may connect.
    """
    if origin is None:
        return True
    asking, own = urlsplit(origin), urlsplit(config.public_url)
    names = {own.netloc.lower(), host.lower()} if host.lower() in config.host_names else {own.netloc.lower()}
    if asking.scheme == own.scheme and asking.netloc.lower() in names:
        return True
    return config.environment == "development" and asking.hostname in LOOPBACK


@router.websocket("/ws")
async def echo(socket: WebSocket) -> None:
    """Echo every message until the connection closes. 403 for another site's page, 429 for a client with too many."""
    config, client = settings(AppSettings), client_address(socket)
    if not is_own_origin(socket.headers.get("origin"), socket.headers.get("host", ""), config):
        await socket.send_denial_response(PlainTextResponse("a page of another site", status_code=403))
        return
    socket_id = await run_in_threadpool(open_socket, client, config.websockets_per_client)
    if socket_id is None:
        await socket.send_denial_response(PlainTextResponse("too many connections", status_code=429))
        return
    keeping = asyncio.create_task(_keep(client, socket_id))
    try:
        await socket.accept()
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await run_in_threadpool(close_socket, client, socket_id)


async def _keep(client: str, socket_id: str) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        await run_in_threadpool(keep_socket, client, socket_id)

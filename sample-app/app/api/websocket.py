"""WebSocket route that echoes messages. At a shutdown, Uvicorn closes connections with 1012 (service restart)."""

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

router = APIRouter()


@router.websocket("/ws")
async def echo(socket: WebSocket) -> None:
    """Echo every message until the connection closes."""
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return

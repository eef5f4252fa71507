"""An echo over WebSocket. At a shutdown, Uvicorn closes the connection with 1012 (service restart)."""

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

router = APIRouter()


@router.websocket("/ws")
async def echo(socket: WebSocket) -> None:
    """Send every text back until one side leaves."""
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return

"""Uvicorn's WebSockets, with a whole closing handshake when the server stops. The image names it in `UVICORN_WS`.

Uvicorn (0.54) sends the close frame 1012 and closes the connection at once. If a message of the client is on its way,
the kernel answers it with a reset, which may overtake the close frame: proxy and client then see one that broke
off (1006).
"""

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

RESTART = 1012
# A client that does not answer the close frame by then is gone.
ANSWER_SECONDS = 3.0


class ClosingProtocol(WebSocketsSansIOProtocol):
    """Closes the connection when the client has answered the close frame. Uvicorn itself waits for connections."""

    stops = False

    def shutdown(self) -> None:
        """Tell the client and the route that the server stops, and go on reading."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        self.stops = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": RESTART})
        self.conn.send_close(RESTART)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(ANSWER_SECONDS, self.transport.close)

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the route says, unless the close frame is out."""
        if self.stops:
            raise ClientDisconnected
        await super().send(message)

"""Answers with the request that it received, as the app behind an edge would have seen it."""

import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HOST = socket.gethostname()


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        self.rfile.read(int(self.headers.get("content-length") or 0))
        time.sleep(float(query.get("seconds", 0)))
        if "switch" in query:
            self.switch()
            return
        body = f"{self.requestline}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Connection", f"{HOST} {self.client_address[1]}")
        for index in range(int(query.get("cookies", 0))):
            self.send_header("Set-Cookie", f"c{index}={'x' * 4000}")
        for name in query.get("headers", "").split(";") if "headers" in query else []:
            self.send_header(*name.split(":", 1))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def switch(self) -> None:
        """Accept an upgrade, say a last word, and go."""
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.wfile.write(b"the last word")
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = answer

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


Server(("0.0.0.0", 8000), App).serve_forever()

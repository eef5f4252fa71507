"""Tests of e-mail and payment providers against loopback servers that record requests."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.core.config import EmailSettings
from app.services import stripe
from app.services.email import _BACKENDS, Message

MESSAGE = Message("invoice", "ann@example.test", "Invoice 7", "Two cups of tea.")


class Provider:
    """An HTTP server that answers with the given bodies in order, and records the requests."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[object] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                request = {"method": self.command, "path": self.path, "headers": self.headers, "body": body}
                provider.requests.append(request)
                answer = json.dumps(provider.answers.pop(0) if provider.answers else {}).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = _answer

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider()
    thread = threading.Thread(target=running.server.serve_forever)
    thread.start()
    yield running
    running.server.shutdown()
    running.server.server_close()
    thread.join()


def send(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """Send the message as a process with this environment would."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config = EmailSettings()
    _BACKENDS[config.email_backend](config, MESSAGE)


def test_sendgrid(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    send(monkeypatch, EMAIL_BACKEND="sendgrid", SENDGRID_API_KEY="the-key", SENDGRID_URL=provider.url)
    (request,) = provider.requests
    assert (request["path"], request["headers"]["authorization"]) == ("/v3/mail/send", "Bearer the-key")
    body = json.loads(request["body"])
    assert body["personalizations"] == [{"to": [{"email": "ann@example.test"}]}]
    assert body["from"] == {"email": "no-reply@orion.invalid", "name": "Orion"}


def test_mailgun(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    send(
        monkeypatch,
        EMAIL_BACKEND="mailgun",
        MAILGUN_API_KEY="the-key",
        MAILGUN_DOMAIN="mg.example.test",
        MAILGUN_URL=provider.url,
        EMAIL_FROM="shop@example.test",
    )
    (request,) = provider.requests
    assert request["path"] == "/v3/mg.example.test/messages"
    assert parse_qs(request["body"]) == {
        "from": ["shop@example.test"],
        "to": ["ann@example.test"],
        "subject": ["Invoice 7"],
        "text": ["Two cups of tea."],
    }


def test_ses(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    send(
        monkeypatch,
        EMAIL_BACKEND="ses",
        SES_REGION="eu-central-1",
        SES_ACCESS_KEY_ID="AKIATEST",
        SES_SECRET_ACCESS_KEY="the-key",
        SES_URL=provider.url,
    )
    (request,) = provider.requests
    assert request["path"] == "/v2/email/outbound-emails"
    assert "Credential=AKIATEST/" in request["headers"]["authorization"]
    assert "/eu-central-1/ses/" in request["headers"]["authorization"]
    assert json.loads(request["body"])["Destination"] == {"ToAddresses": ["ann@example.test"]}


def test_a_provider_that_is_away_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionError, match="the e-mail provider does not answer"):
        send(monkeypatch, EMAIL_BACKEND="sendgrid", SENDGRID_API_KEY="k", SENDGRID_URL="http://127.0.0.1:1")


class _Smtp(socketserver.StreamRequestHandler):
    """The part of SMTP that one e-mail needs; records every line."""

    def handle(self) -> None:
        said: list[str] = self.server.said  # type: ignore[attr-defined]
        self.wfile.write(b"220 test\r\n")
        data = False
        for line in self.rfile:
            text = line.decode().rstrip("\r\n")
            said.append(text)
            if data and text != ".":
                continue
            data = text == "data"
            self.wfile.write(self._answer(text.split(" ")[0]) + b"\r\n")

    def _answer(self, verb: str) -> bytes:
        answers = {
            "ehlo": b"250-test\r\n250 AUTH PLAIN",
            "AUTH": b"235 welcome",
            "data": b"354 go on",
            "QUIT": b"221 bye",
        }
        return answers.get(verb, b"250 ok")


@pytest.fixture
def mail_server() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
        server.daemon_threads = True
        server.said = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


def test_smtp(monkeypatch: pytest.MonkeyPatch, mail_server: socketserver.ThreadingTCPServer) -> None:
    send(
        monkeypatch,
        EMAIL_BACKEND="smtp",
        SMTP_HOST="127.0.0.1",
        SMTP_PORT=str(mail_server.server_address[1]),
        SMTP_STARTTLS="false",
        SMTP_USER="ann",
        SMTP_PASSWORD="hidden",
    )
    said: list[str] = mail_server.said  # type: ignore[attr-defined]
    assert any(line.startswith("AUTH PLAIN ") for line in said)
    assert "rcpt TO:<ann@example.test>" in said
    assert {"Subject: Invoice 7", "Two cups of tea."} <= set(said)


def test_stripe_is_read_page_by_page(provider: Provider) -> None:
    rows = [{"id": f"sub_{n}", "customer": "cus_1", "status": "active"} for n in range(3)]
    provider.answers = [{"data": rows[:2], "has_more": True}, {"data": rows[2:], "has_more": False}]
    assert stripe._fetch(provider.url, "sk_test") == rows
    queries = [parse_qs(urlsplit(request["path"]).query) for request in provider.requests]
    assert [query.get("starting_after") for query in queries] == [None, ["sub_1"]]
    assert all(query["status"] == ["all"] for query in queries)

"""Sends e-mail through one of five backends and records what was sent."""

import logging
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr

import httpx
from pydantic import SecretStr
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.config import AppSettings, EmailSettings, settings
from app.models import Email

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Message:
    """A plain-text e-mail to one person."""

    kind: str
    recipient: str
    subject: str
    body: str


def send_once(session: Session, key: str, message: Message) -> bool:
    """Send an e-mail unless one with this key was sent before. Returns whether it was sent now.

    The record is inserted first and committed by the caller afterwards: a failed send leaves no record, and a crash
    between sending and committing sends twice rather than never.
    """
    config = settings(EmailSettings)
    record = insert(Email).values(
        key=key,
        kind=message.kind,
        recipient=message.recipient,
        subject=message.subject,
        backend=config.email_backend,
    )
    if session.scalar(record.on_conflict_do_nothing(index_elements=["key"]).returning(Email.id)) is None:
        return False
    _BACKENDS[config.email_backend](config, message)
    return True


def _console(config: EmailSettings, message: Message) -> None:
    # The body may contain a reset link, so it is logged in development only.
    body = {"body": message.body} if settings(AppSettings).environment == "development" else {}
    log.info("e-mail", extra={"kind": message.kind, "subject": message.subject, **body})


def _smtp(config: EmailSettings, message: Message) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = config.email_from, message.recipient, message.subject
    mail.set_content(message.body)
    with smtplib.SMTP(config.smtp_host or "", config.smtp_port, timeout=TIMEOUT_SECONDS) as server:
        if config.smtp_starttls:
            server.starttls()
        if config.smtp_user:
            server.login(config.smtp_user, _plain(config.smtp_password))
        server.send_message(mail)


def _sendgrid(config: EmailSettings, message: Message) -> None:
    name, address = parseaddr(config.email_from)
    _post(
        f"{config.sendgrid_url}/v3/mail/send",
        headers={"Authorization": f"Bearer {_plain(config.sendgrid_api_key)}"},
        json={
            "personalizations": [{"to": [{"email": message.recipient}]}],
            "from": {"email": address, "name": name},
            "subject": message.subject,
            "content": [{"type": "text/plain", "value": message.body}],
        },
    )


def _mailgun(config: EmailSettings, message: Message) -> None:
    _post(
        f"{config.mailgun_url}/v3/{config.mailgun_domain}/messages",
        auth=("api", _plain(config.mailgun_api_key)),
        data={
            "from": config.email_from,
            "to": message.recipient,
            "subject": message.subject,
            "text": message.body,
        },
    )


def _ses(config: EmailSettings, message: Message) -> None:
    import boto3

    client = boto3.client(
        "sesv2",
        region_name=config.ses_region,
        endpoint_url=config.ses_url,
        aws_access_key_id=config.ses_access_key_id,
        aws_secret_access_key=_plain(config.ses_secret_access_key),
    )
    client.send_email(
        FromEmailAddress=config.email_from,
        Destination={"ToAddresses": [message.recipient]},
        Content={"Simple": {"Subject": {"Data": message.subject}, "Body": {"Text": {"Data": message.body}}}},
    )


def _post(url: str, **request: object) -> None:
    try:
        httpx.post(url, timeout=TIMEOUT_SECONDS, **request).raise_for_status()
    except httpx.TransportError as error:
        # A built-in error type, on which the tasks retry.
        raise ConnectionError(f"the e-mail provider does not answer: {type(error).__name__}") from error


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


_BACKENDS: dict[str, Callable[[EmailSettings, Message], None]] = {
    "console": _console,
    "smtp": _smtp,
    "sendgrid": _sendgrid,
    "mailgun": _mailgun,
    "ses": _ses,
}

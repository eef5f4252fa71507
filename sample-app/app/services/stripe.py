"""Stripe: synchronises subscriptions and verifies webhook signatures."""

import hashlib
import hmac
import time
from typing import Any

import httpx
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from app.core.config import StripeSettings, settings
from app.core.database import transaction
from app.models import Subscription

TIMEOUT_SECONDS = 20.0
PAGE = 100
SIGNATURE_VALID_SECONDS = 300


def sync_subscriptions() -> dict[str, str | int]:
    """Copy all subscriptions into the database. Without an API key it only reports that it was skipped."""
    config = settings(StripeSettings)
    if config.stripe_secret_key is None:
        return {"status": "skipped", "reason": "STRIPE_SECRET_KEY is not set"}
    rows = _fetch(config.stripe_url, config.stripe_secret_key.get_secret_value())
    with transaction() as session:
        for row in rows:
            values = {"customer": row["customer"], "status": row["status"], "synced_at": func.now()}
            statement = insert(Subscription).values(stripe_id=row["id"], **values)
            session.execute(statement.on_conflict_do_update(index_elements=["stripe_id"], set_=values))
    return {"status": "synced", "subscriptions": len(rows)}


def _fetch(base: str, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"status": "all", "limit": PAGE}
    try:
        with httpx.Client(base_url=base, auth=(key, ""), timeout=TIMEOUT_SECONDS) as client:
            while True:
                page = client.get("/v1/subscriptions", params=query).raise_for_status().json()
                rows += page["data"]
                if not page["has_more"]:
                    return rows
                query["starting_after"] = rows[-1]["id"]
    except httpx.TransportError as error:
        raise ConnectionError(f"Stripe does not answer: {type(error).__name__}") from error


def is_signed(payload: bytes, header: str, secret: str, now: float | None = None) -> bool:
    """Whether a webhook's `Stripe-Signature` header was made with our secret within the last five minutes."""
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamp = next((value for name, _, value in pairs if name == "t"), "")
    if not stamp.isdigit() or abs((now or time.time()) - int(stamp)) > SIGNATURE_VALID_SECONDS:
        return False
    expected = hmac.new(secret.encode(), f"{stamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(expected, value) for name, _, value in pairs if name == "v1")

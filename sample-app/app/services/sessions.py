"""User sessions: an opaque id in a cookie, the content in Redis, an audit record in PostgreSQL."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, func
from sqlalchemy.orm import Session

from app.core.redis import cache_store
from app.models import SessionAudit

TTL_SECONDS = 24 * 3600


def _key(session_id: str) -> str:
    return f"session:{_hash(session_id)}"


def _hash(session_id: str) -> str:
    # Read access to Redis or the audit table must not reveal a valid cookie.
    return sha256(session_id.encode()).hexdigest()


def open_session(database: Session, user: str, client: str) -> str:
    """Start a session and return its id."""
    session_id = secrets.token_urlsafe(32)
    expires_at = datetime.now(UTC) + timedelta(seconds=TTL_SECONDS)
    database.add(SessionAudit(session_hash=_hash(session_id), user_name=user, client=client, expires_at=expires_at))
    cache_store().set(_key(session_id), json.dumps({"user": user}), ex=TTL_SECONDS)
    return session_id


def session_user(session_id: str) -> str | None:
    """Return the user of a session, or None when it has expired."""
    stored = cache_store().get(_key(session_id))
    return json.loads(stored)["user"] if stored else None


def close_session(session_id: str) -> None:
    """End a session. Idempotent."""
    cache_store().delete(_key(session_id))


def delete_expired(database: Session) -> int:
    """Delete the audit rows of expired sessions and return their number."""
    return database.execute(delete(SessionAudit).where(SessionAudit.expires_at < func.now())).rowcount

"""The parts of the API that are not for visitors answer only requests with the token of TASK_API_TOKEN."""

import secrets
from typing import Annotated

from fastapi import Depends, Header, HTTPException

from app.core.config import AppSettings, settings

Authorization = Annotated[str, Header()]


def has_token(authorization: Authorization = "") -> bool:
    """Whether the request has the token. False when none is configured."""
    token = settings(AppSettings).task_api_token
    expected = f"Bearer {token.get_secret_value()}" if token else None
    return expected is not None and secrets.compare_digest(authorization.encode(), expected.encode())


def require_token(is_known: Annotated[bool, Depends(has_token)]) -> None:
    """Refuse a request without the token: 401, or 503 when none is configured, so that nobody can use the API."""
    if is_known:
        return
    if settings(AppSettings).task_api_token is None:
        raise HTTPException(503, "TASK_API_TOKEN is not configured")
    raise HTTPException(401, "a valid bearer token is needed", {"WWW-Authenticate": "Bearer"})

"""Routes that start, read and end user sessions."""

from typing import Annotated

from fastapi import APIRouter, Cookie, HTTPException, Request, Response
from pydantic import BaseModel, StringConstraints

from app.api.client import client_address
from app.core.config import AppSettings, settings
from app.core.database import transaction
from app.services import sessions
from app.services.ratelimit import seconds_to_wait

router = APIRouter(prefix="/session", tags=["sessions"])

COOKIE = "orion_session"
SessionId = Annotated[str | None, Cookie(alias=COOKIE)]


class Login(BaseModel):
    """The user who signs in. The sample platform does not check it."""

    user: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


@router.post("", status_code=201)
def create_session(login: Login, request: Request, response: Response) -> Login:
    """Start a session. 429 when this client starts too many."""
    config = settings(AppSettings)
    client = client_address(request)
    wait = seconds_to_wait("session", client, config.rate_limit_per_minute)
    if wait:
        raise HTTPException(429, "too many requests", {"Retry-After": str(wait)})
    with transaction() as database:
        session_id = sessions.open_session(database, login.user, client)
    response.set_cookie(
        COOKIE,
        session_id,
        max_age=sessions.TTL_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return login


@router.get("")
def get_session(session_id: SessionId = None) -> Login:
    """Return the user of the session."""
    user = sessions.session_user(session_id) if session_id else None
    if user is None:
        raise HTTPException(401, "no session")
    return Login(user=user)


@router.delete("", status_code=204)
def delete_session(response: Response, session_id: SessionId = None) -> None:
    """End the session."""
    if session_id:
        sessions.close_session(session_id)
    response.delete_cookie(COOKIE)

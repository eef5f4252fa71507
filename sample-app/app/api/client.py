"""Determines the IP address of a request's client."""

from fastapi import Request

from app.core.config import AppSettings, settings


def client_address(request: Request) -> str:
    """The client's address. `CF-Connecting-IP` is trusted only with CLOUDFLARE_ENABLED, since any client can send it.

    Without it, Uvicorn has taken the address from `X-Forwarded-For` if the sender is in FORWARDED_ALLOW_IPS.
    """
    forwarded = request.headers.get("cf-connecting-ip")
    if forwarded and settings(AppSettings).cloudflare_enabled:
        return forwarded
    return request.client.host if request.client else "unknown"

"""Determines the IP address of a request's client."""

from fastapi import Request


def client_address(request: Request) -> str:
    """The client's address, from `X-Real-IP`, which the edge sets to the address that it has checked.

    The edge replaces what a visitor sends in it. Other headers with an address, like `CF-Connecting-IP`, are not read.
    Without an edge it is the address of the connection, or what Uvicorn took from `X-Forwarded-For` if the sender is in
    FORWARDED_ALLOW_IPS.
    """
    checked = request.headers.get("x-real-ip")
    if checked:
        return checked
    return request.client.host if request.client else "unknown"

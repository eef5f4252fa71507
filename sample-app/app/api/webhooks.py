"""Route that receives Stripe's webhooks."""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from app.core.config import StripeSettings, settings
from app.services.outbox import Call, publish
from app.services.stripe import is_signed

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("/stripe", status_code=202)
async def stripe(request: Request, stripe_signature: Annotated[str, Header()] = "") -> dict[str, bool]:
    """Start a synchronisation when Stripe sends a signed event. 404 without STRIPE_WEBHOOK_SECRET."""
    secret = settings(StripeSettings).stripe_webhook_secret
    if secret is None:
        raise HTTPException(404, "webhooks are not configured")
    if not is_signed(await request.body(), stripe_signature, secret.get_secret_value()):
        raise HTTPException(400, "wrong signature")
    if not await run_in_threadpool(publish, Call("app.tasks.sync_stripe_subscriptions", {})):
        # Stripe retries after a 503.
        raise HTTPException(503, "broker unavailable")
    return {"accepted": True}

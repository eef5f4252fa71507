"""Periodic housekeeping tasks, scheduled by Beat."""

from app.celery import celery_app
from app.core.database import transaction
from app.services.outbox import publish, take_due
from app.services.sessions import delete_expired
from app.services.stripe import sync_subscriptions
from app.tasks.base import OrionTask


@celery_app.task(base=OrionTask, name="app.tasks.cleanup_expired_sessions")
def cleanup_expired_sessions() -> dict[str, int]:
    """Delete the audit rows of expired sessions."""
    with transaction() as session:
        return {"deleted": delete_expired(session)}


@celery_app.task(base=OrionTask, name="app.tasks.sync_stripe_subscriptions")
def sync_stripe_subscriptions() -> dict[str, str | int]:
    """Copy the state of all subscriptions from Stripe. Skipped without an API key."""
    return sync_subscriptions()


@celery_app.task(base=OrionTask, name="app.tasks.sweep_outbox")
def sweep_outbox() -> dict[str, int]:
    """Publish again the calls in the outbox that were committed some time ago and have not run."""
    with transaction() as session:
        due = take_due(session)
    return {"due": len(due), "published": sum(publish(call) for call in due)}

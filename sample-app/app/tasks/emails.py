"""E-mail tasks. Every e-mail has a key and is sent once, however often its task runs."""

import time
from typing import Any

import jwt
from sqlalchemy import func, select, update
from sqlalchemy.exc import NoResultFound

from app.celery import celery_app
from app.core.config import AppSettings, settings
from app.core.database import transaction
from app.models import Order, Outbox
from app.services.email import Message, send_once
from app.tasks.base import OrionTask

RESET_VALID_SECONDS = 3600


@celery_app.task(base=OrionTask, name="app.tasks.send_order_confirmation")
def send_order_confirmation(order_id: int) -> dict[str, Any]:
    """Confirm an order. `confirmation_count` counts the runs; the e-mail and `confirmed_at` come from the first."""
    with transaction() as session:
        # The row lock serialises two deliveries of the same task.
        order = session.scalars(
            update(Order)
            .where(Order.id == order_id)
            .values(
                confirmation_count=Order.confirmation_count + 1,
                confirmed_at=func.coalesce(Order.confirmed_at, func.now()),
            )
            .returning(Order)
        ).one_or_none()
        if order is None:
            raise NoResultFound(f"no order {order_id}")
        message = Message(
            kind="order_confirmation",
            recipient=order.email,
            subject=f"Your order {order.reference}",
            body=f"Thank you. We received your order of {order.quantity} x {order.item}.",
        )
        sent = send_once(session, f"order_confirmation:{order.id}", message)
        session.execute(
            update(Outbox).where(Outbox.order_id == order_id, Outbox.done_at.is_(None)).values(done_at=func.now())
        )
        return {"order_id": order.id, "sent": sent, "confirmation_count": order.confirmation_count}


@celery_app.task(base=OrionTask, name="app.tasks.send_password_reset", bind=True)
def send_password_reset(self: OrionTask, email: str) -> dict[str, Any]:
    """Send a link with a signed token that is valid for an hour."""
    secret = settings(AppSettings).secret_key.get_secret_value()
    claims = {"sub": email, "purpose": "password_reset", "exp": int(time.time()) + RESET_VALID_SECONDS}
    link = f"{settings(AppSettings).public_url}/reset?token={jwt.encode(claims, secret, algorithm='HS256')}"
    message = Message("password_reset", email, "Choose a new password", f"Open this link within an hour: {link}")
    with transaction() as session:
        return {"sent": send_once(session, f"password_reset:{self.request.id}", message)}


@celery_app.task(base=OrionTask, name="app.tasks.send_invoice_email")
def send_invoice_email(order_id: int) -> dict[str, Any]:
    """Send the invoice of an order."""
    with transaction() as session:
        order = session.scalars(select(Order).where(Order.id == order_id).with_for_update()).one_or_none()
        if order is None:
            raise NoResultFound(f"no order {order_id}")
        message = Message(
            kind="invoice",
            recipient=order.email,
            subject=f"Invoice for order {order.reference}",
            body=f"Invoice {order.id:06d}: {order.quantity} x {order.item}, ordered {order.created_at:%Y-%m-%d}.",
        )
        return {"order_id": order.id, "sent": send_once(session, f"invoice:{order.id}", message)}

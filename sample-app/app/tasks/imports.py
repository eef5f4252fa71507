"""Tasks that import products and orders from the Letzshop marketplace."""

from typing import Any

from app.celery import celery_app
from app.core.database import transaction
from app.services.feeds import read_feed
from app.services.orders import NewOrder, place_order
from app.services.products import upsert_products
from app.tasks.base import OrionTask


@celery_app.task(base=OrionTask, name="app.tasks.import_letzshop_products")
def import_letzshop_products(feed: list[dict[str, Any]] | None = None, upload_key: str | None = None) -> dict[str, int]:
    """Insert or update every product of the feed (`sku`, `name`, `price_cents`, `stock`)."""
    rows = read_feed(feed, upload_key)
    with transaction() as session:
        return {"products": upsert_products(session, rows)}


@celery_app.task(base=OrionTask, name="app.tasks.import_letzshop_orders")
def import_letzshop_orders(feed: list[dict[str, Any]] | None = None, upload_key: str | None = None) -> dict[str, int]:
    """Place every order of the feed that does not exist yet (`id`, `item`, `quantity`, `email`)."""
    placed = 0
    rows = read_feed(feed, upload_key)
    with transaction() as session:
        for row in rows:
            fields = {**row, "reference": f"letzshop-{row['id']}"}
            placed += place_order(session, NewOrder.model_validate(fields)).is_new
    # Their confirmations are in the outbox; the next sweep publishes them.
    return {"rows": len(rows), "placed": placed}

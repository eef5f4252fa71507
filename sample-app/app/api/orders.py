"""Routes that place, list and count orders."""

from datetime import datetime

from fastapi import APIRouter, BackgroundTasks, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from app.core.database import reader, transaction
from app.models import Order
from app.services.orders import NewOrder, confirmation_of, place_order
from app.services.outbox import publish

router = APIRouter(prefix="/orders", tags=["orders"])


class OrderView(BaseModel):
    """An order as clients see it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    reference: str
    item: str
    quantity: int
    email: str
    created_at: datetime
    confirmed_at: datetime | None
    confirmation_count: int


@router.post("", status_code=201)
def create_order(new: NewOrder, response: Response, background: BackgroundTasks) -> OrderView:
    """Place an order: 201 when it is committed. A repeated reference returns 200 and the existing order."""
    with transaction() as session:
        placed = place_order(session, new)
    if placed.is_new:
        # After the response, so that an unavailable broker does not delay the client.
        background.add_task(publish, confirmation_of(placed.order.id))
    else:
        response.status_code = 200
    return OrderView.model_validate(placed.order)


@router.get("")
def list_orders(reference: str | None = None, limit: int = Query(default=50, ge=1, le=500)) -> list[OrderView]:
    """List the newest orders, from the replica if there is one; by reference, from the primary."""
    query = select(Order).order_by(Order.id.desc()).limit(limit)
    if reference is not None:
        # A look-up of a single order must see what was just written.
        with transaction() as session:
            return _views(session.scalars(query.where(Order.reference == reference)).all())
    with reader() as session:
        return _views(session.scalars(query).all())


@router.get("/count")
def count_orders() -> dict[str, int]:
    """Count orders and confirmed orders, on the primary."""
    with transaction() as session:
        total, confirmed = session.execute(
            select(func.count(), func.count(Order.confirmed_at)).select_from(Order)
        ).one()
    return {"count": total, "confirmed": confirmed}


@router.get("/{order_id}")
def get_order(order_id: int) -> OrderView:
    """Return one order, from the primary."""
    with transaction() as session:
        order = session.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "order not found")
    return OrderView.model_validate(order)


def _views(orders: list[Order]) -> list[OrderView]:
    return [OrderView.model_validate(order) for order in orders]

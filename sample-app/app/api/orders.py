"""Routes that place, list and count orders."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from app.api.token import has_token
from app.core.database import reader, transaction
from app.models import Order
from app.services.orders import NewOrder, confirmation_of, place_order
from app.services.outbox import publish

router = APIRouter(prefix="/orders", tags=["orders"])


HasToken = Annotated[bool, Depends(has_token)]


class OrderView(BaseModel):
    """An order as clients see it; the e-mail address is masked in answers to requests without the token."""

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
def create_order(
    new: NewOrder, response: Response, background: BackgroundTasks, has_token: HasToken = False
) -> OrderView:
    """Place an order: 201 when it is committed. A repeated reference returns 200 and the existing order."""
    with transaction() as session:
        placed = place_order(session, new)
    if placed.is_new:
        # After the response, so that an unavailable broker does not delay the client.
        background.add_task(publish, confirmation_of(placed.order.id))
    else:
        response.status_code = 200
    # A repeated reference may be that of another client's order.
    return _view(placed.order, has_token)


@router.get("")
def list_orders(
    reference: str | None = None, limit: int = Query(default=50, ge=1, le=500), has_token: HasToken = False
) -> list[OrderView]:
    """List the newest orders, from the replica if there is one; by reference, from the primary."""
    query = select(Order).order_by(Order.id.desc()).limit(limit)
    if reference is not None:
        # A look-up of a single order must see what was just written.
        with transaction() as session:
            orders = session.scalars(query.where(Order.reference == reference)).all()
            return [_view(order, has_token) for order in orders]
    with reader() as session:
        return [_view(order, has_token) for order in session.scalars(query).all()]


@router.get("/count")
def count_orders() -> dict[str, int]:
    """Count orders and confirmed orders, on the primary."""
    with transaction() as session:
        total, confirmed = session.execute(
            select(func.count(), func.count(Order.confirmed_at)).select_from(Order)
        ).one()
    return {"count": total, "confirmed": confirmed}


@router.get("/{order_id}")
def get_order(order_id: int, has_token: HasToken = False) -> OrderView:
    """Return one order, from the primary."""
    with transaction() as session:
        order = session.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "order not found")
    return _view(order, has_token)


def _view(order: Order, has_token: bool) -> OrderView:
    view = OrderView.model_validate(order)
    return view if has_token else view.model_copy(update={"email": masked(order.email)})


def masked(email: str) -> str:
    """An address of which a stranger learns the first letter only: `a***@***`."""
    return f"{email[:1]}***@***"

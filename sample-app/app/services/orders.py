"""Places orders."""

from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.models import Order
from app.services.outbox import Call, remember

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class NewOrder(BaseModel):
    """An order as a client sends it."""

    model_config = ConfigDict(extra="ignore")

    reference: Line
    item: Line
    quantity: int = Field(ge=1, le=1_000_000)
    email: Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


class Placed(NamedTuple):
    """An order, and whether it is new."""

    order: Order
    is_new: bool


def confirmation_of(order_id: int) -> Call:
    """The task that confirms an order."""
    return Call("app.tasks.send_order_confirmation", {"order_id": order_id})


def place_order(session: Session, new: NewOrder) -> Placed:
    """Insert an order with its outbox row. An existing order with the same reference is returned unchanged."""
    statement = insert(Order).values(**new.model_dump()).on_conflict_do_nothing(index_elements=["reference"])
    order = session.scalars(statement.returning(Order)).one_or_none()
    if order is None:
        return Placed(session.scalars(select(Order).where(Order.reference == new.reference)).one(), is_new=False)
    remember(session, confirmation_of(order.id), order.id)
    return Placed(order, is_new=True)

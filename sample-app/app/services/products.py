"""Inserts and updates products from a feed."""

from typing import Any

from pydantic import BaseModel, Field, TypeAdapter
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.models import Product

CHUNK = 1000


class ProductRow(BaseModel):
    """A row of the feed."""

    sku: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1, max_length=500)
    price_cents: int = Field(ge=0)
    stock: int = Field(ge=0)


def upsert_products(session: Session, rows: list[dict[str, Any]]) -> int:
    """Insert or update products, the last row of a SKU wins. Returns their number."""
    parsed = TypeAdapter(list[ProductRow]).validate_python(rows)
    # In order of SKU, so that two imports lock the rows in the same order.
    unique = sorted({row.sku: row.model_dump() for row in parsed}.values(), key=lambda row: row["sku"])
    for start in range(0, len(unique), CHUNK):
        statement = insert(Product).values(unique[start : start + CHUNK])
        changed = {name: statement.excluded[name] for name in ("name", "price_cents", "stock")}
        session.execute(
            statement.on_conflict_do_update(index_elements=["sku"], set_={**changed, "imported_at": func.now()})
        )
    return len(unique)

"""Task that generates the daily sales report."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.celery import celery_app
from app.core.database import reader, transaction
from app.models import Order, Report
from app.services.storage import storage
from app.tasks.base import OrionTask


@celery_app.task(base=OrionTask, name="app.tasks.generate_sales_report")
def generate_sales_report(day: str | None = None) -> dict[str, str | int]:
    """Add up one day's orders (ISO date, default: today in UTC), into the table and into a CSV file."""
    wanted = date.fromisoformat(day) if day else datetime.now(UTC).date()
    start = datetime.combine(wanted, time.min, UTC)
    query = (
        select(Order.item, func.count(), func.sum(Order.quantity), func.count(Order.confirmed_at))
        .where(Order.created_at >= start, Order.created_at < start + timedelta(days=1))
        .group_by(Order.item)
        .order_by(Order.item)
    )
    with reader() as session:
        rows = session.execute(query).all()

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["item", "orders", "quantity", "confirmed"])
    writer.writerows(rows)
    key = f"sales-{wanted.isoformat()}.csv"
    storage().save(key, io.BytesIO(text.getvalue().encode()), "text/csv")

    totals = {
        "orders": sum(row[1] for row in rows),
        "items": sum(row[2] for row in rows),
        "confirmed": sum(row[3] for row in rows),
        "file_key": key,
    }
    with transaction() as session:
        statement = insert(Report).values(day=wanted, **totals)
        session.execute(statement.on_conflict_do_update(index_elements=["day"], set_=totals))
    return {"day": wanted.isoformat(), **totals}

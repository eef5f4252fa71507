"""Inserts what a new platform needs: feature flags, plans and an administrator. Safe to run again.

Existing rows are not changed, so a flag that was switched in production stays switched.
The administrator (`ADMIN_EMAIL`) gets no password; `send_password_reset` lets them choose one.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert

from app.core.database import transaction
from app.models import Base, FeatureFlag, Plan, User

FLAGS = [
    {"name": "letzshop_import", "enabled": True, "description": "Import products and orders from Letzshop"},
    {"name": "invoice_emails", "enabled": True, "description": "Send an invoice with every order"},
    {"name": "new_checkout", "enabled": False, "description": "The next version of the checkout"},
]
PLANS = [
    {"code": "free", "name": "Free", "price_cents": 0},
    {"code": "pro", "name": "Pro", "price_cents": 2900},
    {"code": "business", "name": "Business", "price_cents": 9900},
]


def main() -> None:
    """Insert the missing rows and print their number."""
    admin = [{"email": os.environ.get("ADMIN_EMAIL") or "admin@orion.invalid", "is_admin": True}]
    wanted: list[tuple[type[Base], list[dict[str, object]]]] = [(FeatureFlag, FLAGS), (Plan, PLANS), (User, admin)]
    with transaction() as session:
        for model, rows in wanted:
            statement = insert(model).values(rows).on_conflict_do_nothing().returning(*inspect(model).primary_key)
            added = len(session.execute(statement).all())
            print(f"{model.__tablename__}: {added} added, {len(rows) - added} already there")


if __name__ == "__main__":
    main()

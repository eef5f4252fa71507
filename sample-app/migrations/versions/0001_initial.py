"""The first tables.

Revision: 0001.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

NOW = sa.func.now()
TABLES = (
    "outbox",
    "orders",
    "emails",
    "products",
    "reports",
    "session_audit",
    "feature_flags",
    "users",
    "plans",
    "subscriptions",
)


def _timestamp(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=NOW if now else None)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Integer, nullable=False, server_default=default)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, sa.Identity(), nullable=False),
        _text("reference"),
        _text("item"),
        _number("quantity"),
        _text("email"),
        _timestamp("created_at", now=True),
        _timestamp("confirmed_at", nullable=True),
        _number("confirmation_count", "0"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("reference", name="uq_orders_reference"),
        sa.CheckConstraint("quantity > 0", name="ck_orders_quantity_positive"),
    )
    op.create_index("ix_orders_created_at", "orders", ["created_at"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, sa.Identity(), nullable=False),
        _text("task"),
        sa.Column("arguments", JSONB, nullable=False),
        sa.Column("order_id", sa.Integer, nullable=True),
        _timestamp("created_at", now=True),
        _timestamp("next_attempt_at"),
        _number("attempts", "0"),
        _timestamp("done_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_outbox_order_id_orders", ondelete="CASCADE"),
    )
    op.create_index("ix_outbox_order_id", "outbox", ["order_id"])
    op.create_index("ix_outbox_pending", "outbox", ["next_attempt_at"], postgresql_where=sa.text("done_at IS NULL"))
    op.create_table(
        "emails",
        sa.Column("id", sa.Integer, sa.Identity(), nullable=False),
        *map(_text, ("key", "kind", "recipient", "subject", "backend")),
        _timestamp("sent_at", now=True),
        sa.PrimaryKeyConstraint("id", name="pk_emails"),
        sa.UniqueConstraint("key", name="uq_emails_key"),
    )
    op.create_table(
        "products",
        *map(_text, ("sku", "name")),
        _number("price_cents"),
        _number("stock"),
        _timestamp("imported_at", now=True),
        sa.PrimaryKeyConstraint("sku", name="pk_products"),
    )
    op.create_table(
        "reports",
        sa.Column("day", sa.Date, nullable=False),
        *map(_number, ("orders", "items", "confirmed")),
        _text("file_key"),
        _timestamp("created_at", now=True),
        sa.PrimaryKeyConstraint("day", name="pk_reports"),
    )
    op.create_table(
        "session_audit",
        sa.Column("id", sa.Integer, sa.Identity(), nullable=False),
        *map(_text, ("session_hash", "user_name", "client")),
        _timestamp("created_at", now=True),
        _timestamp("expires_at"),
        sa.PrimaryKeyConstraint("id", name="pk_session_audit"),
    )
    op.create_index("ix_session_audit_expires_at", "session_audit", ["expires_at"])
    op.create_table(
        "feature_flags",
        _text("name"),
        sa.Column("enabled", sa.Boolean, nullable=False),
        _text("description"),
        sa.PrimaryKeyConstraint("name", name="pk_feature_flags"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, sa.Identity(), nullable=False),
        _text("email"),
        sa.Column("is_admin", sa.Boolean, nullable=False, server_default=sa.false()),
        _timestamp("created_at", now=True),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "plans",
        *map(_text, ("code", "name")),
        _number("price_cents"),
        sa.PrimaryKeyConstraint("code", name="pk_plans"),
    )
    op.create_table(
        "subscriptions",
        *map(_text, ("stripe_id", "customer", "status")),
        _timestamp("synced_at", now=True),
        sa.PrimaryKeyConstraint("stripe_id", name="pk_subscriptions"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in TABLES:
        op.drop_table(table)

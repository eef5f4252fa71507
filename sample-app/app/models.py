"""The database tables as SQLAlchemy models."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Timestamp = DateTime(timezone=True)


class Base(DeclarativeBase):
    """Base of all tables, with constraint names that a later migration can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Timestamp, str: Text, dict[str, Any]: JSONB}  # noqa: RUF012 - SQLAlchemy's API


class Order(Base):
    """An order. `reference` is chosen by the client and makes a repeated request harmless."""

    __tablename__ = "orders"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    item: Mapped[str]
    quantity: Mapped[int]
    email: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    confirmed_at: Mapped[datetime | None]
    confirmation_count: Mapped[int] = mapped_column(server_default="0")


class Outbox(Base):
    """A task to publish; its row is committed together with the change that needs it."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_pending", "next_attempt_at", postgresql_where="done_at IS NULL"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default="0")
    done_at: Mapped[datetime | None]


class Email(Base):
    """An e-mail that was sent. `key` prevents a repeated task from sending it again."""

    __tablename__ = "emails"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    recipient: Mapped[str]
    subject: Mapped[str]
    backend: Mapped[str]
    sent_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Product(Base):
    """A product of the marketplace, as last imported."""

    __tablename__ = "products"

    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    price_cents: Mapped[int]
    stock: Mapped[int]
    imported_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Report(Base):
    """The sales report of one day, with the key of its file."""

    __tablename__ = "reports"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    orders: Mapped[int]
    items: Mapped[int]
    confirmed: Mapped[int]
    file_key: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SessionAudit(Base):
    """Audit record of a session: user, client, expiry. Stores a hash of the session's id, never the id."""

    __tablename__ = "session_audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_hash: Mapped[str]
    user_name: Mapped[str]
    client: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)


class FeatureFlag(Base):
    """A feature flag, looked up by name."""

    __tablename__ = "feature_flags"

    name: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool]
    description: Mapped[str]


class User(Base):
    """A user account. It is created without a password, which is set through a password reset."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    is_admin: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Plan(Base):
    """A subscription plan."""

    __tablename__ = "plans"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    price_cents: Mapped[int]


class Subscription(Base):
    """A subscription, as last seen at Stripe."""

    __tablename__ = "subscriptions"

    stripe_id: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str]
    status: Mapped[str]
    synced_at: Mapped[datetime] = mapped_column(server_default=func.now())

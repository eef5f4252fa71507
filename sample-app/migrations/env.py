"""Runs the migrations on `DATABASE_URL`, which should be a direct connection to the primary.

All of them run in one transaction, after an advisory lock: a second runner waits for the first and then has nothing
to do. A statement fails when it cannot get its table lock soon, so a migration never blocks all queries of the site.
"""

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from app.core.config import DatabaseSettings, LogSettings, settings
from app.core.database import normalise
from app.core.logging import configure_logging
from app.models import Base

ADVISORY_LOCK = 0x0210_0E1A
WAIT_FOR_OTHER_RUNNER = "300s"
WAIT_FOR_TABLE_LOCK = "5s"


def run() -> None:
    """Upgrade or downgrade as the command line asks."""
    configure_logging(settings(LogSettings).log_level)
    engine = create_engine(normalise(settings(DatabaseSettings).database_url), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_FOR_OTHER_RUNNER}'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_FOR_TABLE_LOCK}'"))
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run()

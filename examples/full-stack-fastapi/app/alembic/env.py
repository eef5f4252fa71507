"""Runs the migrations through the application's own engine."""

import asyncio

from alembic import context
from sqlmodel import SQLModel

import app.models  # noqa: F401
from app.core.db import engine


def run(connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()


asyncio.run(main())

"""Creates the first superuser, once."""

import asyncio

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.config import settings
from app.core.db import engine
from app.models import User


async def main() -> None:
    async with AsyncSession(engine) as session:
        user = (await session.exec(select(User).where(User.email == settings.FIRST_SUPERUSER))).first()
        if user is None:
            session.add(User(email=settings.FIRST_SUPERUSER, is_superuser=True))
            await session.commit()


if __name__ == "__main__":
    asyncio.run(main())

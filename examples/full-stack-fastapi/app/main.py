"""The application: a health check below /api/v1, and items."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.config import settings
from app.core.db import get_session
from app.models import Item, User

app = FastAPI(title=settings.PROJECT_NAME, openapi_url="/api/v1/openapi.json")
router = APIRouter(prefix="/api/v1")
Session = Annotated[AsyncSession, Depends(get_session)]


@router.get("/utils/health-check/")
async def health_check() -> bool:
    return True


@router.post("/items/", status_code=201)
async def create_item(item: Item, session: Session) -> Item:
    session.add(item)
    await session.commit()
    await session.refresh(item)
    return item


@router.get("/items/")
async def read_items(session: Session) -> list[Item]:
    return list((await session.exec(select(Item))).all())


@router.get("/users/superusers")
async def read_superusers(session: Session) -> list[str]:
    return list((await session.exec(select(User.email).where(User.is_superuser))).all())


app.include_router(router)

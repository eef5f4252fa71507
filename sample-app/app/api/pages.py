"""Route of the HTML dashboard."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from sqlalchemy import func, select

from app.core.config import AppSettings, settings
from app.core.database import reader
from app.core.paths import PROJECT_ROOT
from app.models import Order

router = APIRouter()

RECENT = 15
_templates = Jinja2Templates(PROJECT_ROOT / "app" / "templates")


@router.get("/", include_in_schema=False)
def dashboard(request: Request) -> HTMLResponse:
    """Show the latest orders, from the replica if there is one."""
    with reader() as session:
        total, confirmed = session.execute(
            select(func.count(), func.count(Order.confirmed_at)).select_from(Order)
        ).one()
        orders = session.scalars(select(Order).order_by(Order.id.desc()).limit(RECENT)).all()
    context = {"app": settings(AppSettings), "orders": orders, "total": total, "confirmed": confirmed}
    return _templates.TemplateResponse(request, "dashboard.html", context)

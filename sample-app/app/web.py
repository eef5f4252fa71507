"""Creates the FastAPI application with its routes, middleware and error handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from celery._state import _set_task_join_will_block
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app.api import flags, health, metrics, orders, pages, sessions, tasks, uploads, webhooks, websocket
from app.api.errors import add_error_handlers
from app.api.middleware import Edge
from app.celery import celery_app, publish_quickly
from app.core.config import AppSettings, LogSettings, load_all, settings
from app.core.logging import configure_logging
from app.core.paths import PROJECT_ROOT
from app.core.sentry import start_sentry

ROUTERS = (health, orders, sessions, uploads, flags, tasks, webhooks, websocket, metrics, pages)


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    health.close()


def create_app() -> FastAPI:
    """Validate the configuration and create the application. Opens no connection: dependencies may start later."""
    load_all()
    configure_logging(settings(LogSettings).log_level)
    start_sentry()
    publish_quickly(celery_app)
    # This process never waits for results, so publishing must not subscribe to them (a subscription is kept forever).
    _set_task_join_will_block(True)

    config = settings(AppSettings)
    app = FastAPI(title="Orion", version=config.app_version, lifespan=_lifespan)
    app.add_middleware(Edge, instance=config.instance_name, host_names=config.host_names)
    add_error_handlers(app)
    for module in ROUTERS:
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=PROJECT_ROOT / "static"), name="static")
    return app

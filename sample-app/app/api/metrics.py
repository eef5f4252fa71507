"""Route with the metrics for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.core.metrics import render

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Return request counts and durations, queue lengths and the size of the outbox."""
    return Response(render(), media_type=CONTENT_TYPE_LATEST)

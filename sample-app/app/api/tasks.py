"""Routes that start a background task and return its state."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException

from app.api.token import require_token
from app.celery import TASK_QUEUES, celery_app

PREFIX = "app.tasks."

router = APIRouter(prefix="/tasks", tags=["tasks"], dependencies=[Depends(require_token)])


@router.post("/{name}", status_code=202)
def start_task(name: str, arguments: Annotated[dict[str, Any] | None, Body()] = None) -> dict[str, str]:
    """Enqueue a task by its short name; the body holds its arguments. Needs the token of TASK_API_TOKEN."""
    task = PREFIX + name
    if task not in TASK_QUEUES:
        known = ", ".join(sorted(known.removeprefix(PREFIX) for known in TASK_QUEUES))
        raise HTTPException(404, f"unknown task {name}; expected one of: {known}")
    result = celery_app.send_task(task, kwargs=arguments or {}, retry=False)
    return {"id": result.id, "task": name, "queue": TASK_QUEUES[task]}


@router.get("/{task_id}")
def get_task(task_id: str) -> dict[str, Any]:
    """Return a task's state (PENDING also for unknown tasks) and, after its end, the result or error."""
    meta = celery_app.backend.get_task_meta(task_id)
    state, result = meta["status"], meta.get("result")
    if isinstance(result, Exception):
        return {"id": task_id, "state": state, "error": f"{type(result).__name__}: {result}"}
    return {"id": task_id, "state": state, "result": result}

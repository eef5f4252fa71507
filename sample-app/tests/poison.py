"""A task that kills its worker process, for the test of the delivery cap."""

import os
import signal
from pathlib import Path

from app.celery import celery_app
from app.tasks.base import OrionTask


@celery_app.task(base=OrionTask, name="tests.poison")
def poison(trace: str) -> None:
    """Leave a mark and die."""
    with Path(trace).open("a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)

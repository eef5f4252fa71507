"""Paths that processes write to. Standard library only, because the health check imports this."""

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]

RUN_DIR = Path(os.environ.get("RUN_DIR") or PROJECT_ROOT / "run")
WORKER_HEARTBEAT = RUN_DIR / "worker.heartbeat"
BEAT_HEARTBEAT = RUN_DIR / "beat.heartbeat"
METRICS_DIR = RUN_DIR / "metrics"
BEAT_SCHEDULE = RUN_DIR / "celerybeat-schedule"

HEARTBEAT_SECONDS = 5.0


def beat_heart(file: Path) -> None:
    """Set the file's modification time to now; creates the file when it is missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()

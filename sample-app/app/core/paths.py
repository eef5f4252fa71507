"""Paths that processes write to."""

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]

RUN_DIR = Path(os.environ.get("RUN_DIR") or PROJECT_ROOT / "run")
METRICS_DIR = RUN_DIR / "metrics"
BEAT_SCHEDULE = RUN_DIR / "celerybeat-schedule"

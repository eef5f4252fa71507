"""Entry point for Uvicorn: `uvicorn main:app`."""

import os

from app.core.paths import METRICS_DIR

# The Uvicorn workers of one container add up their metrics through files. Read when prometheus-client is imported.
METRICS_DIR.mkdir(parents=True, exist_ok=True)
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(METRICS_DIR))

from app.web import create_app  # noqa: E402

app = create_app()

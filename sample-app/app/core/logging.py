"""One JSON object per line on standard output, with credentials in URLs blanked."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

_CREDENTIALS = re.compile(r"(\w[\w+.-]*://)[^\s/@'\"]*@")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


def redact(line: str) -> str:
    """Blank the user information of every URL in a text."""
    return _CREDENTIALS.sub(r"\1***@", line)


class JsonFormatter(logging.Formatter):
    """Formats a record, and whatever was passed as `extra`, as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a line break even in tracebacks."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        # Celery attaches its whole task context as `data`: arguments may hold addresses of people.
        entry |= {key: value for key, value in vars(record).items() if key not in _STANDARD and key != "data"}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return redact(json.dumps(entry, default=str, ensure_ascii=False))


def configure_logging(level: str = "INFO") -> None:
    """Send every logger of this process through one JSON handler."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # The application writes its own access line, with route, duration and client.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("httpx").setLevel(logging.WARNING)

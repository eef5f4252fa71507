"""Parses marketplace feeds: lists of rows, given directly or as an uploaded file."""

import csv
import io
import json
from typing import Any

from app.services.storage import storage


def read_feed(feed: list[dict[str, Any]] | None, upload_key: str | None) -> list[dict[str, Any]]:
    """Return the rows of a feed. Raises ValueError when none or both are given, or the file is no list of rows."""
    if (feed is None) == (upload_key is None):
        raise ValueError("give either `feed` or `upload_key`")
    if upload_key is None:
        return feed or []
    text = storage().read(upload_key).decode("utf-8-sig")
    return parse_csv(text) if upload_key.lower().endswith(".csv") else parse_json(text)


def parse_csv(text: str) -> list[dict[str, Any]]:
    """Parse CSV with a header line."""
    return list(csv.DictReader(io.StringIO(text)))


def parse_json(text: str) -> list[dict[str, Any]]:
    """Parse a JSON array of objects."""
    rows = json.loads(text)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("the feed must be a JSON array of objects")
    return rows

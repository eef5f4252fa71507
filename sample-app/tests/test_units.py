"""Unit tests of pure logic, without servers."""

import hashlib
import hmac
import json
import logging
import os
import subprocess
from pathlib import Path

import pytest

from app.core.config import BrokerSettings, CacheSettings, EmailSettings, StorageSettings, with_redis_database
from app.core.database import normalise
from app.core.logging import JsonFormatter, redact
from app.services.feeds import parse_csv, parse_json
from app.services.storage import LocalStorage, MissingFileError, check_key, new_key
from app.services.stripe import is_signed
from tests.servers import PROJECT, python


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_database_urls_get_the_psycopg_driver(scheme: str) -> None:
    url = normalise(f"{scheme}://user:p%40ss@host:5432/db?sslmode=require")
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://user:p%40ss@host:5432/db?sslmode=require"


def test_redis_databases_are_derived() -> None:
    assert with_redis_database("redis://:pw@host:6379/0", 3) == "redis://:pw@host:6379/3"
    assert with_redis_database("sentinel://a:1/0;sentinel://b:2/0", 2) == "sentinel://a:1/2;sentinel://b:2/2"


def test_defaults_follow_the_main_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://cache/0")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://broker/1")
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "")
    assert CacheSettings().flags_url == "redis://cache/3"
    assert BrokerSettings().result_url == "redis://broker/2"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"DATABASE_URL": "mysql://user:hidden-password@host/db"}, "DATABASE_URL must start with one of postgresql://"),
        ({"REDIS_URL": ""}, "REDIS_URL is missing"),
        ({"CELERY_BROKER_URL": "sentinel://a:1/1"}, "CELERY_SENTINEL_MASTER must be set"),
        ({"STORAGE_BACKEND": "r2"}, "R2_ENDPOINT_URL, R2_BUCKET, R2_ACCESS_KEY_ID, R2_SECRET_ACCESS_KEY must be set"),
        ({"EMAIL_BACKEND": "smtp"}, "SMTP_HOST must be set because EMAIL_BACKEND is smtp"),
        ({"DATABASE_POOL_SIZE": "many"}, "DATABASE_POOL_SIZE "),
    ],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_wrong_environment_ends_the_start(changes: dict[str, str], message: str, workers: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgresql://user:hidden-password@127.0.0.1:1/db",
        "REDIS_URL": "redis://:hidden-password@127.0.0.1:1/0",
        "CELERY_BROKER_URL": "redis://:hidden-password@127.0.0.1:1/1",
        "SECRET_KEY": "hidden-password-0123456789",
        **changes,
    }
    command = python("-m", "uvicorn", "main:app", "--port", "0", "--workers", workers)
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 or workers == "2"
    lines = {line for line in done.stderr.splitlines() if line.startswith("orion: wrong configuration: ")}
    assert len(lines) == 1
    assert message in lines.pop()
    assert "hidden-password" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_email_needs_nothing_on_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMAIL_BACKEND", raising=False)
    assert EmailSettings().email_backend == "console"
    assert StorageSettings().storage_backend == "local"


def test_logs_are_one_line_and_hide_credentials() -> None:
    assert redact("at redis://:pw@h:1/0;sentinel://:x@y") == "at redis://***@h:1/0;sentinel://***@y"
    assert redact("http://host/path?mail=a@b") == "http://host/path?mail=a@b"
    record = logging.makeLogRecord({"msg": "to %s\nand on", "args": ("postgresql://u:pw@h/db",), "levelname": "INFO"})
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "pw" not in line
    assert json.loads(line)["message"] == "to postgresql://***@h/db\nand on"


def test_upload_keys() -> None:
    key = new_key("../../etc/Pass wd?.txt")
    assert check_key(key).endswith("-etc-Pass-wd-.txt")
    for bad in ("../secret", ".hidden", "", "a/b"):
        with pytest.raises(MissingFileError):
            check_key(bad)


def test_local_storage_leaves_no_partial_files(tmp_path: Path) -> None:
    class Broken:
        def read(self, _: int = -1) -> bytes:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        LocalStorage(tmp_path).save("file", Broken(), "text/plain")
    assert list(tmp_path.iterdir()) == []


def test_feeds() -> None:
    assert parse_csv("sku,name\n1,A\n") == [{"sku": "1", "name": "A"}]
    assert parse_json('[{"sku": "1"}]') == [{"sku": "1"}]
    with pytest.raises(ValueError, match="array of objects"):
        parse_json('{"sku": "1"}')


def test_stripe_signatures() -> None:
    good = hmac.new(b"secret", b"1000.body", hashlib.sha256).hexdigest()
    assert is_signed(b"body", f"t=1000,v1={good}", "secret", now=1100)
    assert not is_signed(b"body", f"t=1000,v1={good}", "secret", now=2000)
    assert not is_signed(b"other", f"t=1000,v1={good}", "secret", now=1100)
    assert not is_signed(b"body", "", "secret", now=1100)

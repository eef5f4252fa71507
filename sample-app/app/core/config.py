"""Configuration from the environment, in groups.

A process reads only the groups it uses, so a migration needs `DATABASE_URL` and nothing else. An empty variable
counts as unset. A missing or invalid one ends the process with a single line that names it and shows no value.
"""

import socket
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NoReturn, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.paths import PROJECT_ROOT

# Uvicorn's supervisor ends instead of restarting a child that exits with this code.
STARTUP_FAILURE = 3

REDIS_SCHEMES = ("redis", "rediss", "sentinel")
POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


def _check_scheme(url: str, allowed: tuple[str, ...]) -> str:
    for part in url.split(";"):
        if urlsplit(part).scheme not in allowed:
            raise ValueError(f"must start with one of {', '.join(f'{name}://' for name in allowed)}")
        if not urlsplit(part).hostname:
            raise ValueError("must contain a host name")
    return url


RedisUrl = Annotated[str, AfterValidator(lambda url: _check_scheme(url, REDIS_SCHEMES))]
PostgresUrl = Annotated[str, AfterValidator(lambda url: _check_scheme(url, POSTGRES_SCHEMES))]


def with_redis_database(url: str, number: int) -> str:
    """Return the same Redis (or `;`-separated Sentinel) URL with another database number."""
    return ";".join(urlunsplit(urlsplit(part)._replace(path=f"/{number}")) for part in url.split(";"))


class _Group(BaseSettings):
    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    def _require(self, chosen_by: str, *fields: str) -> None:
        missing = [field.upper() for field in fields if getattr(self, field) is None]
        if missing:
            raise ValueError(f"{', '.join(missing)} must be set because {chosen_by}")


class LogSettings(_Group):
    """Log level."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class AppSettings(_Group):
    """Identity of this process, and limits for its clients."""

    environment: str = "development"
    app_version: str = "dev"
    instance_name: str = Field(default_factory=socket.gethostname)
    secret_key: SecretStr = Field(min_length=16)
    sentry_dsn: SecretStr | None = None
    cloudflare_enabled: bool = False
    allowed_hosts: str = "*"
    rate_limit_per_minute: int = Field(default=120, ge=0)
    # The token of the task API; without one the API refuses every request.
    task_api_token: SecretStr | None = Field(default=None, min_length=16)
    public_url: str = "http://localhost:8000"
    websockets_per_client: int = Field(default=50, ge=1)

    @property
    def host_names(self) -> frozenset[str]:
        """The accepted `Host` names, in lower case; empty means any."""
        names = {name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip()}
        return frozenset() if "*" in names else frozenset(names)


class DatabaseSettings(_Group):
    """PostgreSQL: the primary and, when there is one, a read replica."""

    database_url: PostgresUrl = Field(repr=False)
    database_replica_url: PostgresUrl | None = Field(default=None, repr=False)
    database_pool_size: int = Field(default=5, ge=1, le=100)
    # Connections that a process may open beside those of its pool.
    database_max_overflow: int = Field(default=5, ge=0, le=100)
    database_prepared_statements: bool = True


class CacheSettings(_Group):
    """Redis database 0 (sessions, rate limits) and database 3 (feature flags)."""

    redis_url: RedisUrl = Field(repr=False)
    feature_flags_url: RedisUrl | None = Field(default=None, repr=False)
    redis_sentinel_master: str | None = None
    redis_sentinel_password: SecretStr | None = None

    @property
    def flags_url(self) -> str:
        """`FEATURE_FLAGS_URL`, or database 3 of `REDIS_URL`."""
        return self.feature_flags_url or with_redis_database(self.redis_url, 3)

    @model_validator(mode="after")
    def _sentinel(self) -> Self:
        if self.redis_url.startswith("sentinel:"):
            self._require("REDIS_URL is a sentinel:// URL", "redis_sentinel_master")
        return self


class BrokerSettings(_Group):
    """The Celery broker (Redis database 1) and the result store (database 2)."""

    celery_broker_url: RedisUrl = Field(repr=False)
    celery_result_backend: RedisUrl | None = Field(default=None, repr=False)
    celery_sentinel_master: str | None = None
    celery_sentinel_password: SecretStr | None = None
    celery_task_time_limit: int = Field(default=300, ge=10)
    celery_visibility_timeout: int = Field(default=7200, ge=60)
    celery_max_deliveries: int = Field(default=5, ge=1)

    @property
    def result_url(self) -> str:
        """`CELERY_RESULT_BACKEND`, or database 2 of the broker."""
        return self.celery_result_backend or with_redis_database(self.celery_broker_url, 2)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.celery_broker_url.startswith("sentinel:"):
            self._require("CELERY_BROKER_URL is a sentinel:// URL", "celery_sentinel_master")
        if self.celery_visibility_timeout <= self.celery_task_time_limit:
            raise ValueError("CELERY_VISIBILITY_TIMEOUT must be longer than CELERY_TASK_TIME_LIMIT")
        return self


class StorageSettings(_Group):
    """Uploaded and generated files: a local folder or a Cloudflare R2 bucket."""

    storage_backend: Literal["local", "r2"] = "local"
    upload_dir: Path = PROJECT_ROOT / "uploads"
    upload_max_bytes: int = Field(default=50 * 1024 * 1024, ge=1)
    r2_endpoint_url: str | None = None
    r2_bucket: str | None = None
    r2_access_key_id: str | None = None
    r2_secret_access_key: SecretStr | None = None
    r2_public_url: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.storage_backend == "r2":
            needed = ("r2_endpoint_url", "r2_bucket", "r2_access_key_id", "r2_secret_access_key")
            self._require("STORAGE_BACKEND is r2", *needed)
        return self


class EmailSettings(_Group):
    """How e-mail leaves: written to the log, SMTP, or one of three providers."""

    email_backend: Literal["console", "smtp", "sendgrid", "mailgun", "ses"] = "console"
    email_from: str = "Orion <no-reply@orion.invalid>"
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = True
    sendgrid_api_key: SecretStr | None = None
    sendgrid_url: str = "https://api.sendgrid.com"
    mailgun_api_key: SecretStr | None = None
    mailgun_domain: str | None = None
    mailgun_url: str = "https://api.mailgun.net"
    ses_region: str | None = None
    ses_access_key_id: str | None = None
    ses_secret_access_key: SecretStr | None = None
    ses_url: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {
            "console": (),
            "smtp": ("smtp_host",),
            "sendgrid": ("sendgrid_api_key",),
            "mailgun": ("mailgun_api_key", "mailgun_domain"),
            "ses": ("ses_region", "ses_access_key_id", "ses_secret_access_key"),
        }
        self._require(f"EMAIL_BACKEND is {self.email_backend}", *needed[self.email_backend])
        return self


class StripeSettings(_Group):
    """Payments. Without a key, the subscription sync does nothing."""

    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    stripe_url: str = "https://api.stripe.com"


Group = TypeVar("Group", bound=_Group)


@cache
def settings(group: type[Group]) -> Group:
    """Read one group of settings, once per process. Ends the process when the environment is wrong."""
    try:
        return group()
    except ValidationError as error:
        _refuse(error)


def load_all() -> None:
    """Validate all groups, so that a process fails at its start and not at its first e-mail."""
    for group in _Group.__subclasses__():
        settings(group)


def _refuse(error: ValidationError) -> NoReturn:
    problems = []
    for detail in error.errors(include_url=False, include_input=False):
        name = str(detail["loc"][0]).upper() if detail["loc"] else ""
        message = "is missing" if detail["type"] == "missing" else detail["msg"].removeprefix("Value error, ")
        problems.append(f"{name} {message}".strip())
    sys.stderr.write(f"orion: wrong configuration: {'; '.join(problems)}\n")
    raise SystemExit(STARTUP_FAILURE)

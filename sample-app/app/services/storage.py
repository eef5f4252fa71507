"""File storage: a local folder or a Cloudflare R2 bucket."""

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import quote
from uuid import uuid4

from app.core.config import StorageSettings, settings

if TYPE_CHECKING:
    from botocore.client import BaseClient

CHUNK_BYTES = 64 * 1024
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class MissingFileError(Exception):
    """There is no file with this key."""


@dataclass(frozen=True)
class StoredFile:
    """An open file with its content type."""

    content: Iterator[bytes]
    content_type: str


class Storage(Protocol):
    """Interface of a storage backend."""

    def save(self, key: str, source: BinaryIO, content_type: str) -> str:
        """Store a file under a key and return its URL, relative or absolute."""

    def open(self, key: str) -> StoredFile:
        """Open a file. Raises MissingFileError."""

    def read(self, key: str) -> bytes:
        """Return a whole file. Raises MissingFileError."""

    def public_url(self, key: str) -> str | None:
        """Return the URL at which browsers can get the file directly, or None."""


def new_key(file_name: str) -> str:
    """Make an unguessable key that keeps the readable, harmless part of a file's name."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", file_name).strip("-.")[-80:]
    return f"{uuid4().hex}-{readable or 'file'}"


def check_key(key: str) -> str:
    """Return the key, or raise MissingFileError for one that cannot exist."""
    if not _KEY.fullmatch(key):
        raise MissingFileError(key)
    return key


class LocalStorage:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, key: str, source: BinaryIO, content_type: str) -> str:
        """Write a temporary file and rename it, so that no partial file can be read."""
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / check_key(key)
        partial = self._folder / f".{uuid4().hex}.part"
        try:
            with partial.open("wb") as file:
                shutil.copyfileobj(source, file)
            partial.replace(target)
        finally:
            with suppress(FileNotFoundError):
                partial.unlink()
        return f"/uploads/{key}"

    def open(self, key: str) -> StoredFile:
        """Open a file of the folder."""
        try:
            file = (self._folder / check_key(key)).open("rb")
        except FileNotFoundError as error:
            raise MissingFileError(key) from error
        return StoredFile(_chunks(file), guess_type(key)[0] or "application/octet-stream")

    def read(self, key: str) -> bytes:
        """Read a file of the folder."""
        return b"".join(self.open(key).content)

    def public_url(self, key: str) -> str | None:
        """None: files are served by the application, or by a reverse proxy under the same URL."""
        return None


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


class R2Storage:
    """A bucket of Cloudflare R2 or of another S3 storage."""

    def __init__(self, config: StorageSettings) -> None:
        self._config = config

    @cached_property
    def _client(self) -> "BaseClient":
        # Imported here because it is slow, and local storage does not need it.
        import boto3
        from botocore.config import Config

        secret = self._config.r2_secret_access_key
        return boto3.client(
            "s3",
            endpoint_url=self._config.r2_endpoint_url,
            aws_access_key_id=self._config.r2_access_key_id,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            region_name="auto",
            config=Config(
                s3={"addressing_style": "path"},
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 3, "mode": "standard"},
                # R2 does not support the newer trailing checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def save(self, key: str, source: BinaryIO, content_type: str) -> str:
        """Upload a file, in parts when it is large."""
        extra = {"ContentType": content_type}
        self._client.upload_fileobj(source, self._config.r2_bucket, check_key(key), ExtraArgs=extra)
        return self.public_url(key) or f"/uploads/{key}"

    def open(self, key: str) -> StoredFile:
        """Stream a file from the bucket."""
        try:
            answer = self._client.get_object(Bucket=self._config.r2_bucket, Key=check_key(key))
        except self._client.exceptions.NoSuchKey as error:
            raise MissingFileError(key) from error
        return StoredFile(answer["Body"].iter_chunks(CHUNK_BYTES), answer["ContentType"])

    def read(self, key: str) -> bytes:
        """Read a file of the bucket."""
        return b"".join(self.open(key).content)

    def public_url(self, key: str) -> str | None:
        """The bucket's public address, when it has one."""
        base = self._config.r2_public_url
        return f"{base.rstrip('/')}/{quote(key)}" if base else None


@cache
def storage() -> Storage:
    """The backend that STORAGE_BACKEND names."""
    config = settings(StorageSettings)
    return R2Storage(config) if config.storage_backend == "r2" else LocalStorage(config.upload_dir)

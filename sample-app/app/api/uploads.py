"""Routes that store and return uploaded files."""

from fastapi import APIRouter, File, HTTPException, UploadFile
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from app.core.config import StorageSettings, settings
from app.services.storage import check_key, new_key, storage

router = APIRouter(prefix="/uploads", tags=["uploads"])


@router.post("", status_code=201)
def upload(file: UploadFile = File()) -> dict[str, str]:
    """Store a file (multipart field `file`) and return its key and URL."""
    limit = settings(StorageSettings).upload_max_bytes
    if (file.size or 0) > limit:
        raise HTTPException(413, f"larger than {limit} bytes")
    key = new_key(file.filename or "")
    return {"key": key, "url": storage().save(key, file.file, file.content_type or "application/octet-stream")}


@router.get("/{key}")
def download(key: str) -> Response:
    """Return a file: redirect to its public URL if it has one, else stream it."""
    public = storage().public_url(check_key(key))
    if public:
        return RedirectResponse(public, status_code=307)
    stored = storage().open(key)
    # An uploaded HTML page must not run in this site's origin.
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "private, max-age=3600"}
    return StreamingResponse(stored.content, media_type=stored.content_type, headers=headers)

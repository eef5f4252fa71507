"""Route that returns the state of a feature flag."""

from fastapi import APIRouter, HTTPException

from app.services.flags import read_flag

router = APIRouter(prefix="/flags", tags=["flags"])


@router.get("/{name}")
def get_flag(name: str) -> dict[str, str | bool]:
    """Return a flag's state, at most five minutes old, and where it was read."""
    flag = read_flag(name)
    if flag is None:
        raise HTTPException(404, "flag not found")
    return {"name": name, "enabled": flag.enabled, "source": flag.source}

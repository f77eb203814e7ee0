"""Conditional requests (RFC 9110, section 13), by version."""

from starlette.exceptions import HTTPException
from starlette.requests import Request


def etag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def check_version(request: Request, version: int) -> None:
    """
    Return if the request may change `version`: it names it in `If-Match`, or names none.

    Raises:
        HTTPException: 412, it is meant for another version.
    """
    wanted = request.headers.get("if-match")
    if wanted is None or wanted.strip() == "*":
        return
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in wanted.split(",")]
    if str(version) not in tags:
        raise HTTPException(412, f"expected If-Match with version {version}, got {wanted!r}")

"""Request bodies: read to a limit, parsed once."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from oncue.core.json_text import Json, parse_json


async def read_json(request: Request, max_bytes: int) -> Json:
    """
    Return the JSON value in the body.

    Raises:
        HTTPException: 413 above `max_bytes`, 415 for another media type.
        MalformedJson: it is not JSON.
    """
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if media_type.lower() != "application/json":
        raise HTTPException(415, f"expected application/json, got {media_type!r}")
    if int(request.headers.get("content-length", 0)) > max_bytes:
        raise _too_large(max_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        chunks.append(chunk)
    return parse_json(b"".join(chunks))


def _too_large(max_bytes: int) -> HTTPException:
    return HTTPException(413, f"expected at most {max_bytes} bytes")

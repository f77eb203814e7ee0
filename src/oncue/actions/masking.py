"""Requests shown to people: what is secret is not shown."""

from collections.abc import Mapping

from oncue.core.action import HttpRequest
from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json, parse_json
from oncue.core.masking import MASK, mask

_SECRET_HEADERS = frozenset(
    ("authorization", "proxy-authorization", "cookie", "x-api-key", "webhook-signature")
)


def show_request(request: HttpRequest, credentials: Mapping[str, str]) -> Json:
    """Return a request as people may see it."""
    headers: dict[str, Json] = {
        name: MASK if name.lower() in _SECRET_HEADERS else mask(value, credentials)
        for name, value in request.headers.items()
    }
    content = mask((request.body or b"").decode("utf-8", "replace"), credentials)
    try:
        body: Json = parse_json(content.encode()) if content else None
    except MalformedJson:
        body = content
    return {
        "method": request.method,
        "url": mask(request.url, credentials),
        "headers": headers,
        "body": body,
    }

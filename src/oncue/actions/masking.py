"""Requests shown to people: what is secret is not shown."""

from collections.abc import Mapping

from oncue.core.action import HttpRequest
from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json, parse_json

MASK = "***"
# Values of these are shown whole: they lead somewhere, and open nothing.
_OPEN = frozenset(("account_sid", "api_version", "base_url", "from", "model"))
_SECRET_HEADERS = frozenset(
    ("authorization", "proxy-authorization", "cookie", "x-api-key", "webhook-signature")
)
_SHORTEST_SECRET = 4


def mask(text: str, credentials: Mapping[str, str]) -> str:
    """Return `text` with each secret of `credentials` replaced."""
    for name, secret in credentials.items():
        if name not in _OPEN and len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return text


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

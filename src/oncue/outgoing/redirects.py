"""
Where an answer sends a request on, and what goes along (RFC 9110 §15.4).

Whoever is sent to another origin comes there as a stranger: of the headers only
those go along that say what is asked, and none that says who asks.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from yarl import URL

from oncue.core.action import HttpRequest
from oncue.core.errors import PermanentError

_STATUSES: Final = frozenset((301, 302, 303, 307, 308))
_SEE_OTHER: Final = 303
# RFC 9110 §15.4.2 f.: what everybody does since browsers began it.
_TURNED_TO_GET: Final = frozenset((301, 302))
_STRANGERS: Final = frozenset(
    (
        *("accept", "accept-charset", "accept-language", "content-language", "content-type"),
        *("idempotency-key", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature"),
    )
)


def redirected(request: HttpRequest, status: int, headers: Mapping[str, str]) -> HttpRequest | None:
    """
    Return the request that an answer sends us on to; nothing, where it ends here.

    Raises:
        PermanentError: it leads to what is no address.
    """
    location = headers.get("location")
    if status not in _STATUSES or not location:
        return None
    here = URL(request.url, encoded=request.is_encoded)
    try:
        target = here.join(URL(location))
        is_complete = target.scheme in ("http", "https") and bool(target.host) and bool(target.port)
    except (ValueError, UnicodeError):
        is_complete = False
    if not is_complete:
        raise PermanentError(f"{here.origin()} is, or redirects to, no valid address")
    own = request.headers
    if _origin(here) != _origin(target):
        own = {name: value for name, value in own.items() if name.lower() in _STRANGERS}
    there = replace(request, url=str(target), headers=own, is_encoded=False)
    return _without_body(there) if _is_turned(request.method, status) else there


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    """Return what an origin is known by (RFC 6454 §4); a port that goes without saying counts."""
    return url.scheme, url.host, url.port


def _is_turned(method: str, status: int) -> bool:
    if status == _SEE_OTHER:
        return method != "HEAD"
    return status in _TURNED_TO_GET and method == "POST"


def _without_body(request: HttpRequest) -> HttpRequest:
    left = {
        name: value
        for name, value in request.headers.items()
        if not name.lower().startswith("content-")
    }
    return replace(request, method="GET", headers=left, body=None)

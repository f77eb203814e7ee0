"""Errors as RFC 9457 problem documents."""

import logging
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from oncue.core.errors import (
    Conflict,
    InvalidInput,
    MalformedJson,
    NotFound,
    OnCueError,
    Overloaded,
    QuotaExceeded,
    UnknownBody,
    Unverified,
)
from oncue.core.json_text import Json, encode_json

_log = logging.getLogger(__name__)

_STATUS: Mapping[type[OnCueError], tuple[int, str]] = {
    MalformedJson: (400, "Not JSON"),
    InvalidInput: (422, "Invalid input"),
    NotFound: (404, "Not found"),
    Conflict: (409, "Conflict"),
    QuotaExceeded: (429, "Quota exceeded"),
    Overloaded: (503, "Overloaded"),
    Unverified: (401, "Not verified"),
    UnknownBody: (415, "Unsupported media type"),
}
_TITLES = {
    401: "No valid API key",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    412: "Changed in between",
    413: "Too large",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Internal error",
}


def install(app: Starlette) -> None:
    """Let every error of `app` leave as a problem document."""
    for kind in _STATUS:
        app.add_exception_handler(kind, _of_ours)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_bug)


def problem(
    status: int, title: str, detail: str, *, headers: Mapping[str, str] | None = None,
    errors: list[Json] | None = None,
) -> Response:  # fmt: skip
    """Return a problem document."""
    body: dict[str, Json] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if errors is not None:
        body["errors"] = errors
    return Response(encode_json(body), status, headers, media_type="application/problem+json")


async def _of_ours(_: Request, error: Exception) -> Response:
    status, title = next(found for kind, found in _STATUS.items() if isinstance(error, kind))
    match error:
        case InvalidInput():
            errors: list[Json] = [{"path": p.path, "message": p.message} for p in error.problems]
            count = len(errors)
            detail = f"{count} problem{'' if count == 1 else 's'} in the request, see errors"
            return problem(status, title, detail, errors=errors)
        case Overloaded() | QuotaExceeded():
            headers = {"Retry-After": str(error.retry_after_s)}
            return problem(status, title, str(error), headers=headers)
        case Unverified():
            # RFC 9110 §15.5.2 wants a challenge; there is no scheme of that registry for it.
            return problem(status, title, str(error), headers={"WWW-Authenticate": "Webhook"})
    return problem(status, title, str(error))


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = _TITLES.get(error.status_code, "Error")
    if error.status_code == 405:
        allowed = _allowed(request)
        detail = f"expected {' or '.join(allowed)}, got {request.method}"
        return problem(405, title, detail, headers={"Allow": ", ".join(allowed)})
    return problem(error.status_code, title, str(error.detail), headers=error.headers)


def _allowed(request: Request) -> list[str]:
    """Return the methods of a path; each is a route of its own."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    found = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in found for method in route.methods or ()})


async def _of_bug(request: Request, error: Exception) -> Response:
    _log.error("bug in %s %s", request.method, _shown_path(request), exc_info=error)
    return problem(500, _TITLES[500], "this is a bug in OnCue; its log has the details")


def _shown_path(request: Request) -> str:
    """Return the path without what is secret in it: whoever has the URL is let in there."""
    path, token = request.url.path, request.path_params.get("token")
    return path.replace(token, "***") if token else path

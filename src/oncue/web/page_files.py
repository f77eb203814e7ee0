"""The pages for people, `/`, `/sql` and `/docs`, and the document that `/docs` shows."""

from collections.abc import Iterable
from functools import cached_property
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oncue.core.json_text import Json
from oncue.web.answers import answer
from oncue.web.endpoint import Endpoint

# The pages bring all they need; nothing is fetched from elsewhere, no text of data becomes code.
_CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES: Final = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
    "/shared.js": ("shared.js", "text/javascript"),
    "/sql": ("sql.html", "text/html"),
    "/sql.js": ("sql.js", "text/javascript"),
    "/docs": ("docs.html", "text/html"),
    "/docs.js": ("docs.js", "text/javascript"),
}


class Pages:
    """Files of the package. They ask for a key where they need one, so they need none themselves."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._endpoints = endpoints
        self._pages = {
            path: ((files("oncue.web") / "page" / name).read_bytes(), media_type)
            for path, (name, media_type) in _FILES.items()
        }

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/openapi.json", self.openapi, methods=["GET"]),
            *(Route(path, self.page, methods=["GET"]) for path in self._pages),
        ]

    async def page(self, request: Request) -> Response:
        """Return a file."""
        content, media_type = self._pages[request.url.path]
        headers = {
            "Content-Security-Policy": _CONTENT_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }
        return Response(content, 200, headers, f"{media_type}; charset=utf-8")

    async def openapi(self, _: Request) -> Response:
        """Return the OpenAPI document."""
        return answer(self._document)

    @cached_property
    def _document(self) -> dict[str, Json]:
        # Imported late, and made when it is asked for: no start waits for it.
        from oncue.web.openapi import document

        return document(self._endpoints)

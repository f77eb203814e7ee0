"""`/monitoring`, `/ready`, and the page that shows it all."""

from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oncue import __version__
from oncue.core.errors import InvalidInput, Problem
from oncue.core.instants import format_instant, parse_duration
from oncue.core.json_text import Json
from oncue.web.answers import answer
from oncue.web.context import Context

_MANY: Final = 1_000
# The page brings all it needs; nothing is fetched from elsewhere, no text of data becomes code.
_CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES: Final = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}


class Monitoring:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pages = {
            path: ((files("oncue.web") / "page" / name).read_bytes(), media_type)
            for path, (name, media_type) in _FILES.items()
        }

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/health", self.health, methods=["GET"]),
            Route("/ready", self.ready, methods=["GET"]),
            Route("/monitoring/dashboard", self.dashboard, methods=["GET"]),
            *(Route(path, self.page, methods=["GET"]) for path in self._pages),
        ]

    async def health(self, _: Request) -> Response:
        """Answer that the process lives."""
        return answer({"status": "ok", "version": __version__})

    async def ready(self, _: Request) -> Response:
        """Answer that the store can be read, so that requests can be served."""
        await self._context.world.journal.cursors()
        return answer({"status": "ready", "version": __version__})

    async def dashboard(self, request: Request) -> Response:
        """Return what happened lately, in numbers."""
        account = await self._context.gate.account(request, "read")
        since_ms = self._context.world.clock.now_ms() - _range_ms(request)
        world = self._context.world
        workflows = await world.catalog.workflows(account, _MANY, None)
        cursors = await world.journal.cursors()
        head = world.log.head(account)
        shown: Json = {
            "since": format_instant(since_ms),
            "events": {"total": head, "lag": head - cursors.get(account, 0)},
            "workflows": {
                "total": len(workflows),
                "enabled": sum(workflow.is_enabled for workflow in workflows),
            },
            "executions": {"by_status": await world.history.counts(account, since_ms)},
        }
        return answer(shown)

    async def page(self, request: Request) -> Response:
        """Return the page or one of its parts; it asks for a key, so it needs none itself."""
        content, media_type = self._pages[request.url.path]
        headers = {
            "Content-Security-Policy": _CONTENT_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }
        return Response(content, 200, headers, f"{media_type}; charset=utf-8")


def _range_ms(request: Request) -> int:
    try:
        return parse_duration(request.query_params.get("range", "24h"))
    except ValueError as exc:
        raise InvalidInput([Problem("range", str(exc))]) from exc

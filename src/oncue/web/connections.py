"""`/connections`: credentials go in, and never come out."""

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.connection_document import ConnectionDocument
from oncue.core.instants import format_instant, format_instant_if_any
from oncue.core.json_text import Json
from oncue.engine.connection_book import document_of
from oncue.ports import Connection, Tested
from oncue.web.answers import answer, answer_page, answer_version
from oncue.web.body import PATCH, read_json, read_patch
from oncue.web.conditional import check_version
from oncue.web.context import Context
from oncue.web.cursor import Page
from oncue.web.endpoint import CHANGED, ONCE, PAGE, Body, Endpoint, Gives
from oncue.web.flags import read_flag

_EXAMPLE: Json = {
    "name": "alerts",
    "integration": "slack",
    "values": {"webhook_url": "https://hooks.slack.com/services/T000/B000/abc123"},
}


class ConnectionRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = context.engine.connections
        self._connected = context.world.connected

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        place = "/connections/{id}"
        return [
            Endpoint(
                "GET /connections", self.list, "admin", Gives("SavedConnection[]"), query=PAGE
            ),
            Endpoint(
                "POST /connections",
                self.post,
                "admin",
                Gives("ConnectionWithWarnings", 201, also=ONCE),
                body=Body(ConnectionDocument, _EXAMPLE),
            ),
            Endpoint(
                "GET /connections/schemas", self.schemas, "read", Gives("IntegrationSchema[]")
            ),
            Endpoint(f"GET {place}", self.get, "admin", Gives("SavedConnection")),
            Endpoint(
                f"PATCH {place}",
                self.patch,
                "admin",
                Gives("ConnectionWithWarnings", also=CHANGED),
                body=Body("object", {"values": {"bot_token": "xoxb-123456789"}}, PATCH),
            ),
            Endpoint(
                f"DELETE {place}",
                self.delete,
                "admin",
                Gives(None, 204, also={409: "A workflow names it.", 412: ""}),
                query=("force",),
            ),
            Endpoint(f"POST {place}/test", self.test, "admin", Gives("ConnectionTest")),
        ]

    async def list(self, request: Request) -> Response:
        """Return the connections, newest first, without their secrets."""
        account = await self._context.gate.account(request, "admin")
        page = Page.of(request)
        rows = page.of_all(await self._connected.store.all(account))
        return answer_page(rows, page, lambda row: self._shown(account, row))

    async def post(self, request: Request) -> Response:
        """Keep a connection; its secrets are encrypted and not shown again."""
        account = await self._context.gate.account(request, "admin")
        document = await read_json(request, self._context.limits.document_bytes)

        async def create() -> Response:
            return self._saved(account, await self._book.create(account, document), 201)

        return await self._context.once.answer_sealed(account, request, document, create)

    async def schemas(self, request: Request) -> Response:
        """Return what each integration needs; what is secret is `writeOnly`."""
        await self._context.gate.account(request, "read")
        shown: list[Json] = [
            {
                "integration": one.name,
                "title": one.title,
                "schema": one.schema,
                "secret": [value.name for value in one.credentials if value.is_secret],
            }
            for one in self._connected.integrations.values()
        ]
        return answer({"data": shown, "next_cursor": None})

    async def get(self, request: Request) -> Response:
        """Return a connection without its secrets."""
        account = await self._context.gate.account(request, "admin")
        row = await self._book.find(account, request.path_params["id"])
        return answer_version(self._shown(account, row), row.version, f"/connections/{row.id}")

    async def patch(self, request: Request) -> Response:
        """Change a connection (RFC 7396); secrets that are not given stay."""
        account = await self._context.gate.account(request, "admin")
        patch = await read_patch(request, self._context.limits.document_bytes)
        current = await self._book.find(account, request.path_params["id"])
        check_version(request, current.version)
        return self._saved(account, await self._book.change(account, current, patch))

    async def delete(self, request: Request) -> Response:
        """Forget a connection; with `?force=true` even if a workflow names it."""
        account = await self._context.gate.account(request, "admin")
        is_forced = read_flag(request, "force")
        current = await self._book.find(account, request.path_params["id"])
        check_version(request, current.version)
        await self._book.delete(account, current, even_if_used=is_forced)
        return Response(status_code=204)

    async def test(self, request: Request) -> Response:
        """Ask the vendor something harmless."""
        account = await self._context.gate.account(request, "admin")
        current = await self._book.find(account, request.path_params["id"])
        return answer(_tested(await self._book.test(account, current)))

    def _saved(self, account: str, row: Connection, status: int = 200) -> Response:
        _, trouble = self._book.trouble(account, row)
        warnings: list[Json] = []
        if trouble:
            warnings.append({"path": "values", "message": f"connection {row.name!r} {trouble}"})
        shown = {**self._shown(account, row), "warnings": warnings}
        return answer_version(shown, row.version, f"/connections/{row.id}", status)

    def _shown(self, account: str, row: Connection) -> dict[str, Json]:
        is_locked, trouble = self._book.trouble(account, row)
        return {
            "id": row.id,
            **document_of(row),
            "ready": trouble is None,
            "locked": is_locked,
            "trouble": trouble,
            "version": row.version,
            "created_at": format_instant(row.created_at_ms),
            "updated_at": format_instant(row.updated_at_ms),
            "last_used_at": format_instant_if_any(row.last_used_at_ms),
            "last_test": _tested(row.last_test) if row.last_test else None,
        }


def _tested(tested: Tested) -> dict[str, Json]:
    return {
        "ok": tested.ok,
        "detail": tested.detail,
        "duration_ms": tested.duration_ms,
        "at": format_instant(tested.at_ms),
    }

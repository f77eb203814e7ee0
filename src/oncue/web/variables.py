"""`/variables`: values that workflows read."""

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.named_values import VariableDocument
from oncue.ports import Variable
from oncue.web.answers import answer_page, answer_version
from oncue.web.body import PATCH, read_json, read_object, read_patch
from oncue.web.conditional import check_version
from oncue.web.context import Context
from oncue.web.cursor import BY_NAME, Page
from oncue.web.endpoint import CHANGED, ONCE, PAGE, Body, Endpoint, Gives
from oncue.web.flags import read_flag

_EXAMPLE: Json = {"name": "support_address", "value": "help@example.com"}


class VariableRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = context.engine.variables

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        place = "/variables/{name}"
        return [
            Endpoint("GET /variables", self.list, "read", Gives("SavedVariable[]"), query=PAGE),
            Endpoint(
                "POST /variables",
                self.post,
                "write",
                Gives("SavedVariable", 201, also=ONCE),
                body=Body(VariableDocument, _EXAMPLE),
            ),
            Endpoint(f"GET {place}", self.get, "read", Gives("SavedVariable")),
            Endpoint(
                f"PUT {place}",
                self.put,
                "write",
                Gives("SavedVariable", also=CHANGED),
                body=Body("object", {"value": "help@example.com"}),
            ),
            Endpoint(
                f"PATCH {place}",
                self.patch,
                "write",
                Gives("SavedVariable", also=CHANGED),
                body=Body("object", {"value": "care@example.com"}, PATCH),
            ),
            Endpoint(
                f"DELETE {place}",
                self.delete,
                "write",
                Gives(None, 204, also={409: "A workflow reads it.", 412: ""}),
                query=("force",),
            ),
        ]

    async def list(self, request: Request) -> Response:
        """Return the variables, newest first."""
        account = await self._context.gate.account(request, "read")
        page = Page.of(request)
        rows = page.of_all((await self._book.by_name(account)).values(), BY_NAME)
        return answer_page(rows, page, _shown, BY_NAME)

    async def post(self, request: Request) -> Response:
        """Keep a variable."""
        account = await self._context.gate.account(request, "write")
        document = await read_json(request, self._context.limits.document_bytes)

        async def create() -> Response:
            return _saved(await self._book.create(account, document), 201)

        return await self._context.once.answer(account, request, document, create)

    async def get(self, request: Request) -> Response:
        """Return a variable."""
        account = await self._context.gate.account(request, "read")
        return _saved(await self._book.find(account, request.path_params["name"]))

    async def put(self, request: Request) -> Response:
        """Keep a value under a name, whole, whether or not there is one; what is not given stays."""
        account = await self._context.gate.account(request, "write")
        given = await read_object(request, self._context.limits.document_bytes)
        name = request.path_params["name"]
        if current := (await self._book.by_name(account)).get(name):
            check_version(request, current.version)
        return _saved(await self._book.put(account, name, given))

    async def patch(self, request: Request) -> Response:
        """Change a variable (RFC 7396)."""
        account = await self._context.gate.account(request, "write")
        patch = await read_patch(request, self._context.limits.document_bytes)
        current = await self._book.find(account, request.path_params["name"])
        check_version(request, current.version)
        return _saved(await self._book.change(account, current, patch))

    async def delete(self, request: Request) -> Response:
        """Forget a variable; with `?force=true` even if a workflow reads it."""
        account = await self._context.gate.account(request, "write")
        is_forced = read_flag(request, "force")
        current = await self._book.find(account, request.path_params["name"])
        check_version(request, current.version)
        await self._book.delete(account, current, even_if_used=is_forced)
        return Response(status_code=204)


def _saved(row: Variable, status: int = 200) -> Response:
    return answer_version(_shown(row), row.version, f"/variables/{row.name}", status)


def _shown(row: Variable) -> dict[str, Json]:
    return {
        "name": row.name,
        "description": row.description,
        "value": row.value,
        "version": row.version,
        "created_at": format_instant(row.created_at_ms),
        "updated_at": format_instant(row.updated_at_ms),
    }

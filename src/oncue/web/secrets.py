"""`/secrets`: values go in, and never come out."""

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.named_values import SecretDocument
from oncue.ports import Secret
from oncue.web.answers import answer, answer_page, answer_version
from oncue.web.body import PATCH, read_json, read_object, read_patch
from oncue.web.conditional import check_version
from oncue.web.context import Context
from oncue.web.cursor import BY_NAME, Page
from oncue.web.endpoint import CHANGED, ONCE, PAGE, Body, Endpoint, Gives
from oncue.web.flags import read_flag

_EXAMPLE: Json = {"name": "STRIPE_KEY", "value": "sk_test_4eC39HqLyjWDarjtT1zdp7dc"}


class SecretRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = context.engine.secrets

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        place = "/secrets/{name}"
        return [
            Endpoint("GET /secrets", self.list, "admin", Gives("SavedSecret[]"), query=PAGE),
            Endpoint(
                "POST /secrets",
                self.post,
                "admin",
                Gives("SavedSecret", 201, also=ONCE),
                body=Body(SecretDocument, _EXAMPLE),
            ),
            Endpoint("POST /secrets/rotate", self.rotate, "operator", Gives("Rotation")),
            Endpoint(f"GET {place}", self.get, "admin", Gives("SavedSecret")),
            Endpoint(
                f"PUT {place}",
                self.put,
                "admin",
                Gives("SavedSecret", also=CHANGED),
                body=Body("object", {"value": "sk_test_4eC39HqLyjWDarjtT1zdp7dc"}),
            ),
            Endpoint(
                f"PATCH {place}",
                self.patch,
                "admin",
                Gives("SavedSecret", also=CHANGED),
                body=Body("object", {"description": "The key of the shop"}, PATCH),
            ),
            Endpoint(
                f"DELETE {place}",
                self.delete,
                "admin",
                Gives(None, 204, also={409: "A workflow reads it.", 412: ""}),
                query=("force",),
            ),
        ]

    async def list(self, request: Request) -> Response:
        """Return the secrets, newest first, without their values."""
        account = await self._context.gate.account(request, "admin")
        page = Page.of(request)
        rows = page.of_all((await self._book.by_name(account)).values(), BY_NAME)
        return answer_page(rows, page, lambda row: self._shown(account, row), BY_NAME)

    async def post(self, request: Request) -> Response:
        """Keep a secret; its value is encrypted and not shown again."""
        account = await self._context.gate.account(request, "admin")
        document = await read_json(request, self._context.limits.document_bytes)

        async def create() -> Response:
            return self._saved(account, await self._book.create(account, document), 201)

        return await self._context.once.answer_sealed(account, request, document, create)

    async def rotate(self, request: Request) -> Response:
        """Encrypt the secrets, connections and hooks of all accounts under the first key."""
        await self._context.gate.account(request, "operator")
        done = await self._context.engine.rotation.rotate()
        locked: list[Json] = [
            {"account": one.account, "kind": one.kind, "name": one.name} for one in done.locked
        ]
        return answer({"total": done.total, "rotated": done.rotated, "locked": locked})

    async def get(self, request: Request) -> Response:
        """Return a secret without its value."""
        account = await self._context.gate.account(request, "admin")
        row = await self._book.find(account, request.path_params["name"])
        return self._saved(account, row)

    async def put(self, request: Request) -> Response:
        """Keep a value under a name, whether or not there is one; what is not given stays."""
        account = await self._context.gate.account(request, "admin")
        given = await read_object(request, self._context.limits.document_bytes)
        name = request.path_params["name"]
        if current := (await self._book.by_name(account)).get(name):
            check_version(request, current.version)
        return self._saved(account, await self._book.put(account, name, given))

    async def patch(self, request: Request) -> Response:
        """Change a secret (RFC 7396); a value that is not given stays."""
        account = await self._context.gate.account(request, "admin")
        patch = await read_patch(request, self._context.limits.document_bytes)
        current = await self._book.find(account, request.path_params["name"])
        check_version(request, current.version)
        return self._saved(account, await self._book.change(account, current, patch))

    async def delete(self, request: Request) -> Response:
        """Forget a secret; with `?force=true` even if a workflow reads it."""
        account = await self._context.gate.account(request, "admin")
        is_forced = read_flag(request, "force")
        current = await self._book.find(account, request.path_params["name"])
        check_version(request, current.version)
        await self._book.delete(account, current, even_if_used=is_forced)
        return Response(status_code=204)

    def _saved(self, account: str, row: Secret, status: int = 200) -> Response:
        shown = self._shown(account, row)
        return answer_version(shown, row.version, f"/secrets/{row.name}", status)

    def _shown(self, account: str, row: Secret) -> dict[str, Json]:
        trouble = self._book.trouble(account, row)
        return {
            "name": row.name,
            "description": row.description,
            "ready": trouble is None,
            "trouble": trouble,
            "version": row.version,
            "created_at": format_instant(row.created_at_ms),
            "updated_at": format_instant(row.updated_at_ms),
        }

"""`/hooks`: URLs to which others post."""

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.hook.document import HookDocument
from oncue.core.json_text import Json
from oncue.engine.hook_secrets import Kept
from oncue.web.answers import answer_page, answer_version
from oncue.web.body import JSON, PATCH, YAML, read_document, read_patch
from oncue.web.conditional import check_version
from oncue.web.context import Context
from oncue.web.cursor import Page
from oncue.web.endpoint import CHANGED, ONCE, PAGE, Body, Endpoint, Gives
from oncue.web.hook_views import may_see_paths, shown_hook
from oncue.web.once import Told

EXAMPLE: Json = {"name": "repository", "scheme": "github"}


class HookRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = context.engine.hooks

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint("GET /hooks", self.list, "read", Gives("SavedHook[]"), query=PAGE),
            Endpoint(
                "POST /hooks",
                self.post,
                "write",
                Gives("HookWithWarnings", 201, also=ONCE),
                body=Body(HookDocument, EXAMPLE, (*JSON, *YAML)),
            ),
            Endpoint("GET /hooks/{id}", self.get, "read", Gives("SavedHook")),
            Endpoint(
                "PATCH /hooks/{id}",
                self.patch,
                "write",
                Gives("HookWithWarnings", also=CHANGED),
                body=Body("object", {"enabled": False}, PATCH),
            ),
            Endpoint("DELETE /hooks/{id}", self.delete, "write", Gives(None, 204, also=CHANGED)),
        ]

    async def list(self, request: Request) -> Response:
        """Return the hooks, newest first, without their secrets."""
        account, reveals = await self._reader(request)
        page = Page.of(request)
        rows = page.of_all(await self._book.all(account))
        shown = {
            row.id: await shown_hook(self._context.engine, account, row, reveals=reveals)
            for row in rows[: page.limit]
        }
        return answer_page(rows, page, lambda row: shown[row.id])

    async def post(self, request: Request) -> Response:
        """Make a hook; a secret that is made for it is shown in this answer and never again."""
        account = await self._context.gate.account(request, "write")
        document = await read_document(request, self._context.limits.document_bytes)

        async def create() -> Told:
            kept = await self._book.create(account, document)
            return Told(
                await self._saved(account, kept, 201),
                await self._saved(account, Kept(kept.hook), 201, reveals=False),
            )

        return await self._context.once.answer_told(account, request, document, create)

    async def get(self, request: Request) -> Response:
        """Return a hook without its secrets."""
        account, reveals = await self._reader(request)
        row = await self._book.find(account, request.path_params["id"])
        shown = await shown_hook(self._context.engine, account, row, reveals=reveals)
        return answer_version(shown, row.version, f"/hooks/{row.id}")

    async def patch(self, request: Request) -> Response:
        """Change a hook (RFC 7396); secrets that are not given stay, and its URL does."""
        account = await self._context.gate.account(request, "write")
        patch = await read_patch(request, self._context.limits.document_bytes)
        current = await self._book.find(account, request.path_params["id"])
        check_version(request, current.version)
        return await self._saved(account, await self._book.change(account, current, patch))

    async def delete(self, request: Request) -> Response:
        """Forget a hook; nobody is let in by its URL any more."""
        account = await self._context.gate.account(request, "write")
        current = await self._book.find(account, request.path_params["id"])
        check_version(request, current.version)
        await self._book.delete(account, current)
        return Response(status_code=204)

    async def _reader(self, request: Request) -> tuple[str, bool]:
        """Return the account, and whether the key may send events: a secret path lets anybody."""
        key = await self._context.gate.key(request, "read")
        return key.account, may_see_paths(key)

    async def _saved(
        self, account: str, kept: Kept, status: int = 200, *, reveals: bool = True
    ) -> Response:
        hook = kept.hook
        shown = await shown_hook(self._context.engine, account, hook, reveals=reveals)
        if kept.made is not None:
            shown["secret"] = kept.made
        trouble = shown["trouble"]
        warnings: list[Json] = []
        if trouble:
            warnings.append({"path": "secret", "message": f"hook {hook.name!r} {trouble}"})
        shown["warnings"] = warnings
        return answer_version(shown, hook.version, f"/hooks/{hook.id}", status)

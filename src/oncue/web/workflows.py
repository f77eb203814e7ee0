"""`/workflows`."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oncue.core.errors import Conflict, InvalidInput, NotFound, Problem
from oncue.core.instants import format_instant, parse_duration
from oncue.core.json_text import Json
from oncue.core.merge_patch import merge_patch
from oncue.ports import WorkflowVersion
from oncue.web import render
from oncue.web.answers import answer, answer_page
from oncue.web.body import PATCH, read_document, read_json, read_optional_json
from oncue.web.conditional import check_version, etag
from oncue.web.context import Context
from oncue.web.cursor import decode_cursor, page_size

MAX_WAIT_MS = 60_000


class Workflows:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._catalog = context.world.catalog
        self._definitions = context.engine.definitions

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/workflows", self.list, methods=["GET"]),
            Route("/workflows", self.post, methods=["POST"]),
            Route("/workflows/validate", self.validate, methods=["POST"]),
            Route("/workflows/{id}", self.get, methods=["GET"]),
            Route("/workflows/{id}", self.patch, methods=["PATCH"]),
            Route("/workflows/{id}", self.delete, methods=["DELETE"]),
            Route("/workflows/{id}/versions", self.versions, methods=["GET"]),
            Route("/workflows/{id}/rollback", self.rollback, methods=["POST"]),
            Route("/workflows/{id}/execute", self.execute, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """Return the workflows, newest first."""
        account = await self._context.gate.account(request, "read")
        limit = page_size(request.query_params.get("limit"))
        before = decode_cursor(request.query_params.get("cursor"))
        rows = await self._catalog.workflows(account, limit + 1, before)
        return answer_page(rows, limit, lambda row: (row.created_at_ms, row.id), _workflow)

    async def post(self, request: Request) -> Response:
        """Save a workflow."""
        account = await self._context.gate.account(request, "write")
        document = await read_document(request, self._context.limits.document_bytes)
        count = await self._catalog.workflow_count(account)
        await self._context.engine.quotas.admit_workflow(account, count)
        workflow = await self._definitions.create_workflow(account, document)
        return _answer(workflow, 201, {"Location": f"/workflows/{workflow.id}"})

    async def validate(self, request: Request) -> Response:
        """Answer 422 with all that is wrong with a document; nothing is saved."""
        await self._context.gate.account(request, "read")
        document = await read_document(request, self._context.limits.document_bytes)
        self._definitions.check(document)
        return answer({"valid": True})

    async def get(self, request: Request) -> Response:
        """Return the current version of a workflow."""
        account = await self._context.gate.account(request, "read")
        return _answer(await self._current(account, request))

    async def patch(self, request: Request) -> Response:
        """Save the next version of a workflow: what the patch (RFC 7396) makes of the current one."""
        account = await self._context.gate.account(request, "write")
        patch = await read_json(request, self._context.limits.document_bytes, PATCH)
        current = await self._current(account, request)
        check_version(request, current.version)
        if not isinstance(patch, dict):
            raise InvalidInput([Problem("", "expected an object, got something else")])
        document = merge_patch(current.document, patch)
        return _answer(await self._definitions.change_workflow(account, current, document))

    async def delete(self, request: Request) -> Response:
        """Let go of a workflow; with `?cancel=true` its open executions are cancelled."""
        account = await self._context.gate.account(request, "write")
        current = await self._current(account, request)
        check_version(request, current.version)
        opened = await self._context.world.history.open_executions(account, current.id)
        if opened and request.query_params.get("cancel") != "true":
            raise Conflict(
                f"expected no open executions, got {len(opened)}: wait, or give ?cancel=true"
            )
        await self._definitions.delete_workflow(account, current.id)
        for execution_id in await self._context.world.history.open_executions(account, current.id):
            reason = f"workflow {current.name!r} was deleted"
            await self._context.engine.cancel(account, execution_id, reason)
        return Response(status_code=204)

    async def versions(self, request: Request) -> Response:
        """Return all versions, newest first."""
        account = await self._context.gate.account(request, "read")
        current = await self._current(account, request)
        rows = await self._catalog.versions(account, current.id)
        return answer({"data": [_workflow(row) for row in rows], "next_cursor": None})

    async def rollback(self, request: Request) -> Response:
        """Save an earlier version anew, as the next one."""
        account = await self._context.gate.account(request, "write")
        body = await read_json(request, self._context.limits.document_bytes)
        version = body.get("version") if isinstance(body, dict) else None
        if not isinstance(version, int) or isinstance(version, bool):
            raise InvalidInput([Problem("version", f"expected a number, got {version!r}")])
        current = await self._current(account, request)
        earlier = await self._catalog.workflow(account, current.id, version)
        return _answer(await self._definitions.change_workflow(account, current, earlier.document))

    async def execute(self, request: Request) -> Response:
        """Begin an execution by hand; with `?wait=10s` answer with its end."""
        account = await self._context.gate.account(request, "write")
        body = await read_optional_json(request, self._context.limits.document_bytes)
        wait_ms = _wait_ms(request.query_params.get("wait"))
        workflow = await self._current(account, request)
        key = request.headers.get("idempotency-key")
        engine = self._context.engine
        execution_id = await engine.execute(account, workflow, body, key)
        if wait_ms:
            stored = await engine.finished(account, execution_id, wait_ms)
            if stored.state.final:
                new = stored.new
                plan = await self._definitions.plan(account, new.workflow_id, new.version)
                return answer(render.execution(stored, plan))
        location = {"Location": f"/executions/{execution_id}"}
        return answer({"execution_id": execution_id, "status": "pending"}, 202, location)

    async def _current(self, account: str, request: Request) -> WorkflowVersion:
        workflow_id = await self._catalog.workflow_id(account, request.path_params["id"])
        return await self._catalog.workflow(account, workflow_id)


def _wait_ms(text: str | None) -> int:
    if text is None:
        return 0
    try:
        return min(parse_duration(text), MAX_WAIT_MS)
    except ValueError as exc:
        raise InvalidInput([Problem("wait", str(exc))]) from exc


def _answer(
    workflow: WorkflowVersion, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return answer(_workflow(workflow), status, {**(headers or {}), "ETag": etag(workflow.version)})


def _workflow(workflow: WorkflowVersion) -> dict[str, Json]:
    document = workflow.document
    if not isinstance(document, dict):
        raise NotFound(f"no workflow {workflow.id!r}")
    return {
        **document,
        "id": workflow.id,
        "enabled": workflow.is_enabled,
        "version": workflow.version,
        "created_at": format_instant(workflow.created_at_ms),
        "updated_at": format_instant(workflow.updated_at_ms),
    }

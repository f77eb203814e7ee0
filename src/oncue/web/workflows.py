"""`/workflows`."""

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.errors import Conflict, InvalidInput, NotFound, Problem
from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.merge_patch import merge_patch
from oncue.core.workflow.definition import Workflow
from oncue.ports import WorkflowVersion
from oncue.web.answers import answer, answer_page, answer_version
from oncue.web.body import JSON, PATCH, YAML, read_document, read_json, read_patch
from oncue.web.conditional import check_version
from oncue.web.context import Context
from oncue.web.cursor import Page
from oncue.web.endpoint import CHANGED, ONCE, PAGE, Body, Endpoint, Gives
from oncue.web.hook_views import hook_warnings, may_see_paths, with_hooks
from oncue.web.once import Told

_EXAMPLE: Json = {
    "name": "big-order",
    "on": {"type": "event", "event": "order.paid", "where": "event.data.amount > 1000"},
    "steps": [
        {
            "id": "tell",
            "type": "action",
            "action": "send_slack_message",
            "with": {"text": "{{ event.data.customer }} paid {{ event.data.amount }}"},
        }
    ],
}
WORKFLOW = Body(Workflow, _EXAMPLE, (*JSON, *YAML))


class Workflows:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._catalog = context.world.catalog
        self._definitions = context.engine.definitions

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                "GET /workflows",
                self.list,
                "read",
                Gives("SavedWorkflow[]"),
                query=PAGE,
            ),
            Endpoint(
                "POST /workflows",
                self.post,
                "write",
                Gives(
                    "WorkflowWithWarnings",
                    201,
                    also={**ONCE, 429: ""},
                ),
                body=WORKFLOW,
            ),
            Endpoint(
                "POST /workflows/validate", self.validate, "read", Gives("Validity"), body=WORKFLOW
            ),
            Endpoint("GET /workflows/{id}", self.get, "read", Gives("SavedWorkflow")),
            Endpoint(
                "PATCH /workflows/{id}",
                self.patch,
                "write",
                Gives("WorkflowWithWarnings", also=CHANGED),
                body=Body("object", {"enabled": False}, PATCH),
            ),
            Endpoint(
                "DELETE /workflows/{id}",
                self.delete,
                "write",
                Gives(None, 204, also={409: "Executions are open.", 412: ""}),
                query=("cancel",),
            ),
            Endpoint(
                "GET /workflows/{id}/versions", self.versions, "read", Gives("SavedWorkflow[]")
            ),
            Endpoint(
                "POST /workflows/{id}/rollback",
                self.rollback,
                "write",
                Gives("WorkflowWithWarnings", also={409: ""}),
                body=Body("object", {"version": 1}),
            ),
        ]

    async def list(self, request: Request) -> Response:
        """Return the workflows, newest first."""
        key = await self._context.gate.key(request, "read")
        page = Page.of(request)
        rows = await self._catalog.workflows(key.account, page.limit + 1, page.before)
        shown = {row.id: _workflow(row) for row in rows}
        await with_hooks(self._context.engine, key.account, shown, reveals=may_see_paths(key))
        return answer_page(rows, page, lambda row: shown[row.id])

    async def post(self, request: Request) -> Response:
        """Save a workflow."""
        account = await self._context.gate.account(request, "write")
        document = await read_document(request, self._context.limits.document_bytes)

        async def create() -> Told:
            count = await self._context.engine.built_ins.count_others(account)
            await self._context.engine.quotas.admit_workflow(account, count)
            workflow = await self._definitions.create_workflow(account, document)
            return Told(
                await self._saved(account, workflow, 201),
                await self._saved(account, workflow, 201, reveals=False),
            )

        return await self._context.once.answer_told(account, request, document, create)

    async def validate(self, request: Request) -> Response:
        """Answer 422 with all that is wrong with a document; nothing is saved."""
        account = await self._context.gate.account(request, "read")
        document = await read_document(request, self._context.limits.document_bytes)
        await self._definitions.tried(account, document)
        return answer({"valid": True})

    async def get(self, request: Request) -> Response:
        """Return the current version of a workflow."""
        key = await self._context.gate.key(request, "read")
        workflow = await current_workflow(self._context, key.account, request)
        (shown,) = await with_hooks(
            self._context.engine,
            key.account,
            {workflow.id: _workflow(workflow)},
            reveals=may_see_paths(key),
        )
        return answer_version(shown, workflow.version, f"/workflows/{workflow.id}")

    async def patch(self, request: Request) -> Response:
        """Save the next version of a workflow: what the patch (RFC 7396) makes of the current one."""
        account = await self._context.gate.account(request, "write")
        patch = await read_patch(request, self._context.limits.document_bytes)
        current = await current_workflow(self._context, account, request)
        check_version(request, current.version)
        document = merge_patch(current.document, patch)
        changed = await self._definitions.change_workflow(account, current, document)
        return await self._saved(account, changed)

    async def delete(self, request: Request) -> Response:
        """Let go of a workflow; with `?cancel=true` its open executions are cancelled."""
        account = await self._context.gate.account(request, "write")
        current = await current_workflow(self._context, account, request)
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
        current = await current_workflow(self._context, account, request)
        rows = await self._catalog.versions(account, current.id)
        return answer({"data": [_workflow(row) for row in rows], "next_cursor": None})

    async def rollback(self, request: Request) -> Response:
        """Save an earlier version anew, as the next one."""
        account = await self._context.gate.account(request, "write")
        body = await read_json(request, self._context.limits.document_bytes)
        version = body.get("version") if isinstance(body, dict) else None
        current = await current_workflow(self._context, account, request)
        if not isinstance(version, int) or isinstance(version, bool):
            raise InvalidInput([Problem("version", f"expected a number, got {version!r}")])
        if not 1 <= version <= current.version:
            raise NotFound(f"no version {version} of workflow {current.name!r}")
        earlier = await self._catalog.workflow(account, current.id, version)
        changed = await self._definitions.change_workflow(account, current, earlier.document)
        return await self._saved(account, changed)

    async def _saved(
        self, account: str, workflow: WorkflowVersion, status: int = 200, *, reveals: bool = True
    ) -> Response:
        """Answer with a workflow and what it would need and does not have."""
        plan = await self._definitions.plan(account, workflow.id, workflow.version)
        warnings: list[Json] = [
            {"path": problem.path, "message": problem.message}
            for problem in await self._context.engine.missing.of(account, plan)
        ]
        (shown,) = await with_hooks(
            self._context.engine,
            account,
            {workflow.id: _workflow(workflow)},
            reveals=reveals,
            made=workflow.brought.made if reveals else {},
        )
        warnings += hook_warnings(shown)
        place = f"/workflows/{workflow.id}"
        return answer_version({**shown, "warnings": warnings}, workflow.version, place, status)


async def current_workflow(context: Context, account: str, request: Request) -> WorkflowVersion:
    """
    Return the current version of the workflow that the path names.

    Raises:
        NotFound: this account has none.
    """
    catalog = context.world.catalog
    return await catalog.workflow(
        account, await catalog.workflow_id(account, request.path_params["id"])
    )


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

"""`/workflows`."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oncue.core.errors import NotFound
from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.ports import WorkflowVersion
from oncue.web.answers import answer
from oncue.web.body import read_json
from oncue.web.context import Context


class Workflows:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/workflows", self.post, methods=["POST"]),
            Route("/workflows/{id}", self.get, methods=["GET"]),
        ]

    async def post(self, request: Request) -> Response:
        """Save a workflow."""
        account = await self._context.gate.account(request, "write")
        document = await read_json(request, self._context.limits.document_bytes)
        workflow = await self._context.engine.definitions.create_workflow(account, document)
        return answer(_workflow(workflow), 201, {"Location": f"/workflows/{workflow.id}"})

    async def get(self, request: Request) -> Response:
        """Return the current version of a workflow."""
        account = await self._context.gate.account(request, "read")
        catalog = self._context.world.catalog
        return answer(_workflow(await catalog.workflow(account, request.path_params["id"])))


def _workflow(workflow: WorkflowVersion) -> dict[str, Json]:
    document = workflow.document
    if not isinstance(document, dict):
        raise NotFound(f"no workflow {workflow.id!r}")
    return {
        **document,
        "id": workflow.id,
        "version": workflow.version,
        "created_at": format_instant(workflow.created_at_ms),
    }

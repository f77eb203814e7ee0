"""The application: its routes, and what they call."""

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oncue import __version__
from oncue.core.errors import NotFound
from oncue.core.instants import format_instant
from oncue.core.json_text import Json, encode_json
from oncue.engine.engine import Engine, World
from oncue.ports import WorkflowVersion
from oncue.web import problems, render
from oncue.web.auth import Gate
from oncue.web.body import read_json
from oncue.web.cursor import decode_cursor, encode_cursor, page_size

MAX_DOCUMENT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may bring."""

    event_bytes: int = 256 << 10


class Api:
    """The handlers; each is one route."""

    def __init__(self, engine: Engine, world: World, limits: Limits) -> None:
        self._engine = engine
        self._journal = world.journal
        self._catalog = world.catalog
        self._limits = limits
        self._gate = Gate(world.accounts)

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/health", self.health, methods=["GET"]),
            Route("/events", self.post_event, methods=["POST"]),
            Route("/workflows", self.post_workflow, methods=["POST"]),
            Route("/workflows/{id}", self.get_workflow, methods=["GET"]),
            Route("/executions", self.list_executions, methods=["GET"]),
            Route("/executions/{id}", self.get_execution, methods=["GET"]),
        ]

    async def health(self, _: Request) -> Response:
        """Answer that the process lives."""
        return _json({"status": "ok", "version": __version__})

    async def post_event(self, request: Request) -> Response:
        """Accept one event; it is durable when this answers."""
        account = await self._gate.account(request, "events:write")
        value = await read_json(request, self._limits.event_bytes)
        receipt = await self._engine.ingest.accept(account, value)
        answer: dict[str, Json] = {
            "id": receipt.id,
            "status": "duplicate" if receipt.is_duplicate else "accepted",
            "offset": receipt.offset,
        }
        if receipt.is_conflict:
            answer["conflict"] = True
        return _json(answer, 202)

    async def post_workflow(self, request: Request) -> Response:
        """Save a workflow."""
        account = await self._gate.account(request, "write")
        document = await read_json(request, MAX_DOCUMENT_BYTES)
        workflow = await self._engine.definitions.create_workflow(account, document)
        return _json(_workflow(workflow), 201, {"Location": f"/workflows/{workflow.id}"})

    async def get_workflow(self, request: Request) -> Response:
        """Return the current version of a workflow."""
        account = await self._gate.account(request, "read")
        workflow = await self._catalog.workflow(account, request.path_params["id"])
        return _json(_workflow(workflow))

    async def list_executions(self, request: Request) -> Response:
        """Return executions, newest first."""
        account = await self._gate.account(request, "read")
        limit = page_size(request.query_params.get("limit"))
        before = decode_cursor(request.query_params.get("cursor"))
        rows = await self._journal.executions(account, limit + 1, before)
        more = rows[limit - 1] if len(rows) > limit else None
        next_cursor = encode_cursor(more.created_at_ms, more.id) if more else None
        data: list[Json] = [render.summary(row) for row in rows[:limit]]
        return _json({"data": data, "next_cursor": next_cursor})

    async def get_execution(self, request: Request) -> Response:
        """Return an execution with its steps."""
        account = await self._gate.account(request, "read")
        stored = await self._journal.load(account, request.path_params["id"])
        new = stored.new
        plan = await self._engine.definitions.plan(account, new.workflow_id, new.version)
        return _json(render.execution(stored, plan))


def create_app(engine: Engine, world: World, limits: Limits | None = None) -> FastAPI:
    """Return the ASGI application over a started engine."""
    app = FastAPI(title="OnCue", version=__version__, docs_url=None, redoc_url=None)
    problems.install(app)
    app.router.routes.extend(Api(engine, world, limits or Limits()).routes())
    return app


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


def _json(body: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encode_json(body), status, headers, media_type="application/json")

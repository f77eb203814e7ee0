"""`/executions`."""

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from oncue.core.documents import Document
from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json
from oncue.core.workflow.state import Status
from oncue.engine.replays import VersionChoice
from oncue.ports import ExecutionFilter
from oncue.web import render
from oncue.web.answers import answer, answer_page
from oncue.web.body import read_json, read_model, read_optional_json
from oncue.web.context import Context
from oncue.web.cursor import Page, instant
from oncue.web.endpoint import Body, Endpoint, Gives
from oncue.web.execution_stream import follow
from oncue.web.sse import event_stream

SIGNAL: Json = {"name": "in_doubt", "data": {"step": "charge", "outcome": "done"}}
_FILTERS = ("workflow", "status", "from", "to", "limit", "cursor")


class ReplayTerms(Document):
    """From where another execution begins, and with which version."""

    from_: str = Field(default="start", alias="from", description="`start`, or a step: id or path.")
    version: VersionChoice = VersionChoice.PINNED


class Executions:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                "GET /executions", self.list, "read", Gives("ExecutionSummary[]"), query=_FILTERS
            ),
            Endpoint(
                "GET /monitoring/executions",
                self.list,
                "read",
                Gives("ExecutionSummary[]"),
                query=_FILTERS,
            ),
            Endpoint("GET /executions/{id}", self.get, "read", Gives("Execution")),
            Endpoint(
                "GET /executions/{id}/stream",
                self.stream,
                "read",
                Gives("Execution", media_type="text/event-stream"),
            ),
            Endpoint(
                "POST /executions/{id}/cancel",
                self.cancel,
                "write",
                Gives("Status", 202, also={409: "It has ended."}),
            ),
            Endpoint(
                "POST /executions/{id}/replay",
                self.replay,
                "write",
                Gives(
                    "Begun",
                    202,
                    also={
                        409: "It has not ended, or the `Idempotency-Key` came with another request.",
                        429: "",
                    },
                ),
                body=Body(ReplayTerms, {"from": "start", "version": "latest"}, is_required=False),
            ),
            Endpoint(
                "POST /executions/{id}/signal",
                self.signal,
                "write",
                Gives("Status", 202, also={409: "Nothing in it waits for that."}),
                body=Body("Signal", SIGNAL),
            ),
        ]

    async def list(self, request: Request) -> Response:
        """Return executions, newest first."""
        account = await self._context.gate.account(request, "read")
        page = Page.of(request)
        wanted = _filter(request)
        executions = self._context.world.history.executions
        rows = await executions(account, wanted, page.limit + 1, page.before)
        return answer_page(rows, page, render.summary)

    async def get(self, request: Request) -> Response:
        """Return an execution with its steps."""
        account = await self._context.gate.account(request, "read")
        stored = await self._context.world.journal.load(account, request.path_params["id"])
        new = stored.new
        definitions = self._context.engine.definitions
        plan = await definitions.plan(account, new.workflow_id, new.version)
        return answer(render.execution(stored, plan))

    async def stream(self, request: Request) -> Response:
        """Follow an execution to its end: Server-Sent Events."""
        account = await self._context.gate.account(request, "read")
        stored = await self._context.world.journal.load(account, request.path_params["id"])
        return event_stream(follow(self._context, account, stored))

    async def cancel(self, request: Request) -> Response:
        """End an execution; what is in flight is not recalled."""
        account = await self._context.gate.account(request, "write")
        execution_id = request.path_params["id"]
        await self._context.engine.cancel(account, execution_id, "cancelled by request")
        return answer({"id": execution_id, "status": "cancelled"}, 202)

    async def replay(self, request: Request) -> Response:
        """Begin another execution that reuses the results before a step."""
        account = await self._context.gate.account(request, "write")
        execution_id = request.path_params["id"]
        body = await read_optional_json(request, self._context.limits.document_bytes)
        terms = read_model(ReplayTerms, body)

        async def begin() -> Response:
            replays = self._context.engine.replays
            begun = await replays.replay(account, execution_id, terms.from_, terms.version)
            location = {"Location": f"/executions/{begun}"}
            return answer({"execution_id": begun, "status": "pending"}, 202, location)

        return await self._context.once.answer(account, request, body, begin)

    async def signal(self, request: Request) -> Response:
        """Tell an execution what it waits for; `in_doubt` says what became of a step's call."""
        account = await self._context.gate.account(request, "write")
        execution_id = request.path_params["id"]
        body = await read_json(request, self._context.limits.document_bytes)
        if not isinstance(body, dict):
            raise InvalidInput([Problem("", "expected an object with 'name' and 'data'")])
        signals = self._context.engine.signals
        await signals.send(account, execution_id, body.get("name"), body.get("data"))
        return answer({"id": execution_id, "status": "accepted"}, 202)


def _filter(request: Request) -> ExecutionFilter:
    given = request.query_params
    problems: list[Problem] = []
    status = given.get("status")
    if status is not None and status not in list(Status):
        known = ", ".join(Status)
        problems.append(Problem("status", f"expected one of {known}, got {status!r}"))
    bounds = {name: instant(request, name, problems) for name in ("from", "to")}
    if problems:
        raise InvalidInput(problems)
    return ExecutionFilter(given.get("workflow"), status, bounds["from"], bounds["to"])

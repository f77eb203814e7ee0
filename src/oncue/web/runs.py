"""What is done with a workflow by hand: executed, foreseen, tried."""

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.errors import InvalidInput, Problem
from oncue.core.instants import parse_duration
from oncue.web import render
from oncue.web.answers import answer
from oncue.web.body import read_json, read_optional_json
from oncue.web.context import Context
from oncue.web.endpoint import Body, Endpoint, Gives
from oncue.web.once import once_key
from oncue.web.workflows import current_workflow

MAX_WAIT_MS = 60_000
_OCCASION = Body("Occasion", {"input": {"email": "ada@example.com"}}, is_required=False)


class Runs:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                "POST /workflows/{id}/execute",
                self.execute,
                "write",
                Gives(
                    "Begun",
                    202,
                    also={
                        200: "The finished execution, with `wait`.",
                        409: "The `Idempotency-Key` came with another request.",
                        429: "",
                    },
                ),
                body=_OCCASION,
                query=("wait",),
            ),
            Endpoint(
                "POST /workflows/{id}/plan",
                self.plan,
                "read",
                Gives("ForeseenExecution"),
                body=_OCCASION,
            ),
            Endpoint(
                "POST /workflows/{id}/test-step",
                self.test_step,
                "write",
                Gives("Tried"),
                body=Body("object", {"step": "welcome", "input": {"email": "ada@example.com"}}),
            ),
        ]

    async def execute(self, request: Request) -> Response:
        """Begin an execution by hand; with `?wait=10s` answer with its end."""
        account = await self._context.gate.account(request, "write")
        body = await read_optional_json(request, self._context.limits.document_bytes)
        waited_ms = wait_ms(request.query_params.get("wait"))
        workflow = await current_workflow(self._context, account, request)
        key = once_key(request)
        engine = self._context.engine
        execution_id = await engine.execute(account, workflow, body, key)
        if waited_ms:
            stored = await engine.finished(account, execution_id, waited_ms)
            if stored.state.final:
                new = stored.new
                plan = await engine.definitions.plan(account, new.workflow_id, new.version)
                return answer(render.execution(stored, plan))
        location = {"Location": f"/executions/{execution_id}"}
        return answer({"execution_id": execution_id, "status": "pending"}, 202, location)

    async def plan(self, request: Request) -> Response:
        """Return what an execution would do if its calls went well; nothing is sent."""
        account = await self._context.gate.account(request, "read")
        body = await read_optional_json(request, self._context.limits.document_bytes)
        workflow = await current_workflow(self._context, account, request)
        foreseen = await self._context.engine.rehearsals.plan(account, workflow, body)
        return answer(render.foreseen(foreseen))

    async def test_step(self, request: Request) -> Response:
        """Carry out one step for real, outside of any execution."""
        account = await self._context.gate.account(request, "write")
        body = await read_json(request, self._context.limits.document_bytes)
        workflow = await current_workflow(self._context, account, request)
        tried = await self._context.engine.rehearsals.step(account, workflow, body)
        shown = render.rehearsal(tried.rehearsal, tried.duration_ms)
        return answer({"input": tried.input, **shown})


def wait_ms(text: str | None) -> int:
    """
    Return how long somebody wants to wait, at most a minute.

    Raises:
        InvalidInput: not a duration.
    """
    if text is None:
        return 0
    try:
        return min(parse_duration(text), MAX_WAIT_MS)
    except ValueError as exc:
        raise InvalidInput([Problem("wait", str(exc))]) from exc

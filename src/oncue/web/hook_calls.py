"""Where others post: no key opens it, but what the hook's scheme asks for."""

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.hook.request import HookRequest
from oncue.core.hook.schemes import Scheme
from oncue.core.hook.vendors import is_interactive
from oncue.core.json_text import Json
from oncue.core.workflow.state import Status
from oncue.ports import StoredExecution
from oncue.web.answers import answer
from oncue.web.body import read_bytes
from oncue.web.context import Context
from oncue.web.endpoint import JSON_TYPE, OPEN, Body, Endpoint, Gives
from oncue.web.events import shown_receipt
from oncue.web.problems import problem
from oncue.web.runs import wait_ms

_TWIML = "text/xml"
# Twilio takes nothing else for an answer: this one says nothing.
_SILENCE = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
_TAKEN = (JSON_TYPE, "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


class HookCalls:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = context.engine.hooks
        self._receiver = context.engine.hook_receiver

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        body = Body("Anything", {"order": 42}, _TAKEN, is_required=False)
        also = {
            200: "The output of the execution that it began, with `wait`.",
            401: "Its sender is not known.",
            429: "",
            502: "With `wait`: the execution failed.",
        }
        path = "/hooks/{account}/{hook_id}"
        return [
            Endpoint(
                f"POST {place}",
                self.post,
                OPEN,
                Gives("Receipt", 202, also=also),
                body=body,
                query=("wait",),
            )
            for place in (path, f"{path}/{{token}}")
        ]

    async def post(self, request: Request) -> Response:
        """Accept a webhook as an event; with `?wait=10s` answer with what came of it."""
        account, hook_id = request.path_params["account"], request.path_params["hook_id"]
        hook = await self._receiver.find(account, hook_id)
        waited_ms = wait_ms(request.query_params.get("wait"))
        body = await read_bytes(request, self._context.limits.event_bytes)
        asked = self._asked(request, body)
        received = await self._receiver.receive(account, hook, asked)
        if received.challenge is not None:
            return answer({"challenge": received.challenge})
        assert received.receipt
        scheme = self._book.parsed(account, hook).definition.scheme
        shown: dict[str, Json] = shown_receipt(received.receipt)
        if waited_ms:
            outcomes = self._context.engine.hook_outcomes
            begun = await outcomes.of(account, hook, received.receipt.offset, waited_ms)
            if begun and begun.state.final:
                return _finished(scheme, begun)
            if begun:
                shown["execution_id"] = begun.new.start.execution_id
        if scheme is Scheme.TWILIO:
            return Response(_SILENCE, 202, media_type=_TWIML)
        if is_interactive(scheme, asked):
            return Response(status_code=200)
        return answer(shown, 202)

    def _asked(self, request: Request, body: bytes) -> HookRequest:
        raw = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        url = f"{self._context.world.callbacks.public_url.rstrip('/')}{raw}"
        return HookRequest(
            url=f"{url}?{query}" if query else url,
            headers=dict(request.headers),
            query=dict(request.query_params),
            body=body,
            token=request.path_params.get("token", ""),
        )


def _finished(scheme: Scheme, execution: StoredExecution) -> Response:
    """Answer with what came of a webhook; a stranger is not told what went wrong inside."""
    id_, state = execution.new.start.execution_id, execution.state
    if state.status is not Status.COMPLETED:
        return problem(502, "Execution failed", f"execution {id_} is {state.status.value}")
    if scheme is Scheme.TWILIO and isinstance(state.output, str):
        return Response(state.output, media_type=_TWIML)
    return answer(state.output)

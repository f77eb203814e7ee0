"""Where others post: no key opens it, but what the hook's scheme asks for."""

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.hook.request import HookRequest
from oncue.core.hook.schemes import Scheme
from oncue.core.hook.vendors import is_interactive
from oncue.core.json_text import Json
from oncue.engine.hook_receiver import Received
from oncue.web.answers import answer
from oncue.web.body import read_bytes
from oncue.web.context import Context
from oncue.web.endpoint import JSON_TYPE, OPEN, Body, Endpoint, Gives
from oncue.web.events import shown_receipt

# Twilio takes nothing else for an answer: this one says nothing.
_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
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
        also = {200: "Where its sender wants that.", 401: "Its sender is not known.", 429: ""}
        path = "/hooks/{account}/{hook_id}"
        return [
            Endpoint(
                f"POST {place}",
                self.post,
                OPEN,
                Gives("Receipt", 202, also=also),
                body=body,
            )
            for place in (path, f"{path}/{{token}}")
        ]

    async def post(self, request: Request) -> Response:
        """Accept a webhook as an event; it is durable when this answers."""
        account, hook_id = request.path_params["account"], request.path_params["hook_id"]
        hook = await self._receiver.find(account, hook_id)
        body = await read_bytes(request, self._context.limits.event_bytes)
        asked = self._asked(request, body)
        received = await self._receiver.receive(account, hook, asked)
        if received.challenge is not None:
            return answer({"challenge": received.challenge})
        return self._receipt(account, received, asked)

    def _receipt(self, account: str, received: Received, asked: HookRequest) -> Response:
        assert received.receipt
        scheme = self._book.parsed(account, received.hook).definition.scheme
        if scheme is Scheme.TWILIO:
            return Response(_TWIML, 202, media_type="text/xml")
        if is_interactive(scheme, asked):
            return Response(status_code=200)
        shown: Json = shown_receipt(received.receipt)
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

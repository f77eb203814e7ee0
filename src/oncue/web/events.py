"""`/events`."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oncue.core.json_text import Json
from oncue.ports import Receipt
from oncue.web.answers import answer
from oncue.web.body import read_json
from oncue.web.context import Context


class Events:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/events", self.post, methods=["POST"])]

    async def post(self, request: Request) -> Response:
        """Accept one event; it is durable when this answers."""
        account = await self._context.gate.account(request, "events:write")
        value = await read_json(request, self._context.limits.event_bytes)
        receipt = await self._context.engine.ingest.accept(account, value)
        return answer(_receipt(receipt), 202)


def _receipt(receipt: Receipt) -> dict[str, Json]:
    shown: dict[str, Json] = {
        "id": receipt.id,
        "status": "duplicate" if receipt.is_duplicate else "accepted",
        "offset": receipt.offset,
    }
    if receipt.is_conflict:
        shown["conflict"] = True
    return shown

"""`/events`."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.cloudevents import BATCH, STRUCTURED
from oncue.core.errors import InvalidInput, Problem
from oncue.core.event import EventFilter
from oncue.core.globs import check_glob
from oncue.core.json_text import Json
from oncue.engine.explanations import Explanation
from oncue.ports import Receipt
from oncue.web import render
from oncue.web.answers import answer, answer_page
from oncue.web.context import Context
from oncue.web.cursor import Page, instant
from oncue.web.endpoint import JSON_TYPE, Body, Endpoint, Gives
from oncue.web.event_body import EventBody, read_batch, read_event
from oncue.web.event_lookup import MAX_DIGITS, find_event
from oncue.web.event_schema import completion, event_schema
from oncue.web.event_stream import stream

EXAMPLE: Json = {
    "type": "user.signup",
    "subject": "user-42",
    "data": {"email": "ada@example.com", "plan": "enterprise"},
}


class Events:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._completion: dict[str, list[Json]] | None = None

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                "POST /events",
                self.post,
                "events:write",
                Gives("Receipt", 202, also={429: ""}),
                body=Body("NewEvent", EXAMPLE, (JSON_TYPE, STRUCTURED, BATCH)),
            ),
            Endpoint(
                "GET /events",
                self.list,
                "read",
                Gives("Event[]"),
                query=("type", "source", "subject", "from", "to", "limit", "cursor"),
            ),
            Endpoint(
                "POST /events/batch",
                self.post_batch,
                "events:write",
                Gives("BatchReceipt", 202, also={429: ""}),
                body=Body("NewEvents", [EXAMPLE], (JSON_TYPE, BATCH)),
            ),
            Endpoint(
                "GET /events/stream",
                self.stream,
                "read",
                Gives("Event", media_type="text/event-stream"),
                query=("type", "source", "subject", "after"),
            ),
            Endpoint("GET /events/schema", self.schema, "read", Gives("EventSchema")),
            Endpoint("GET /events/completion", self.completion, "read", Gives("Completion")),
            Endpoint(
                "GET /events/{id:path}",
                self.get,
                "read",
                Gives("EventWithDispositions"),
                query=("source",),
            ),
        ]

    async def post(self, request: Request) -> Response:
        """Accept one event; it is durable when this answers."""
        account = await self._context.gate.account(request, "events:write")
        body = await read_event(request, self._context.limits)
        if body.is_batch:
            return await self._accept_all(account, body)
        ingest = self._context.engine.ingest
        return answer(shown_receipt(await ingest.accept(account, body.values[0], body.parse)), 202)

    async def post_batch(self, request: Request) -> Response:
        """Accept all events of a list, or none."""
        account = await self._context.gate.account(request, "events:write")
        return await self._accept_all(account, await read_batch(request, self._context.limits))

    async def list(self, request: Request) -> Response:
        """Return events, newest first."""
        account = await self._context.gate.account(request, "read")
        wanted = _filter(request, spans=True)
        page = Page.of(request)
        before = page.before[0] if page.before else None
        rows = await self._context.world.log.past.events(account, wanted, page.limit + 1, before)
        return answer_page(rows, page, render.event, lambda row: (row.offset, ""))

    async def schema(self, request: Request) -> Response:
        """Return the types of the newest events, the fields of each, and its newest `data`."""
        account = await self._context.gate.account(request, "read")
        return answer(await event_schema(self._context.world.questions, account))

    async def completion(self, request: Request) -> Response:
        """Return what an editor of SQL may offer: columns, functions and keywords."""
        account = await self._context.gate.account(request, "read")
        if self._completion is None:
            self._completion = await completion(self._context.world.questions, account)
        return answer(self._completion)

    async def get(self, request: Request) -> Response:
        """Return one event, by id or by `@offset`, and what each pattern did with it."""
        account = await self._context.gate.account(request, "read")
        past, source = self._context.world.log.past, request.query_params.get("source")
        event = await find_event(past, account, request.path_params["id"], source)
        found = await self._context.engine.explanations.of(account, event)
        return answer({**render.event(event), "dispositions": [_disposition(one) for one in found]})

    async def stream(self, request: Request) -> Response:
        """Follow the log: Server-Sent Events, whose ids are offsets."""
        account = await self._context.gate.account(request, "read")
        return stream(self._context, account, _filter(request, spans=False), _resumed(request))

    async def _accept_all(self, account: str, body: EventBody) -> Response:
        receipts = await self._context.engine.ingest.accept_all(account, body.values, body.parse)
        return answer(_receipts(receipts), 202)


def shown_receipt(receipt: Receipt) -> dict[str, Json]:
    """Return what became of an event."""
    shown: dict[str, Json] = {
        "id": receipt.id,
        "status": "duplicate" if receipt.is_duplicate else "accepted",
        "offset": receipt.offset,
    }
    if receipt.is_conflict:
        shown["conflict"] = True
    return shown


def _receipts(receipts: Sequence[Receipt]) -> dict[str, Json]:
    duplicates = sum(receipt.is_duplicate for receipt in receipts)
    return {
        "accepted": len(receipts) - duplicates,
        "duplicates": duplicates,
        "events": [shown_receipt(receipt) for receipt in receipts],
    }


def _disposition(explanation: Explanation) -> dict[str, Json]:
    return {
        "pattern": explanation.pattern.name,
        "pattern_id": explanation.pattern.id,
        "version": explanation.pattern.version,
        **render.explanation(explanation),
    }


def _filter(request: Request, *, spans: bool) -> EventFilter:
    given = request.query_params
    problems: list[Problem] = []
    event_type = given.get("type")
    if event_type is not None:
        try:
            check_glob(event_type)
        except ValueError as exc:
            problems.append(Problem("type", str(exc)))
    names = ("from", "to") if spans else ()
    bounds = {name: instant(request, name, problems) for name in names}
    if problems:
        raise InvalidInput(problems)
    return EventFilter(
        type=event_type,
        source=given.get("source"),
        subject=given.get("subject"),
        from_ms=bounds.get("from"),
        to_ms=bounds.get("to"),
    )


def _resumed(request: Request) -> int | None:
    """Return the offset after which a reader goes on; None: from now on."""
    text = request.headers.get("last-event-id") or request.query_params.get("after")
    if text is None:
        return None
    if text.isdecimal() and text.isascii() and len(text) < MAX_DIGITS:
        return int(text)
    raise InvalidInput([Problem("Last-Event-ID", f"expected an offset, got {text!r}")])

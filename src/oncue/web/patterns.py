"""`/patterns`."""

from collections.abc import Mapping
from operator import attrgetter

from starlette.requests import Request
from starlette.responses import Response

from oncue.core.dead_letters import Queue
from oncue.core.errors import InvalidInput, Problem
from oncue.core.instants import format_instant, format_instant_if_any
from oncue.core.json_text import Json
from oncue.core.merge_patch import merge_patch
from oncue.core.pattern.definition import Pattern
from oncue.core.pattern.match import expanded
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.polled.poll import MAX_ROWS
from oncue.core.pattern.templates import TEMPLATES
from oncue.core.pattern.watch import NO_STATS
from oncue.engine.poll_answers import MAX_BYTES
from oncue.ports import LetterFilter, MatchRow, PatternVersion, Pause
from oncue.web import render
from oncue.web.answers import answer, answer_page, answer_version
from oncue.web.body import JSON, PATCH, YAML, read_document, read_patch
from oncue.web.conditional import check_version
from oncue.web.context import Context
from oncue.web.cursor import Page
from oncue.web.endpoint import CHANGED, ONCE, PAGE, Body, Endpoint, Gives
from oncue.web.event_lookup import find_event

MAX_FAILURES = 10
"""How many of its newest failures a pattern is shown with."""
EXAMPLE: Json = {
    "name": "large-orders",
    "pattern": {"type": "event", "event": "order.paid", "where": "event.data.amount > 1000"},
}


class PatternRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._patterns = context.world.patterns
        self._definitions = context.engine.patterns

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                "GET /patterns",
                self.list,
                "read",
                Gives("SavedPattern[]"),
                query=PAGE,
            ),
            Endpoint(
                "POST /patterns",
                self.post,
                "write",
                Gives(
                    "SavedPattern",
                    201,
                    also=ONCE,
                ),
                body=Body(Pattern, EXAMPLE, (*JSON, *YAML)),
            ),
            Endpoint("GET /patterns/templates", self.templates, "read", Gives("Template[]")),
            Endpoint("GET /patterns/{id}", self.get, "read", Gives("SavedPattern")),
            Endpoint(
                "PATCH /patterns/{id}",
                self.patch,
                "write",
                Gives("SavedPattern", also=CHANGED),
                body=Body("object", {"enabled": False}, PATCH),
            ),
            Endpoint(
                "DELETE /patterns/{id}",
                self.delete,
                "write",
                Gives(None, 204, also=CHANGED),
            ),
            Endpoint(
                "POST /patterns/{id}/resume",
                self.resume,
                "write",
                Gives("SavedPattern", also={409: "It is not paused."}),
            ),
            Endpoint(
                "GET /patterns/{id}/matches",
                self.matches,
                "read",
                Gives("Match[]"),
                query=PAGE,
            ),
            Endpoint(
                "GET /patterns/{id}/explain",
                self.explain,
                "read",
                Gives("Explanation"),
                query=("event", "source"),
            ),
        ]

    async def list(self, request: Request) -> Response:
        """Return the patterns, newest first."""
        account = await self._context.gate.account(request, "read")
        page = Page.of(request)
        rows = await self._patterns.all(account, page.limit + 1, page.before)
        shown = {row.id: await _shown(self._context, account, row) for row in rows[: page.limit]}
        return answer_page(rows, page, lambda row: shown[row.id])

    async def post(self, request: Request) -> Response:
        """Save a pattern; it sees every event that is accepted after this answer."""
        account = await self._context.gate.account(request, "write")
        document = await read_document(request, self._context.limits.document_bytes)

        async def create() -> Response:
            pattern = await self._definitions.create(account, document)
            return await self._answer(account, pattern, 201)

        return await self._context.once.answer(account, request, document, create)

    async def templates(self, request: Request) -> Response:
        """Return patterns to begin with."""
        await self._context.gate.account(request, "read")
        return answer({"data": TEMPLATES, "next_cursor": None})

    async def get(self, request: Request) -> Response:
        """Return the current version of a pattern."""
        account = await self._context.gate.account(request, "read")
        return await self._answer(account, await self._current(account, request))

    async def patch(self, request: Request) -> Response:
        """Save the next version of a pattern: what the patch (RFC 7396) makes of the current one."""
        account = await self._context.gate.account(request, "write")
        patch = await read_patch(request, self._context.limits.document_bytes)
        current = await self._current(account, request)
        check_version(request, current.version)
        document = merge_patch(current.document, patch)
        changed = await self._definitions.change(account, current, document)
        return await self._answer(account, changed)

    async def delete(self, request: Request) -> Response:
        """Let go of a pattern; its matches stay."""
        account = await self._context.gate.account(request, "write")
        current = await self._current(account, request)
        check_version(request, current.version)
        await self._definitions.delete(account, current)
        return Response(status_code=204)

    async def resume(self, request: Request) -> Response:
        """Let a pattern go on that was paused for failing; it begins with empty state."""
        account = await self._context.gate.account(request, "write")
        current = await self._current(account, request)
        return await self._answer(
            account, await self._context.engine.pauses.resume(account, current)
        )

    async def matches(self, request: Request) -> Response:
        """Return the matches of a pattern, newest first."""
        account = await self._context.gate.account(request, "read")
        current = await self._current(account, request)
        page = Page.of(request)
        matches = self._context.world.history.matches
        rows = await matches(account, current.id, page.limit + 1, page.before)
        return answer_page(rows, page, _match, attrgetter("detected_at_ms", "id"))

    async def explain(self, request: Request) -> Response:
        """Return why a pattern did or did not match on an event."""
        account = await self._context.gate.account(request, "read")
        current = await self._current(account, request)
        reference = request.query_params.get("event")
        if reference is None:
            raise InvalidInput(
                [Problem("event", "expected the id of an event, or '@' and its offset")]
            )
        source = request.query_params.get("source")
        event = await find_event(self._context.world.log.past, account, reference, source)
        pattern = await self._context.engine.active_patterns.then(account, current.id, event.offset)
        explanation = await self._context.engine.explanations.by(account, pattern, event)
        shown = render.explanation(explanation)
        return answer({"pattern": current.name, "event": render.event(event), **shown})

    async def _current(self, account: str, request: Request) -> PatternVersion:
        return await self._patterns.current(account, request.path_params["id"])

    async def _answer(self, account: str, pattern: PatternVersion, status: int = 200) -> Response:
        shown = await _shown(self._context, account, pattern)
        return answer_version(shown, pattern.version, f"/patterns/{pattern.id}", status)


async def _shown(context: Context, account: str, pattern: PatternVersion) -> dict[str, Json]:
    count, last_ms = await context.world.history.match_counts(account, pattern.id)
    matching = context.engine.matching
    watch = matching.watch(account, pattern.id)
    ready = context.engine.active_patterns.ready(account, pattern)
    pause = await context.engine.pauses.of(account, pattern)
    failed = LetterFilter(Queue.EVENTS, pattern=pattern.id)
    failures = await context.world.letters.all(account, failed, MAX_FAILURES)
    stats = watch.stats() if watch else NO_STATS
    return {
        "id": pattern.id,
        **pattern.document,
        "enabled": pattern.is_active,
        "paused": None if pause is None else _paused(pause),
        "version": pattern.version,
        "state_version": pattern.state_version,
        "owned_by": pattern.owner_id,
        "cost_class": cost_class(ready),
        "warnings": [
            *({"path": w.path, "message": w.message} for w in ready.plan.looking.warnings),
            *_cut_off(stats),
        ],
        "created_at": format_instant(pattern.created_at_ms),
        "updated_at": format_instant(pattern.updated_at_ms),
        "stats": {
            "matches": count,
            "last_match_at": format_instant_if_any(last_ms),
            "where_errors": matching.where_errors(account, pattern.id),
            **stats,
            **_next_poll(context, account, ready),
            "failures": [
                {
                    "offset": f.event.offset if f.event else None,
                    "reason": f.error,
                    "dead_letter": f.id,
                }
                for f in failures
            ],
        },
    }


def _next_poll(context: Context, account: str, pattern: ActivePattern) -> dict[str, Json]:
    if pattern.plan.looking.poll is None:
        return {}
    next_ms = context.engine.polling.next_ms(account, pattern.id)
    return {"next_poll_at": format_instant_if_any(next_ms)}


def _cut_off(stats: Mapping[str, Json]) -> list[Json]:
    """Return the warning that there were more rows than are read."""
    match stats.get("poll"):
        case {"truncated": True, "rows": int(rows)}:
            message = (
                f"expected at most {MAX_ROWS} rows and {MAX_BYTES} bytes of them, got more: "
                f"the last poll read {rows}, and what is beyond makes no match"
            )
            return [{"path": "pattern.query", "message": message}]
        case _:
            return []


def _paused(pause: Pause) -> dict[str, Json]:
    return {"since": format_instant(pause.at_ms), "reason": pause.reason}


def cost_class(pattern: ActivePattern) -> str:
    """Return whether an index finds a pattern, or each event of its types is compared with it."""
    classes = {selection.cost_class for selection in pattern.plan.looking.selections}
    return "scan" if "scan" in classes else "indexed"


def _match(row: MatchRow) -> dict[str, Json]:
    return {**expanded(row.body), "outcome": row.outcome}

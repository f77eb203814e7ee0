"""`POST /patterns/test`: what a pattern would have matched."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from oncue.core.documents import Document, DurationMs, InstantMs
from oncue.core.errors import InvalidInput, Problem
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Wanted
from oncue.core.pattern.match import Match, expanded
from oncue.core.pattern.plan import ActivePattern
from oncue.core.problems import problems_of
from oncue.engine.backtests import Result, Stored, over_given
from oncue.engine.given_events import given_events
from oncue.engine.poll_trials import problems_with
from oncue.ports import PatternVersion
from oncue.web.answers import answer
from oncue.web.body import JSON, YAML, read_document
from oncue.web.context import Context
from oncue.web.endpoint import Body, Endpoint, Gives
from oncue.web.sse import event_stream, message

MAX_GIVEN_EVENTS: Final = 10_000
# Above every instant that an event can have.
_NO_END: Final = 2**52
EXAMPLE: Json = {
    "pattern": {"type": "event", "event": "order.paid", "where": "event.data.amount > 1000"},
    "events": [{"type": "order.paid", "data": {"amount": 1200}}],
}


def _bounded(events: list[Any]) -> list[Any]:
    if len(events) > MAX_GIVEN_EVENTS:
        raise ValueError(f"expected at most {MAX_GIVEN_EVENTS} events, got {len(events)}")
    return events


class BacktestRequest(Document):
    """Which pattern, over which events."""

    pattern: dict[str, Json] = Field(description="A pattern as in `pattern` of a document.")
    events: Annotated[list[Any], AfterValidator(_bounded)] | None = Field(
        default=None, description="Events to look at instead of those of the log."
    )
    from_: InstantMs | None = Field(default=None, alias="from", description="In event time.")
    to: InstantMs | None = Field(
        default=None, description="In event time; without it there is no end."
    )
    until: InstantMs | None = Field(
        default=None,
        description="How far the clock runs on after the last event: by default to `to`, else until all "
        "timers of given events have fired, or over the log to now.",
    )
    warm_up: DurationMs | None = Field(
        default=None, description="How long before `from` the state begins."
    )
    compare_to: str | None = Field(
        default=None, description="Name or id of a pattern to hold the matches against."
    )
    limit: int = Field(default=1_000, ge=0, le=10_000, description="Matches to answer with.")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that can be answered: the pattern, and what it is held against."""

    request: BacktestRequest
    document: Json
    pattern: ActivePattern
    live: PatternVersion | None

    @property
    def patterns(self) -> list[ActivePattern]:
        others = [parse_pattern(self.live.document).named("live", 1, 1, None)] if self.live else []
        return [self.pattern, *others]

    @property
    def documents(self) -> list[Json]:
        return [self.document, *([self.live.document] if self.live else [])]


class BacktestRoutes:
    """The handlers; each is one route."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                "POST /patterns/test",
                self.test,
                "write",
                Gives("BacktestResult"),
                body=Body(BacktestRequest, EXAMPLE, (*JSON, *YAML)),
            )
        ]

    async def test(self, request: Request) -> Response:
        """
        Return what a pattern would have matched; nothing is started.

        With `Accept: text/event-stream` the answer tells how far it is: messages
        `progress`, and at the end one `result`. Who closes the connection ends it.
        """
        account = await self._context.gate.account(request, "write")
        body = await read_document(request, self._context.limits.document_bytes)
        asked = await self._asked(account, body)
        if asked.request.events is not None:
            return answer(_shown(asked, await self._over_given(asked)))
        steps = self._over_log(account, asked)
        if "text/event-stream" in request.headers.get("accept", ""):
            return event_stream(_told(asked, steps, self._context.world.log.head(account)))
        async for step in steps:
            if isinstance(step, Result):
                return answer(_shown(asked, step))
        raise AssertionError("a backtest ends with its result")

    async def _asked(self, account: str, body: Json) -> _Asked:
        try:
            request = BacktestRequest.model_validate(body)
        except ValidationError as exc:
            names = [field.alias or name for name, field in BacktestRequest.model_fields.items()]
            raise InvalidInput(problems_of(exc, body, names=names)) from exc
        if request.from_ is not None and request.to is not None and request.from_ >= request.to:
            raise InvalidInput([Problem("to", "expected an instant after 'from'")])
        inner = request.pattern.get("pattern", request.pattern)
        document: Json = {"name": "backtest", "pattern": inner}
        live = None
        if request.compare_to is not None:
            live = await self._context.world.patterns.current(account, request.compare_to)
        pattern = parse_pattern(document).named("backtest", 1, 1, None)
        if poll := pattern.plan.looking.poll:
            questions = self._context.world.questions
            if problems := await problems_with(questions, account, poll, "pattern"):
                raise InvalidInput(problems)
        return _Asked(request, document, pattern, live)

    async def _over_given(self, asked: _Asked) -> Result:
        request = asked.request
        assert request.events is not None
        events = given_events(request.events, self._context.world.clock.now_ms(), "events")
        lead_ms = max(pattern.plan.looking.lead_ms for pattern in asked.patterns)
        return await over_given(
            asked.patterns,
            events,
            began_ms=_begin(events, request.from_) - lead_ms,
            until_ms=request.until if request.until is not None else request.to,
            limit=request.limit,
            wanted=Wanted(request.from_, request.to),
        )

    def _over_log(self, account: str, asked: _Asked) -> AsyncIterator[Result | int]:
        request, now = asked.request, self._context.world.clock.now_ms()
        until_ms = request.to if request.until is None else request.until
        reach_ms = max(pattern.plan.looking.reach_ms for pattern in asked.patterns)
        stored = Stored(
            from_ms=request.from_ or 0,
            to_ms=_NO_END if request.to is None else request.to,
            until_ms=now if until_ms is None else until_ms,
            warm_up_ms=reach_ms if request.warm_up is None else request.warm_up,
        )
        return self._context.engine.backtests.over_log(
            account, asked.patterns, asked.documents, stored, request.limit
        )


def _begin(events: Sequence[Event], from_ms: int | None) -> int:
    """Return when a pattern began that is asked about `from_ms` and sees all of some events."""
    instants = [min(event.time_ms, event.received_at_ms) for event in events[:1]]
    if from_ms is not None:
        instants.append(from_ms)
    return min(instants, default=0)


async def _told(
    asked: _Asked, steps: AsyncIterator[Result | int], total: int
) -> AsyncIterator[bytes]:
    async for step in steps:
        if isinstance(step, Result):
            yield message("result", total, _shown(asked, step))
        else:
            yield message("progress", step, {"scanned": step, "total": total})


def _shown(asked: _Asked, result: Result) -> dict[str, Json]:
    matches = [_match(match) for match in result.matches[0]]
    shown: dict[str, Json] = {
        "match_count": result.counts[0],
        "matches": matches,
        "events_scanned": result.scanned,
        "truncated": result.counts[0] > len(matches),
        "failures": result.failures,
        "left_out": {**result.left_out[0]},
        "warnings": _warnings(asked.pattern),
    }
    if asked.live:
        shown["comparison"] = _compared(asked.live, result)
    return shown


def _warnings(pattern: ActivePattern) -> list[Json]:
    looking = pattern.plan.looking
    found: list[Json] = [{"path": one.path, "message": one.message} for one in looking.warnings]
    if looking.poll:
        told = "asks nothing here: only polls that the events tell of (query.polled) make matches"
        found.append({"path": "pattern.every", "message": told})
    return found


def _match(match: Match) -> dict[str, Json]:
    return {**expanded(match.view()), "outcome": None}


def _compared(live: PatternVersion, result: Result) -> dict[str, Json]:
    """Return which matches the live version lacks, and which only that has."""
    return {
        "pattern": live.name,
        "version": live.version,
        "match_count": result.counts[1],
        "left_out": {**result.left_out[1]},
        "same": result.same,
        "gained": [_match(match) for match in result.gained],
        "lost": [_match(match) for match in result.lost],
    }

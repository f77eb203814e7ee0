"""
A query that is asked every so often, and the event that tells what came of it.

    due ─▶ the query, up to an offset ─▶ one event in the log ─▶ new rows are matches

The event holds the rows, or why there are none. From it follow the identities that were seen
and the next instant: so these commit together, and what is replayed asks nothing again. Its id
comes of the query and the occasion alone, so that the log refuses a second one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal

from oncue.core.event import OWN_SOURCE, Event, IncomingEvent
from oncue.core.ids import derived_id
from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.own_events import QUERY_FAILED, QUERY_POLLED

MAX_ROWS: Final = 1_000
_MAX_ERROR: Final = 4_096
Forget = Literal["on_absence", "never"]


@dataclass(frozen=True, slots=True, order=True)
class Occasion:
    """
    Why a query is asked: an instant at which it was due, or a pattern that began after it.

    `begin` is the offset at which the youngest of those that ask it began.
    """

    tick_ms: int
    begin: int


@dataclass(frozen=True, slots=True)
class Poll:
    """What is asked, how often, and by which columns rows are told apart; by all, if by none."""

    sql: str
    every_ms: int
    identity: tuple[str, ...] = ()
    forget: Forget = "on_absence"
    skips_missed: bool = field(default=False, compare=False)

    @property
    def name(self) -> str:
        """What tells its events from those of others: patterns that ask the same share them."""
        return sha256(f"{self.every_ms} {self.sql}".encode()).hexdigest()[:32]

    def tick_ms(self, now_ms: int) -> int:
        """Return the last instant at which it was due; those are multiples since 1970."""
        return now_ms // self.every_ms * self.every_ms

    def event_id(self, occasion: Occasion) -> str:
        """Return the id of the event that tells what came of an occasion."""
        tick_ms = occasion.tick_ms
        return derived_id("evt", tick_ms, [self.name, tick_ms, occasion.begin])

    def answered(self, occasion: Occasion, offset: int, answer: "Answer") -> IncomingEvent:
        """Return the event that tells what was found, in the events up to an offset."""
        data: dict[str, Json] = {
            "up_to": offset,
            "columns": list(answer.columns),
            "rows": [list(row) for row in answer.rows],
            "truncated": answer.is_truncated,
            "elapsed_ms": answer.elapsed_ms,
        }
        return self._event(QUERY_POLLED, occasion, data)

    def failed(self, occasion: Occasion, failure: "Failure") -> IncomingEvent:
        """Return the event that tells that there was no answer."""
        data: dict[str, Json] = {
            "patterns": list(failure.patterns),
            "error": failure.error[:_MAX_ERROR],
            "failed_in_row": failure.in_row,
            "elapsed_ms": failure.elapsed_ms,
        }
        return self._event(QUERY_FAILED, occasion, data)

    def _event(self, event_type: str, occasion: Occasion, data: dict[str, Json]) -> IncomingEvent:
        return IncomingEvent(
            id=self.event_id(occasion),
            source=OWN_SOURCE,
            type=event_type,
            subject=self.name,
            # That of its arrival: to patterns it is never late.
            time_ms=None,
            data={"query": self.name, "at": format_instant(occasion.tick_ms), **data},
            attributes={},
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows that a poll found; more than `MAX_ROWS` are cut off."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Json]]
    is_truncated: bool
    elapsed_ms: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a poll found nothing, the names of the patterns that asked, and how often in a row it failed."""

    patterns: Sequence[str]
    error: str
    in_row: int
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class LastPoll:
    """What came of a poll: when it was due and over, and the rows, or the error."""

    due_at: str
    over_ms: int
    rows: int
    is_truncated: bool
    elapsed_ms: int
    error: str | None = None
    failed_in_row: int = 0

    def view(self) -> dict[str, Json]:
        """Return it as people see it."""
        return {
            "due_at": self.due_at,
            "at": format_instant(self.over_ms),
            "rows": self.rows,
            "truncated": self.is_truncated,
            "elapsed_ms": self.elapsed_ms,
            "error": self.error,
            "failed_in_row": self.failed_in_row,
        }


def answer_in(data: Json) -> Answer:
    """Return the answer that an event tells."""
    assert isinstance(data, Mapping)
    columns, rows = data["columns"], data["rows"]
    assert isinstance(columns, list)
    assert isinstance(rows, list)
    return Answer([str(name) for name in columns], rows, data["truncated"] is True, _elapsed(data))


def last_in(event: Event) -> LastPoll:
    """Return what came of the poll that an event tells of."""
    data = event.data
    assert isinstance(data, Mapping)
    due_at, over_ms = str(data["at"]), event.received_at_ms
    if event.type == QUERY_FAILED:
        in_row = data["failed_in_row"]
        assert isinstance(in_row, int)
        error = str(data["error"])
        return LastPoll(due_at, over_ms, 0, False, _elapsed(data), error, in_row)
    answer = answer_in(data)
    return LastPoll(due_at, over_ms, len(answer.rows), answer.is_truncated, answer.elapsed_ms)


def _elapsed(data: Mapping[str, Json]) -> int:
    """Return how long a poll took; those of older releases do not tell."""
    elapsed_ms = data.get("elapsed_ms", 0)
    assert isinstance(elapsed_ms, int)
    return elapsed_ms

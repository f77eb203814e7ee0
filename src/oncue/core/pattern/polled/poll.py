"""
A query that is asked every so often, and the event that tells what it gave.

    due ─▶ the query, up to an offset ─▶ one event in the log ─▶ new rows are matches

The event holds the rows, and from them follow the identities that were seen and the next
instant: so these commit together, and what is replayed asks nothing again. Its id comes of
the query and the instant alone, so that the log refuses a second one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from oncue.core.event import OWN_SOURCE, IncomingEvent
from oncue.core.ids import derived_id
from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.own_events import QUERY_POLLED

MAX_ROWS: Final = 1_000
Forget = Literal["on_absence", "never"]


@dataclass(frozen=True, slots=True)
class Poll:
    """What is asked, how often, and by which columns rows are told apart; by all, if by none."""

    sql: str
    every_ms: int
    identity: tuple[str, ...] = ()
    forget: Forget = "on_absence"

    @property
    def name(self) -> str:
        """What tells its events from those of others: patterns that ask the same share them."""
        return sha256(f"{self.every_ms} {self.sql}".encode()).hexdigest()[:32]

    def tick_ms(self, now_ms: int) -> int:
        """Return the last instant at which it was due; those are multiples since 1970."""
        return now_ms // self.every_ms * self.every_ms

    def event_id(self, tick_ms: int) -> str:
        """Return the id of the event of an instant."""
        return derived_id("evt", tick_ms, [self.name, tick_ms])

    def event(self, tick_ms: int, offset: int, answer: "Answer") -> IncomingEvent:
        """Return the event that tells what was found, in the events up to an offset."""
        data: dict[str, Json] = {
            "query": self.name,
            "at": format_instant(tick_ms),
            "up_to": offset,
            "columns": list(answer.columns),
            "rows": [list(row) for row in answer.rows],
            "truncated": answer.is_truncated,
        }
        return IncomingEvent(
            id=self.event_id(tick_ms),
            source=OWN_SOURCE,
            type=QUERY_POLLED,
            subject=self.name,
            # That of its arrival: to patterns it is never late.
            time_ms=None,
            data=data,
            attributes={},
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows that a poll found; more than `MAX_ROWS` are cut off."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Json]]
    is_truncated: bool


def answer_in(data: Json) -> Answer:
    """Return the answer that an event tells."""
    assert isinstance(data, Mapping)
    columns, rows = data["columns"], data["rows"]
    assert isinstance(columns, list)
    assert isinstance(rows, list)
    return Answer([str(name) for name in columns], rows, data["truncated"] is True)

"""A row that a match gives, as other SELECTs read it."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.rows.row import Row

Place: TypeAlias = tuple[int, int]
"""The time and the offset of an event."""


class MatchRow(Event, frozen=True):
    """
    A row of a match in place of an event: its time is that of the match.

    `cells` are its columns, `evidence` the events that it is of.
    """

    cells: tuple[Json, ...]
    evidence: tuple[Place, ...]


def match_row(time_ms: int, rows: Sequence[Row], cells: tuple[Json, ...]) -> MatchRow:
    """Return a row of a match that is at an instant, of events in their order."""
    return MatchRow(
        offset=rows[-1].offset,
        received_at_ms=time_ms,
        id="",
        source="",
        type="",
        subject=None,
        time_ms=time_ms,
        data=None,
        attributes={},
        cells=cells,
        evidence=tuple((row.time_ms, row.offset) for row in rows),
    )


def cell(place: int) -> Callable[[Event], Json]:
    """Return what gives a column of such a row."""

    def of(event: Event) -> Json:
        assert isinstance(event, MatchRow)
        return event.cells[place]

    return of


def evidence(event: Event) -> Sequence[Place]:
    """Return the events that such a row is of."""
    assert isinstance(event, MatchRow)
    return event.evidence

"""
SELECT … GROUP BY over windows: each window of a key is a row when it is over.

    event ─▶ windows that close ─▶ aggregates ─▶ HAVING ─▶ outer SELECTs ─▶ hits

Windows that began before the pattern did make no row, since it did not see all of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

import msgspec

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.operator import BEGUN, Arrival, Hit, Kind, Operator
from oncue.core.pattern.select.aggregates import Several
from oncue.core.pattern.select.begun import Begun
from oncue.core.pattern.select.columns import Projection, Values
from oncue.core.pattern.select.grouping import Group, Measured
from oncue.core.pattern.select.outer import Outers
from oncue.core.pattern.threshold.accumulators import Accumulator
from oncue.core.pattern.threshold.closing import Closing, ClosingWindows, Row
from oncue.core.pattern.threshold.grids import Span
from oncue.core.pattern.threshold.windows import Window
from oncue.core.sql.columns import Evidence

HOLDS: Final = "holds"
"""In a window that is told again: whether it is still a row."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupedPlan:
    """
    What a grouping statement wants of events, and what it makes of windows.

    `evidence` gives the events that rows stand for, where rows are none themselves.
    """

    closing: Closing
    measures: Sequence[Measured]
    having: Projection[Group]
    outers: Outers
    evidence: Evidence | None = None

    def operator(self) -> Operator:
        """Return an operator that has seen nothing yet."""
        return GroupedOperator(self)

    def sample(self, event: Event) -> Values:
        """Return what the aggregates take of an event."""
        return tuple([measured.of(event) for measured in self.measures])

    def values(self, row: Row) -> Values | None:
        """Return the row of a window; None, if HAVING does not want it."""
        group = _group(row.key, row.span, row.kept)
        return self.having.values(group) if self.having.wants(group) else None

    def wants(self, key: str, window: Window) -> bool:
        """Return whether a window is a row in the end."""
        group = _group(key, window.span, window.kept)
        if not self.having.wants(group):
            return False
        return any(True for _ in self.outers.rows([(self.having.values(group), None)]))

    def shown(self, row: Row) -> dict[str, Json]:
        """Return what people see of a window that is told by itself, whether it is still a row or not."""
        values = self.having.values(_group(row.key, row.span, row.kept))
        for level in self.outers.levels:
            values = level.projection.values(values)
        shown = self.outers.shown(values)
        return {**shown, HOLDS: row.holds} if row.revision else shown


class GroupedOperator(Operator):
    """The windows of all keys."""

    def __init__(self, plan: GroupedPlan) -> None:
        super().__init__()
        self._plan = plan
        self._begun = Begun()
        # What late events may correct is judged anew each time, and told by itself.
        self._amends = plan.closing.allowed_ms > 0
        wanted = plan.wants if self._amends else None
        self._windows = ClosingWindows(replace(plan.closing, wanted=wanted))
        self.counts = self._windows.counts

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Take an event; a hit is the correction of a window that was over."""
        plan, event = self._plan, arrival.event
        events = plan.evidence(event) if plan.evidence else ()
        rows = self._windows.take(arrival, plan.sample(event), events)
        self.last_note = self._windows.last_note
        return list(self._hits(rows)) if rows else ()

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Yield the rows of windows that end, in the order of (end, key), or of their numbers."""
        for _, ending in groupby(self._windows.advance(watermark_ms), key=_end):
            yield from self._hits(ending)

    def deadline(self) -> int | None:
        """Return the earliest watermark at which something is due."""
        return self._windows.deadline()

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:  # noqa: ARG002 see Operator
        """Begin at an instant; rows come of events alone."""
        self._begun.begin(at_ms)

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return the windows of a key that are open or kept."""
        windows: list[Json] = [
            {
                "start_ms": window.span[0],
                "end_ms": window.span[1],
                "event_count": window.count,
                "is_open": window.is_open,
            }
            for window in self._windows.kept(key)
        ]
        return {"windows": windows} if windows else {}

    def states(self) -> Mapping[str, Keyed[Any]]:
        """Return what is remembered of the keys, and when all began."""
        return {**self._windows.keys.states(), BEGUN: self._begun.keys}

    def restored(self) -> None:
        """Make what is derived from the states."""
        self._windows.restored()

    def _hits(self, rows: Iterable[Row]) -> Iterator[Hit]:
        """Yield the hits of windows that end at the same time."""
        if self._amends:
            seen = (row for row in rows if self._saw(row))
            yield from (_hit(row, self._plan.shown(row)) for row in seen)
            return
        made = ((values, row) for row in rows if (values := self._values(row)) is not None)
        outers = self._plan.outers
        for values, row in outers.rows(made):
            yield _hit(row, outers.shown(values))

    def _saw(self, row: Row) -> bool:
        saw = self._begun.saw_from(row.span[0])
        self.counts["windows_begun_before"] += not saw
        return saw

    def _values(self, row: Row) -> Values | None:
        return self._plan.values(row) if self._saw(row) else None


def _group(key: str, span: Span, kept: Accumulator) -> Group:
    assert isinstance(kept, Several)
    return Group(tuple(msgspec.json.decode(key)) if key else (), span, kept.results())


def _hit(row: Row, values: Mapping[str, Json]) -> Hit:
    return Hit(
        kind=Kind.WINDOW,
        key=row.key,
        time_ms=row.span[1],
        bindings=(("", row.offsets),),
        event_count=row.event_count,
        values=values,
        window=row.span,
        revision=row.revision,
    )


def _end(row: Row) -> int:
    return row.span[1]

"""
A row pattern and windows over its matches, one behind the other.

    events ─▶ row pattern ─▶ matches, at the time of their last row ─▶ windows ─▶ hits
    watermark ─▶ timers       ─▶ not before matches that are undecided ─▶ ends

A match may be decided long after its last row: by the row that breaks it, or when its time has
passed. So the watermark of the windows stays behind what may yet become a match, and no window
is told without one that belongs to it. Where late matches amend windows, nothing waits.

What the windows are told hangs on the log alone: each deadline of the row pattern is taken by
itself, and what was due in windows before it comes first, however far event time went at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oncue.core.event import Event
from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.keys import KeyOf
from oncue.core.pattern.kinds.shared import Limits
from oncue.core.pattern.operator import Arrival, Hit, Note, Operator
from oncue.core.pattern.rows.open_rows import OpenRows
from oncue.core.pattern.rows.operator import RowPlan
from oncue.core.pattern.rows.searcher import Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """
    A row pattern, and the windows of its matches.

    `condition` is what is asked of a match, `key` that of its windows; `waits` says that these
    wait for matches that are not decided.
    """

    rows: RowPlan
    limits: Limits
    condition: Callable[[Event], Json] | None
    key: KeyOf
    windows: Callable[[], Operator]
    waits: bool


class ChainedOperator(Operator):
    """The state of a row pattern, and of the windows of its matches."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self._chain = chain
        self._rows = OpenRows(chain.rows, chain.limits)
        self._windows = chain.windows()
        self.counts = self._rows.counts = self._windows.counts

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Take an event; what it decides may be the last that windows waited for."""
        reached_ms = self._reached(arrival.watermark_ms)
        outcomes = self._rows.take(arrival)
        self.last_note = self._rows.last_note
        hits = [hit for outcome in outcomes for hit in self._admit(outcome, reached_ms)]
        hits += self._windows.advance(self._reached(arrival.watermark_ms))
        return hits

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Yield what is due, deadline by deadline of the row pattern."""
        rows, windows = self._rows, self._windows
        while (due_ms := rows.deadline()) is not None and due_ms <= watermark_ms:
            reached_ms = self._reached(due_ms - 1)
            yield from windows.advance(reached_ms)
            for _, outcome in rows.pass_time(due_ms):
                yield from self._admit(outcome, reached_ms)
        rows.expire(watermark_ms)
        yield from windows.advance(self._reached(watermark_ms))

    def deadline(self) -> int | None:
        """Return the earliest watermark at which something is due."""
        due_ms, window_ms = self._rows.deadline(), self._windows.deadline()
        if window_ms is None or self._reached(window_ms) < window_ms:
            return due_ms
        return window_ms if due_ms is None else min(due_ms, window_ms)

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin at an instant of event time."""
        self._rows.begin(at_ms, keys)
        self._windows.begin(at_ms, keys)

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return what is open of a key of events, and of the windows that have it, if they do."""
        told = {**self._windows.describe(key), **self._rows.describe(key)}
        floor_ms = self._rows.floor_ms if self._chain.waits else None
        return (
            told if floor_ms is None else {**told, "windows_told_until": format_instant(floor_ms)}
        )

    def states(self) -> Mapping[str, Keyed[Any]]:
        """Return what is remembered of both."""
        return {**self._windows.states(), **self._rows.states()}

    def restored(self) -> None:
        """Make what is derived from the states."""
        self._rows.restored()
        self._windows.restored()

    def _reached(self, watermark_ms: int) -> int:
        """Return how far event time has come for the windows."""
        floor_ms = self._rows.floor_ms if self._chain.waits else None
        return watermark_ms if floor_ms is None else min(watermark_ms, floor_ms)

    def _is_refused(self, key: str) -> bool:
        """Return whether windows would have a key of their own that the account has no room for."""
        states = self._windows.states().values()
        return any(keyed.is_full for keyed in states) and not any(key in keyed for keyed in states)

    def _admit(self, outcome: Outcome, reached_ms: int) -> Iterator[Hit]:
        chain = self._chain
        if not (outcome.path or outcome.is_unmatched):
            self.counts["without_value"] += 1
        for row in chain.rows.output.match_rows(outcome):
            if chain.condition is not None and chain.condition(row) is not True:
                continue
            key = chain.key.text(row, {})
            if key is None or self._is_refused(key):
                self.counts["missing_keys" if key is None else "keys_refused"] += 1
                continue
            yield from self._windows.admit(Arrival(key, 1, row, {}, reached_ms))
            self.last_note = self._windows.last_note or Note.COUNTED

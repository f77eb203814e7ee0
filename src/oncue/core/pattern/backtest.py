"""
A pattern over events that were, or are made up: what it would have matched.

The same fold as live matching, without the log's ticks: when the events are at
their end, the clock runs on, and what silence reveals is found.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from oncue.core.pattern.event_time import EventTime
from oncue.core.pattern.matcher import Matcher
from oncue.core.pattern.operator import Hit
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.records import LogRecord, Tick

MAX_TICKS: Final = 100_000
"""How often the clock is moved at the end; a pattern that watches for silence never ends."""


class Found(msgspec.Struct, frozen=True, array_like=True):
    """A match of one of the patterns, and when it would have been detected."""

    pattern: int
    hit: Hit
    number: int | None
    suppressed: int
    detected_at_ms: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which matches count: those whose event time lies in [from_ms, to_ms)."""

    from_ms: int | None = None
    to_ms: int | None = None

    def has(self, time_ms: int) -> bool:
        """Return whether an event time is wanted."""
        return (self.from_ms is None or time_ms >= self.from_ms) and (
            self.to_ms is None or time_ms < self.to_ms
        )


class Backtest:
    """Patterns side by side over the same records, with nothing remembered at the begin."""

    def __init__(
        self, patterns: Sequence[ActivePattern], began_ms: int, wanted: Wanted = Wanted()
    ) -> None:
        self._matcher = Matcher(EventTime())
        self._places = {pattern.id: place for place, pattern in enumerate(patterns)}
        self._wanted = wanted
        self._offset = 0
        self.failures = 0
        for pattern in patterns:
            self._matcher.put(pattern, began_ms)

    @property
    def globs(self) -> tuple[str, ...]:
        """The types and globs that are watched."""
        return self._matcher.index.globs

    @property
    def left_out(self) -> list[dict[str, int]]:
        """What each pattern left out, as counted in its `stats`, where there is any."""
        return [self._left_out(pattern_id) for pattern_id in self._places]

    def _left_out(self, pattern_id: str) -> dict[str, int]:
        watch = self._matcher.watches[pattern_id]
        counts = {
            **watch.memory.all_counts(),
            "where_errors": self._matcher.index.errors[pattern_id],
        }
        return {name: count for name, count in counts.items() if count}

    def fold(self, record: LogRecord) -> list[Found]:
        """Return what a record completes."""
        self._offset = record.offset
        found = [
            Found(
                self._places[finding.pattern.id],
                finding.hit,
                finding.number,
                finding.suppressed,
                record.received_at_ms,
            )
            for finding in self._matcher.fold(record)
            if self._wanted.has(finding.hit.time_ms)
        ]
        self.failures += len(self._matcher.take_failures())
        return found

    def run_on(self, until_ms: int | None) -> Iterator[list[Found]]:
        """Yield what follows when nothing more comes, up to an instant of event time or to the end."""
        for _ in range(MAX_TICKS):
            due_ms, tick_ms = (
                self._matcher.agenda.next_due_ms(),
                self._matcher.agenda.next_tick_ms(),
            )
            if due_ms is None or tick_ms is None or (until_ms is not None and due_ms > until_ms):
                return
            yield self.fold(Tick(self._offset, tick_ms))

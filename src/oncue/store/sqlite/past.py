"""What the log holds already: found by place, by time, by what it says."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from oncue.core.event import Event, EventFilter
from oncue.core.pattern.records import Passed
from oncue.ports import EventUsage, Mark, Span, Stretch
from oncue.store.sqlite import record
from oncue.store.sqlite.record import record_of
from oncue.store.sqlite.segments import Segments
from oncue.store.sqlite.usage import sum_of, usage_in

_BACKWARDS: Final = 512
_OFFSETS_AT_ONCE: Final = 1_000
_LINES_AT_ONCE: Final = 2_000


class SqlitePast:
    """The durable records of all accounts, up to the `head` of each."""

    def __init__(self, segments: Segments, head: Callable[[str], int]) -> None:
        self._segments = segments
        self._head = head

    async def at(self, account: str, offsets: Sequence[int]) -> list[Event]:
        """Return the events at some offsets, as far as they are still there, in their order."""
        number = self._number(account)
        events: list[Event] = []
        wanted = sorted(offsets)
        for begin in range(0, len(wanted), _OFFSETS_AT_ONCE):
            some = wanted[begin : begin + _OFFSETS_AT_ONCE]
            rows = await self._segments.newest(*record.at(number, some), len(some))
            records = map(record_of, reversed(rows))
            events += (found for found in records if isinstance(found, Event))
        return events

    async def between(
        self,
        account: str,
        bounds: tuple[int, int],
        limit: int,
        globs: Sequence[str],
        times: tuple[int, int],
    ) -> Stretch:
        """
        Return up to `limit` events of event time [from, to), from offsets (after, upto].

        Those of types that nobody watches are there as `Passed`.
        """
        rows = await self._segments.forward(
            (self._number(account), *bounds),
            limit,
            record.watching(globs),
            in_passing=True,
            times=times,
        )
        records = [record_of(row) for row in rows]
        return Stretch(records, records[-1].offset if len(records) == limit else bounds[1])

    async def mark(self, account: str, upto: int) -> Mark | None:
        """Return how far event time was after the record at `upto`; None before the first event."""
        number = self._number(account)
        newest, last, before = 0, None, upto + 1
        while True:
            values = (number, before, _BACKWARDS)
            rows = await self._segments.newest(record.BACKWARDS, values, _BACKWARDS)
            for passed in map(record_of, rows):
                assert isinstance(passed, Passed)
                last = passed.received_at_ms if last is None else last
                # No event moves time further than its arrival, and arrivals only grow.
                if passed.received_at_ms <= newest:
                    return Mark(newest, last)
                newest = max(newest, min(passed.time_ms, passed.received_at_ms))
                before = passed.offset
            if len(rows) < _BACKWARDS:
                return None if last is None else Mark(newest, last)

    async def offset_before(self, account: str, received_ms: int) -> int:
        """Return the last offset that arrived before an instant, 0 if none did."""
        number = self._number(account)
        found = await self._segments.each(
            lambda connection: record.seek(connection, number, received_ms), received_ms
        )
        return min((one for one in found if one is not None), default=self._head(account) + 1) - 1

    async def find(self, account: str, event_id: str, source: str | None = None) -> Event | None:
        """Return the event of that id, without `source` the newest; nothing if there is none."""
        number = self._number(account)
        rows = await self._segments.newest(record.FIND, (number, event_id, source, source), 1)
        return next((found for found in map(record_of, rows) if isinstance(found, Event)), None)

    async def events(
        self, account: str, wanted: EventFilter, limit: int, before: int | None = None
    ) -> list[Event]:
        """Return events with an offset below `before`, newest first."""
        number = self._number(account)
        end = self._head(account) + 1
        select, values = record.listing(
            number, wanted, end if before is None else min(before, end), limit
        )
        rows = await self._segments.newest(select, values, limit)
        return [found for found in map(record_of, rows) if isinstance(found, Event)]

    async def usage(self, account: str, span: Span) -> EventUsage:
        """Return how many events arrived in a span of time."""
        number = self._number(account)
        return sum_of(await self._segments.each(lambda c: usage_in(c, number, span), span.from_ms))

    async def write_lines(self, account: str, path: Path) -> None:
        """Write all events up to now into a file, each as one line of JSON."""
        bounds = (self._number(account), 0, self._head(account))

        def append(connection: sqlite3.Connection) -> None:
            with path.open("a", encoding="utf-8") as file:
                rows = connection.execute(record.LINES, bounds)
                while some := rows.fetchmany(_LINES_AT_ONCE):
                    file.write("\n".join(line for (line,) in some) + "\n")

        await self._segments.each(append, 0)

    def _number(self, account: str) -> int:
        return self._segments.appender.numbers.get(account, 0)

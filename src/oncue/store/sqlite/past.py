"""What the log holds already: found by place, by time, by what it says."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from oncue.core.event import Event, EventFilter
from oncue.core.pattern.records import Passed
from oncue.ports import EventUsage, Mark, Span, Stretch
from oncue.store.archive.files import EVER, ArchivedFile, Wanted, of_interest
from oncue.store.sqlite import record
from oncue.store.sqlite.record import record_of
from oncue.store.sqlite.segments import Segments
from oncue.store.sqlite.usage import sum_of, usage_in, usage_of, usage_statement
from oncue.store.sqlite.whole import Whole

_BACKWARDS: Final = 512
_OFFSETS_AT_ONCE: Final = 1_000
_LINES_BYTES: Final = 1 << 18
# One by one, each would take the interpreter's lock, for which the loop would wait.
_LINES_AT_ONCE: Final = 64


class SqlitePast:
    """The durable records of all accounts, up to the `head` of each."""

    def __init__(self, segments: Segments, head: Callable[[str], int]) -> None:
        self._segments = segments
        self._whole = Whole(segments)
        self._head = head

    async def at(self, account: str, offsets: Sequence[int]) -> list[Event]:
        """Return the events at some offsets, as far as they are still there, in their order."""
        number = self._number(account)
        events: list[Event] = []
        wanted = sorted(offsets)
        for begin in range(0, len(wanted), _OFFSETS_AT_ONCE):
            some = wanted[begin : begin + _OFFSETS_AT_ONCE]
            within = Wanted(offsets=(some[0], some[-1]))
            rows = await self._whole.newest(account, record.at(number, some), len(some), within)
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
        rows, reached = await self._whole.forward(
            account,
            bounds,
            limit,
            record.watching(globs),
            in_passing=True,
            times=times,
        )
        return Stretch([record_of(row) for row in rows], reached)

    async def mark(self, account: str, upto: int) -> Mark | None:
        """Return how far event time was after the record at `upto`; None before the first event."""
        number = self._number(account)
        newest, last, before = 0, None, upto + 1
        while True:
            values = (number, before, _BACKWARDS)
            within = Wanted(offsets=(0, before - 1))
            rows = await self._whole.newest(account, (record.BACKWARDS, values), _BACKWARDS, within)
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
        found, below = await self._whole.each(
            account, lambda c, number: record.seek(c, number, received_ms), received_ms
        )
        # Arrivals never go back: the first file that reaches so far has the first record.
        values = (self._number(account), received_ms)
        for file in self._archived(account, below, (received_ms, EVER))[:1]:
            (first,) = await self._segments.archive.fetch(
                [file], (values[0], below), record.SEEK, values
            )
            found.append(first[0])
        return min((one for one in found if one is not None), default=self._head(account) + 1) - 1

    async def find(self, account: str, event_id: str, source: str | None = None) -> Event | None:
        """Return the event of that id, without `source` the newest; nothing if there is none."""
        statement = (record.FIND, (self._number(account), event_id, source, source))
        rows = await self._whole.newest(account, statement, 1, event_id=event_id)
        return next((found for found in map(record_of, rows) if isinstance(found, Event)), None)

    async def events(
        self, account: str, wanted: EventFilter, limit: int, before: int | None = None
    ) -> list[Event]:
        """Return events with an offset below `before`, newest first."""
        end = self._head(account) + 1
        below = end if before is None else min(before, end)
        statement = record.listing(self._number(account), wanted, below, limit)
        from_ms = -EVER if wanted.from_ms is None else wanted.from_ms
        to_ms = EVER if wanted.to_ms is None else wanted.to_ms - 1
        within = Wanted(offsets=(0, below - 1), times=(from_ms, to_ms))
        rows = await self._whole.newest(account, statement, limit, within)
        return [found for found in map(record_of, rows) if isinstance(found, Event)]

    async def usage(self, account: str, span: Span) -> EventUsage:
        """Return how many events arrived in a span of time."""
        found, below = await self._whole.each(
            account, lambda c, number: usage_in(c, number, span), span.from_ms
        )
        files = self._archived(account, below, (span.from_ms, span.to_ms - 1))
        if files:
            number = self._number(account)
            statement = usage_statement(number, span)
            rows = await self._segments.archive.fetch(files, (number, below), *statement)
            found.append(usage_of(rows, span))
        return sum_of(found)

    @asynccontextmanager
    async def all_rows(self, account: str, path: Path) -> AsyncIterator[list[Path]]:
        """
        Give the files of the archive with events of an account, to be read in the block.

        All others up to now are written to `path`, each as one line of JSON.
        """
        archive = self._segments.archive
        while True:
            files = [*archive.files(account)]
            with archive.left.held(file.name for file in files):
                after = files[-1].last if files else 0
                await self._write_lines(account, after, path)
                # Else some went into the archive meanwhile, and may have left the log.
                if (
                    files == archive.files(account)
                    or self._segments.first(self._number(account)) <= after + 1
                ):
                    yield await archive.local(files)
                    return

    async def _write_lines(self, account: str, after: int, path: Path) -> None:
        head = self._head(account)
        await asyncio.to_thread(path.write_bytes, b"")

        def append(connection: sqlite3.Connection, number: int) -> None:
            first, last = connection.execute(record.BOUNDS, (number,)).fetchone()
            if last is None:
                return
            with path.open("ab", buffering=_LINES_BYTES) as file:
                for begin in range(max(after, first - 1), min(head, last), _LINES_AT_ONCE):
                    bounds = (number, begin, min(begin + _LINES_AT_ONCE, head))
                    (lines,) = connection.execute(record.LINES, bounds).fetchone()
                    file.write(lines or b"")

        await self._whole.each(account, append, 0)

    def _archived(
        self, account: str, below: int, arrivals: tuple[int, int]
    ) -> Sequence[ArchivedFile]:
        wanted = Wanted(offsets=(0, below - 1), arrivals=arrivals)
        return of_interest(self._segments.archive.files(account), wanted)

    def _number(self, account: str) -> int:
        return self._segments.appender.numbers.get(account, 0)

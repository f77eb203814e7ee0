"""
The event log: append-only, ordered per account, durable before anyone is answered.

The one writer assigns `offset` and `received_at` inside the transaction, in
the same order; neither ever goes back. An event's identity (source, id) is
unique by an index in that same transaction, so no crash can come between
"have I seen it" and "now I have".
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from oncue.core.event import Event, EventFilter, IncomingEvent
from oncue.core.pattern.records import LogRecord, Passed
from oncue.ports import Clock, EventUsage, Mark, Receipt, Span, Stretch
from oncue.store.sqlite import record
from oncue.store.sqlite.file import Commit
from oncue.store.sqlite.record import Body, ChangeBody, encode_body, record_of
from oncue.store.sqlite.segments import SEGMENT_RECORDS, Segments
from oncue.store.sqlite.usage import sum_of, usage_in

STRETCH: Final = 4_096
"""Records that are looked at in one read; those that nobody watches cost next to nothing."""
_BACKWARDS: Final = 512
DEDUPE_WINDOW_MS: Final = 7 * 86_400_000


class SqliteEventLog:
    """The log of all accounts in one folder."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        commit: Commit = sqlite3.Connection.commit,
        *,
        dedupe_window_ms: int = DEDUPE_WINDOW_MS,
        segment_records: int = SEGMENT_RECORDS,
    ) -> None:
        self.segments = Segments(
            folder,
            clock,
            commit,
            dedupe_window_ms=dedupe_window_ms,
            segment_records=segment_records,
        )
        """Whoever deletes what is old does it here."""
        self._appender = self.segments.appender
        self._listeners: list[Callable[[str], None]] = []
        self._heads = self._appender.heads()

    def last_arrival_ms(self) -> int:
        """Return the `received_at` of the newest record."""
        return self._appender.last_arrival

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """
        Call `listener` with the account whenever records of it have become durable.

        Returns what ends that.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def head(self, account: str) -> int:
        """Return the offset of the last durable record, 0 if there is none."""
        return self._heads.get(account, 0)

    async def append(self, account: str, events: Sequence[IncomingEvent]) -> list[Receipt]:
        """Return when all are durable."""
        rows = [(event, encode_body(Body(event.data, event.attributes))) for event in events]
        return await self.segments.write(
            lambda connection: self._appender.append(connection, account, rows),
            lambda receipts: self._advance(account, max(r.offset for r in receipts)),
        )

    async def append_change(self, account: str, pattern_id: str, version: int) -> int:
        """Return the offset from which the version is seen; the same if told twice."""
        body = encode_body(ChangeBody(pattern_id, version))
        identity = f"{pattern_id}/{version}"
        return await self.segments.write(
            lambda connection: self._appender.append_change(connection, account, identity, body),
            lambda offset: self._advance(account, offset),
        )

    async def read(self, account: str, after: int, limit: int) -> list[LogRecord]:
        """Return up to `limit` records with an offset above `after`."""
        number = self._appender.numbers.get(account, 0)
        rows = await self.segments.forward((number, after, self.head(account)), limit)
        return [record_of(row) for row in rows]

    async def append_tick(self, account: str) -> int:
        """Return the offset of a record that says what time it is."""
        return await self.segments.write(
            lambda connection: self._appender.append_tick(connection, account),
            lambda offset: self._advance(account, offset),
        )

    async def stretch(
        self,
        account: str,
        after: int,
        limit: int,
        globs: Sequence[str],
        *,
        in_passing: bool = False,
    ) -> Stretch:
        """
        Return the changes, the ticks, and up to `limit` events of the watched types, above an offset.

        With `in_passing` the events of other types are there as `Passed`.
        """
        number = self._appender.numbers.get(account, 0)
        upto = min(self.head(account), after + STRETCH)
        watched = record.watching(globs)
        rows = await self.segments.forward(
            (number, after, upto), limit, watched, in_passing=in_passing
        )
        records = [record_of(row) for row in rows]
        return Stretch(records, records[-1].offset if len(records) == limit else upto)

    async def at(self, account: str, offsets: Sequence[int]) -> list[Event]:
        """Return the events at some offsets, as far as they are still there, in their order."""
        number = self._appender.numbers.get(account, 0)
        rows = await self.segments.newest(*record.at(number, offsets), len(offsets))
        return [found for found in map(record_of, reversed(rows)) if isinstance(found, Event)]

    async def mark(self, account: str, upto: int) -> Mark | None:
        """Return how far event time was after the record at `upto`; None before the first event."""
        number = self._appender.numbers.get(account, 0)
        newest, last, before = 0, None, upto + 1
        while True:
            values = (number, before, _BACKWARDS)
            rows = await self.segments.newest(record.BACKWARDS, values, _BACKWARDS)
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
        number = self._appender.numbers.get(account, 0)
        found = await self.segments.each(
            lambda connection: record.seek(connection, number, received_ms), received_ms
        )
        return min((one for one in found if one is not None), default=self.head(account) + 1) - 1

    async def find(self, account: str, event_id: str, source: str | None = None) -> Event | None:
        """Return the event of that id, without `source` the newest; nothing if there is none."""
        number = self._appender.numbers.get(account, 0)
        rows = await self.segments.newest(record.FIND, (number, event_id, source, source), 1)
        return next((found for found in map(record_of, rows) if isinstance(found, Event)), None)

    async def events(
        self, account: str, wanted: EventFilter, limit: int, before: int | None = None
    ) -> list[Event]:
        """Return events with an offset below `before`, newest first."""
        number = self._appender.numbers.get(account, 0)
        end = self.head(account) + 1
        select, values = record.listing(
            number, wanted, end if before is None else min(before, end), limit
        )
        rows = await self.segments.newest(select, values, limit)
        return [found for found in map(record_of, rows) if isinstance(found, Event)]

    async def usage(self, account: str, span: Span) -> EventUsage:
        """Return how many events arrived in a span of time."""
        number = self._appender.numbers.get(account, 0)
        return sum_of(await self.segments.each(lambda c: usage_in(c, number, span), span.from_ms))

    async def close(self) -> None:
        """Let go of the files."""
        await self.segments.close()

    def _advance(self, account: str, offset: int) -> None:
        if offset > self._heads.get(account, 0):
            self._heads[account] = offset
            for listener in self._listeners:
                listener(account)

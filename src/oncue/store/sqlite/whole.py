"""
Log and archive, read as one.

They overlap: what is archived stays in the log for a while. A reader asks for offsets, and
takes each from the log, if that has it, else from the archive. It asks the log first: what
is deleted there meanwhile was archived before.
"""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

from oncue.store.archive.archive import newest_first
from oncue.store.archive.files import EVER, EVERYTHING, ArchivedFile, Wanted
from oncue.store.sqlite import record
from oncue.store.sqlite.file import SqliteFile
from oncue.store.sqlite.record import Row
from oncue.store.sqlite.segment import SealedSegment
from oncue.store.sqlite.segments import Segments, last_of

T = TypeVar("T")

AT_ONCE_BYTES: Final = 8 << 20
"""What the bodies take that are read together: whoever reads on decodes all of them in a row."""


class Whole:
    """All records, from the first that is kept to the last."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments

    async def forward(
        self,
        account: str,
        bounds: tuple[int, int],
        limit: int,
        watched: tuple[str, tuple[str, ...]] = ("", ()),
        *,
        in_passing: bool = False,
        times: tuple[int, int] | None = None,
    ) -> tuple[list[Row], int]:
        """
        Return up to `limit` rows of an account from (after, upto], in order; see `record.reading`.

        There are fewer where they are large. With them comes the offset that they reach to.
        """
        number = self._segments.appender.numbers.get(account, 0)
        after, upto = bounds
        rows: list[Row] = []
        size = 0
        # Looked for anew each time: meanwhile the file that is written to may be sealed,
        # and what is archived deleted.
        while True:
            part, last = self._following(account, number, after + 1)
            last = min(last, upto)
            select, values = record.reading(
                (number, after, last),
                watched,
                limit - len(rows),
                in_passing=in_passing,
                times=times,
            )
            match part:
                case ArchivedFile() if times and not part.may_hold(Wanted(times=times)):
                    some: list[Row] = []
                case ArchivedFile():
                    view = (number, last + 1)
                    some = await self._segments.archive.fetch([part], view, select, values)
                case _:
                    some = await part.read(partial(_fetch_first, select, values, AT_ONCE_BYTES))
            for row in some:
                rows.append(row)
                size += len(row[-1] or "")
                if len(rows) >= limit or size >= AT_ONCE_BYTES:
                    return rows, row[0]
            after = last
            if after >= upto:
                return rows, upto

    async def newest(
        self,
        account: str,
        statement: tuple[str, Sequence[int | str | None]],
        limit: int,
        wanted: Wanted = EVERYTHING,
        event_id: str | None = None,
    ) -> list[Row]:
        """
        Return up to `limit` of the rows that a statement finds, from the newest backwards.

        Files that hold nothing of what is `wanted`, or no event of an id, may be left out.
        """
        number = self._segments.appender.numbers.get(account, 0)
        older = [s for s in self._segments.sealed if number in s.bounds]
        lowest = self._segments.appender.before.get(number, 0) + 1
        rows = await self._segments.file.read(partial(_fetch, *statement))
        while older and len(rows) < limit and lowest > wanted.offsets[0]:
            segment = older.pop()
            if segment.is_deleted:
                # And so are all that are older; the archive has them.
                break
            lowest = segment.bounds[number][0]
            if lowest <= wanted.offsets[1]:
                rows += await segment.read(partial(_fetch, *statement))
        low, high = wanted.offsets
        archived = wanted._replace(offsets=(low, min(high, lowest - 1)))
        for files in newest_first(self._segments.archive.files(account), archived):
            if len(rows) >= limit:
                break
            some: Sequence[ArchivedFile] = files
            if event_id is not None:
                some = await self._segments.archive.index.that_may_have(files, event_id)
            if some:
                rows += await self._segments.archive.fetch(some, (number, lowest), *statement)
        return rows[:limit]

    async def each(
        self, account: str, read: Callable[[sqlite3.Connection, int], T], since_ms: int
    ) -> tuple[list[T], int]:
        """
        Return what `read` finds in each segment with records since an instant.

        What arrived since then and is below the offset that comes with it is in the
        archive alone.
        """
        number = self._segments.appender.numbers.get(account, 0)
        older = [s for s in self._segments.sealed if s.last_arrival >= since_ms]
        lowest = self._segments.appender.before.get(number, 0) + 1
        found = [await self._segments.file.read(lambda c: read(c, number))]
        for segment in reversed(older):
            if segment.is_deleted:
                break
            found.append(await segment.read(lambda c: read(c, number)))
            lowest = segment.bounds.get(number, (lowest, 0))[0]
        return found, lowest

    def _following(
        self, account: str, number: int, offset: int
    ) -> tuple[ArchivedFile | SealedSegment | SqliteFile, int]:
        """Return what has a record, or else the next ones after it, and the offset it reaches to."""
        hot = next((s for s in self._segments.sealed if last_of(s, number) >= offset), None)
        begins = hot.bounds[number][0] if hot else self._segments.appender.before.get(number, 0) + 1
        if offset < begins:
            files = self._segments.archive.files(account)
            file = next((file for file in files if file.last >= offset), None)
            if file and file.first < begins:
                return file, min(file.last, begins - 1)
        return (hot, last_of(hot, number)) if hot else (self._segments.file, EVER)


def _fetch_first(
    select: str, values: Sequence[int | str | None], most_bytes: int, connection: sqlite3.Connection
) -> list[Row]:
    rows: list[Row] = []
    size = 0
    for row in connection.execute(select, values):
        rows.append(row)
        size += len(row[-1] or "")
        if size >= most_bytes:
            break
    return rows


def _fetch(
    select: str, values: Sequence[int | str | None], connection: sqlite3.Connection
) -> list[Row]:
    return connection.execute(select, values).fetchall()

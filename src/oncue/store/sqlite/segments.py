"""
The log is a row of files, its segments.

The last one is written to; when it is full, or a day old, it is sealed and the
next one begins. So retention deletes files, and the indexes that an append
touches stay small.

    log/0000000000000001.db   sealed     log/0000000000000001.filter
    log/0000000000000002.db   written to
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from oncue.ports import Clock
from oncue.store.sqlite import record
from oncue.store.sqlite.appender import Appender
from oncue.store.sqlite.file import READERS, Commit, SqliteFile, as_ours
from oncue.store.sqlite.record import Row
from oncue.store.sqlite.segment import SealedSegment

SEGMENT_RECORDS: Final = 2_000_000
"""About a gigabyte of usual events."""
_DAY_MS: Final = 86_400_000

T = TypeVar("T")


class Segments:
    """All files of the log, written at the end and read as one."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        commit: Commit,
        *,
        dedupe_window_ms: int,
        segment_records: int,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock
        self._commit = commit
        self._window_ms = dedupe_window_ms
        self._segment_records = segment_records
        self._readers = ThreadPoolExecutor(READERS, "read-log")
        *older, last = sorted(folder.glob("*.db")) or [_path(folder, 1)]
        self._sealed = [SealedSegment(path, self._readers) for path in older]
        for segment in self._sealed:
            segment.make_filter()
        self.appender = Appender(clock, dedupe_window_ms, self._sealed)
        self._path = last
        self._file = self._open(last)
        self._sealing: asyncio.Task[None] | None = None

    async def write(self, op: Callable[[sqlite3.Connection], T], after: Callable[[T], None]) -> T:
        """Return the result of `op` once it is durable."""
        # Writes wait here until the next file is open, so that none is in two minds.
        if self._sealing or self._is_full():
            await self._sealed_now()
        return await self._file.write(op, after)

    async def forward(
        self,
        bounds: tuple[int, int, int],
        limit: int,
        watched: tuple[str, tuple[str, ...]] = ("", ()),
        *,
        in_passing: bool = False,
        times: tuple[int, int] | None = None,
    ) -> list[Row]:
        """Return up to `limit` rows of (account, after, upto], in order; see `record.reading`."""
        number, after, _ = bounds
        rows: list[Row] = []
        before: SealedSegment | None = None
        while len(rows) < limit:
            select, values = record.reading(
                bounds, watched, limit - len(rows), in_passing=in_passing, times=times
            )
            segment = self._following(before)
            if segment is None:
                rows += await self._file.read(partial(_fetch, select, values))
                break
            before = segment
            if after < segment.bounds.get(number, (0, 0))[1]:
                rows += await segment.read(partial(_fetch, select, values))
        return rows

    async def newest(
        self, select: str, values: Sequence[int | str | None], limit: int
    ) -> list[Row]:
        """Return up to `limit` of the rows that `select` finds, from the newest segment backwards."""
        older = list(self._sealed)
        rows = await self._file.read(partial(_fetch, select, values))
        for segment in reversed(older):
            if len(rows) >= limit:
                break
            if not segment.is_deleted:
                rows += await segment.read(partial(_fetch, select, values))
        return rows[:limit]

    async def each(self, read: Callable[[sqlite3.Connection], T], since_ms: int) -> list[T]:
        """Return what `read` finds in each segment with records since an instant."""
        older = [s for s in self._sealed if s.last_arrival >= since_ms]
        newest = await self._file.read(read)
        return [newest, *[await s.read(read) for s in older if not s.is_deleted]]

    async def drop(self, before_ms: int, needed: Mapping[str, int]) -> int:
        """
        Delete the segments that arrived before an instant; return how many.

        Kept are those with an offset above what is `needed` by account, and those whose
        events may still be repeated within the dedupe window.
        """
        before_ms = min(before_ms, self._clock.now_ms() - self._window_ms)
        if self.appender.count and self.appender.last_arrival < before_ms:
            await self._sealed_now()
        dropped = 0
        while self._sealed and self._sealed[0].is_done_with(before_ms, needed):
            self._sealed.pop(0).delete()
            dropped += 1
        return dropped

    async def close(self) -> None:
        """Let go of the files."""
        if self._sealing:
            await self._sealing
        for segment in self._sealed:
            await segment.filtered()
        await self._file.close()
        self._readers.shutdown()
        for segment in self._sealed:
            segment.close()

    def _following(self, before: SealedSegment | None) -> SealedSegment | None:
        # Looked for anew each time: meanwhile the file that is written to may be sealed,
        # and the oldest deleted.
        if before is None:
            return next(iter(self._sealed), None)
        return next((s for s in self._sealed if s.number > before.number), None)

    async def _sealed_now(self) -> None:
        if self._sealing is None:
            self._sealing = asyncio.create_task(self._seal(), name="seal")
        await asyncio.shield(self._sealing)

    def _open(self, path: Path) -> SqliteFile:
        def reload() -> None:
            self._file.read_now(self.appender.load)

        file = SqliteFile(path, record.SCHEMA, commit=self._commit, on_rollback=reload)
        file.read_now(self.appender.begin)
        return file

    def _is_full(self) -> bool:
        count, began = self.appender.count, self.appender.began_at
        is_old = self._clock.now_ms() // _DAY_MS > began // _DAY_MS
        return count >= self._segment_records or (count > 0 and is_old)

    async def _seal(self) -> None:
        try:
            await self._file.flushed()
            last, segment = self._file, self._begin_next()
            await last.close()
            segment.make_filter_beside()
        finally:
            self._sealing = None

    def _begin_next(self) -> SealedSegment:
        """Return the last segment, sealed; where the next one cannot be begun, all is as it was."""
        path = _path(self._folder, int(self._path.stem) + 1)
        try:
            segment = SealedSegment(self._path, self._readers)
            self._sealed.append(segment)
            try:
                self._file = self._open(path)
            except sqlite3.Error:
                self._sealed.pop().close()
                self._file.read_now(self.appender.load)
                raise
        except sqlite3.Error as exc:
            raise as_ours(exc) from exc
        self._path = path
        return segment


def last_offsets(folder: Path) -> dict[str, int]:
    """Return the last offset of each account in a log that nobody has opened."""
    found: dict[str, int] = {}
    for path in sorted(folder.glob("*.db")):
        with closing(sqlite3.connect(path)) as connection:
            for select in (record.LAST_BEFORE, record.LAST):
                found |= dict(connection.execute(select).fetchall())
    return found


def _fetch(
    select: str, values: Sequence[int | str | None], connection: sqlite3.Connection
) -> list[Row]:
    return connection.execute(select, values).fetchall()


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:016}.db"

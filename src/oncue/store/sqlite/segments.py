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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from oncue.ports import Clock
from oncue.store.sqlite import record
from oncue.store.sqlite.appender import Appender
from oncue.store.sqlite.file import READERS, Commit, SqliteFile
from oncue.store.sqlite.record import Row
from oncue.store.sqlite.segment import SealedSegment, open_read_only

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
        self._segment_records = segment_records
        self._readers = ThreadPoolExecutor(READERS, "read-log")
        *older, last = sorted(folder.glob("*.db")) or [_path(folder, 1)]
        self._sealed = [SealedSegment(path, self._readers) for path in older]
        self.appender = Appender(clock, dedupe_window_ms, self._sealed)
        self._path = last
        self._file = self._open(last)
        self._sealing: asyncio.Task[None] | None = None

    async def write(self, op: Callable[[sqlite3.Connection], T], after: Callable[[T], None]) -> T:
        """Return the result of `op` once it is durable."""
        # Writes wait here until the next file is open, so that none is in two minds.
        if self._sealing is None and self._is_full():
            self._sealing = asyncio.create_task(self._seal(), name="seal")
        if self._sealing:
            await asyncio.shield(self._sealing)
        return await self._file.write(op, after)

    async def forward(
        self,
        bounds: tuple[int, int, int],
        limit: int,
        watched: tuple[str, tuple[str, ...]] = ("", ()),
        *,
        in_passing: bool = False,
    ) -> list[Row]:
        """Return up to `limit` rows of (account, after, upto], in order; see `record.reading`."""
        number, after, _ = bounds
        rows: list[Row] = []
        nth = 0
        while len(rows) < limit:
            select, values = record.reading(
                bounds, watched, limit - len(rows), in_passing=in_passing
            )
            # Asked anew each time: the file that is written to may be sealed meanwhile.
            if nth == len(self._sealed):
                rows += await self._file.read(partial(_fetch, select, values))
                break
            segment = self._sealed[nth]
            nth += 1
            if after < segment.bounds.get(number, (0, 0))[1]:
                rows += await _read_sealed(segment, select, values)
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
            rows += await _read_sealed(segment, select, values)
        return rows[:limit]

    async def each(self, read: Callable[[sqlite3.Connection], T], since_ms: int) -> list[T]:
        """Return what `read` finds in each segment with records since an instant."""
        older = [s for s in self._sealed if s.last_arrival >= since_ms]
        newest = await self._file.read(read)
        return [newest, *[await _in_sealed(segment, read) for segment in older]]

    async def close(self) -> None:
        """Let go of the files."""
        if self._sealing:
            await self._sealing
        await self._file.close()
        self._readers.shutdown()
        for segment in self._sealed:
            segment.close()

    def _open(self, path: Path) -> SqliteFile:
        file = SqliteFile(path, record.SCHEMA, commit=self._commit, on_rollback=self._load)
        file.read_now(self.appender.begin)
        return file

    def _load(self) -> None:
        self._file.read_now(self.appender.load)

    def _is_full(self) -> bool:
        count, began = self.appender.count, self.appender.began_at
        is_old = self._clock.now_ms() // _DAY_MS > began // _DAY_MS
        return count >= self._segment_records or (count > 0 and is_old)

    async def _seal(self) -> None:
        path = self._path
        await self._file.close()
        self._sealed.append(SealedSegment(path, self._readers))
        self._path = _path(self._folder, int(path.stem) + 1)
        self._file = self._open(self._path)
        self._sealing = None


def _fetch(
    select: str, values: Sequence[int | str | None], connection: sqlite3.Connection
) -> list[Row]:
    return connection.execute(select, values).fetchall()


async def _read_sealed(
    segment: SealedSegment, select: str, values: Sequence[int | str | None]
) -> list[Row]:
    return await _in_sealed(segment, partial(_fetch, select, values))


async def _in_sealed(segment: SealedSegment, read: Callable[[sqlite3.Connection], T]) -> T:
    def open_and_read() -> T:
        connection = open_read_only(segment.path)
        try:
            return read(connection)
        finally:
            connection.close()

    return await asyncio.get_running_loop().run_in_executor(segment.readers, open_and_read)


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:016}.db"

"""
The log is a row of files, its segments.

The last one is written to; when it is full, or a day old, it is sealed and the
next one begins. So retention deletes files, and the indexes that an append
touches stay small.

    log/0000000000000001.db   sealed     log/0000000000000001.filter
    log/0000000000000002.db   written to

What they hold goes into the archive a stretch at a time, long before they are deleted;
readers take from there what no segment has any more.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from oncue.ports import Clock
from oncue.store.archive.archive import Archive
from oncue.store.archive.merging import STRETCH_BYTES, STRETCH_RECORDS
from oncue.store.sqlite import record
from oncue.store.sqlite.appender import Appender
from oncue.store.sqlite.file import READERS, Commit, SqliteFile, as_ours
from oncue.store.sqlite.segment import SealedSegment

_DAY_MS: Final = 86_400_000

T = TypeVar("T")


class Full(NamedTuple):
    """When a segment has enough: about 600 MB of usual events, or as many as fit where they are large."""

    records: int = 2_000_000
    size: int = 1 << 30


FULL: Final = Full()


class Segments:
    """All files of the log, written at the end and read as one."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        commit: Commit,
        *,
        archive: Archive,
        dedupe_window_ms: int,
        full: Full,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._clock = clock
        self._commit = commit
        self._window_ms = dedupe_window_ms
        self._full = full
        self._readers = ThreadPoolExecutor(READERS, "read-log")
        *older, last = sorted(folder.glob("*.db")) or [_path(folder, 1)]
        self.sealed = [SealedSegment(path, self._readers) for path in older]
        for segment in self.sealed:
            segment.make_filter()
        self.appender = Appender(clock, dedupe_window_ms, self.sealed)
        self.archive = archive
        """Where records stay once their segment is deleted."""
        self._path = last
        self.file = self._open(last)
        archive.keep_within(self.appender.heads())
        _estimate_unarchived(self.appender, archive)
        self._sealing: asyncio.Task[None] | None = None
        self._refused = ""

    async def write(
        self, op: Callable[[sqlite3.Connection], T], after: Callable[[T], None], size: int = 0
    ) -> T:
        """Return the result of `op` once it is durable; `size` is that of the bodies that it writes."""
        # Writes wait here until the next file is open, so that none is in two minds.
        if self._sealing or self._is_full():
            await self._sealed_now()
        return await self.file.write(op, after, size)

    def first(self, number: int) -> int:
        """Return the first offset of an account that is here, or will be."""
        oldest = next((s for s in self.sealed if number in s.bounds), None)
        return oldest.bounds[number][0] if oldest else self.appender.before.get(number, 0) + 1

    async def archive_due(self, full: int = STRETCH_RECORDS) -> int:
        """
        Archive a stretch of each account that has one, and return of how many accounts.

        Raises:
            Overloaded: the archive takes nothing now; the account is the last one the next time.
        """
        archived, heads = 0, self.appender.heads()
        for account in sorted(heads, key=self._refused.__eq__):
            self._refused = account
            archived += await self._archive_next(account, heads[account], full)
        self._refused = ""
        return archived

    async def _archive_next(self, account: str, head: int, full: int) -> bool:
        """
        Archive a stretch of an account, and return whether there was one to archive.

        It has `full` records, or fewer where they are large, or where they are sealed.
        """
        number = self.appender.numbers[account]
        after, end = self.due(account, head, full)
        upto = min(after + full, end)
        if upto <= after:
            return False
        sealed = [s for s in self.sealed if last_of(s, number) > after]
        paths = [s.path for s in sealed if s.bounds[number][0] <= upto]
        if upto > self.appender.before.get(number, 0):
            paths.append(self._path)
        unarchived = self.appender.unarchived
        before = unarchived[number]
        written = await self.archive.add(account, paths, number, (after, upto))
        # What is counted is more than what is written: it must not add up.
        is_all = self.archive.reached(account) == head
        done = before if is_all else min(written, before)
        unarchived[number] -= done
        return True

    def due(self, account: str, head: int, full: int = STRETCH_RECORDS) -> tuple[int, int]:
        """Return the bounds of what is to go into the archive, (after, upto]; empty if nothing is."""
        number = self.appender.numbers.get(account, 0)
        after = max(self.archive.reached(account), self.first(number) - 1)
        is_full = head - after >= full or self.appender.unarchived[number] >= STRETCH_BYTES
        sealed = max((last_of(s, number) for s in self.sealed), default=0)
        return after, max(after, head if is_full else sealed)

    async def drop(self, before_ms: int, needed: Mapping[str, int]) -> int:
        """
        Delete what is not needed any more; return how many files.

        The archive keeps what arrived since an instant, the log what is not archived yet;
        both keep what has an offset above what is `needed` by account, and events that may
        still be repeated within the dedupe window.
        """
        repeatable_ms = self._clock.now_ms() - self._window_ms
        if self.appender.count and self.appender.last_arrival < repeatable_ms:
            await self._sealed_now()
        archived = {a: min(o, self.archive.reached(a)) for a, o in needed.items()}
        dropped = 0
        while self.sealed and self.sealed[0].is_done_with(repeatable_ms, archived):
            # Between two commits: the thread that writes large events may be asking it.
            oldest = await self.file.write(lambda _: self.sealed[0], self.sealed.remove)
            oldest.delete()
            dropped += 1
        now_ms = self._clock.now_ms()
        return dropped + await self.archive.drop(min(before_ms, repeatable_ms), needed, now_ms)

    async def close(self) -> None:
        """Let go of the files."""
        if self._sealing:
            await self._sealing
        for segment in self.sealed:
            await segment.filtered()
        await self.file.close()
        await self.archive.close()
        self._readers.shutdown()
        for segment in self.sealed:
            segment.close()

    async def _sealed_now(self) -> None:
        if self._sealing is None:
            self._sealing = asyncio.create_task(self._seal(), name="seal")
        await asyncio.shield(self._sealing)

    def _open(self, path: Path) -> SqliteFile:
        def reload() -> None:
            self.file.read_now(self.appender.load)

        file = SqliteFile(path, record.SCHEMA, commit=self._commit, on_rollback=reload)
        file.read_now(self.appender.begin)
        return file

    def _is_full(self) -> bool:
        count, began = self.appender.count, self.appender.began_at
        is_old = self._clock.now_ms() // _DAY_MS > began // _DAY_MS
        is_large = self.appender.size >= self._full.size
        return count >= self._full.records or (count > 0 and (is_old or is_large))

    async def _seal(self) -> None:
        try:
            await self.file.flushed()
            last, segment = self.file, self._begin_next()
            await last.close()
            segment.make_filter_beside()
        finally:
            self._sealing = None

    def _begin_next(self) -> SealedSegment:
        """Return the last segment, sealed; where the next one cannot be begun, all is as it was."""
        path = _path(self.folder, int(self._path.stem) + 1)
        try:
            segment = SealedSegment(self._path, self._readers)
            self.sealed.append(segment)
            try:
                self.file = self._open(path)
            except sqlite3.Error:
                self.sealed.pop().close()
                self.file.read_now(self.appender.load)
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


def _estimate_unarchived(appender: Appender, archive: Archive) -> None:
    # Of a usual size, since to look at each would take as long as to archive it.
    each = appender.size // max(appender.count, 1)
    for account, head in appender.heads().items():
        number = appender.numbers[account]
        known = max(archive.reached(account), appender.before.get(number, 0))
        appender.unarchived[number] = max(head - known, 0) * each


def last_of(segment: SealedSegment, number: int) -> int:
    """Return the last offset of an account in a segment, 0 if it has none there."""
    return segment.bounds.get(number, (0, 0))[1]


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:016}.db"

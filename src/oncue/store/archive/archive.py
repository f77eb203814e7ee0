"""
The archive: stretches of the log as files of Parquet, each of one account.

    begin (index) ─▶ write, fsync ─▶ name ─▶ keep (index) ─▶ … ─▶ let go (index) ─▶ delete

Files are written by a process of low priority, and never changed; small ones are merged into
another. A file that is let go of is deleted once those who read it have ended.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from oncue.core.errors import Overloaded
from oncue.store.archive.bucket import BucketPlace
from oncue.store.archive.files import ArchivedFile, Wanted, of_interest
from oncue.store.archive.index import ArchiveIndex, Left
from oncue.store.archive.left import LeftFiles
from oncue.store.archive.merging import STRETCH_BYTES
from oncue.store.archive.orders import Merge, Order, Stretch, Written
from oncue.store.archive.places import FolderPlace
from oncue.store.archive.reader import ParquetReader
from oncue.store.archive.writer import Writer
from oncue.store.sqlite.file import Commit

_log = logging.getLogger(__name__)

REPLACED_KEPT_MS: Final = 7 * 86_400_000
"""How long files stay that another took the place of."""


class Archive:
    """The files of all accounts."""

    def __init__(
        self,
        path: Path,
        place: FolderPlace | BucketPlace,
        commit: Commit,
        writer: Writer | None = None,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.index = ArchiveIndex(path, commit)
        """Which files there are."""
        self.writer = writer or Writer()
        """Who writes them."""
        self.left = LeftFiles(place, self.index)
        """Which of them do not count."""
        self._place = place
        self._reader = ParquetReader()
        self._files: dict[str, list[ArchivedFile]] = {}
        self._reached = self.index.reached()
        self.missing: Counter[str] = Counter()
        """How many files of each account are not there, though they should."""
        # Whoever lets files go does it with nobody else in between.
        self._letting_go = asyncio.Lock()
        for file in self.index.kept():
            if place.has(file.name):
                self._files.setdefault(file.account, []).append(file)
            else:
                self.missing[file.account] += 1
                _log.error("the archive lacks %s: its events are not there", file.name)

    def accounts(self) -> list[str]:
        """Return the accounts that have files."""
        return [*self._files]

    def files(self, account: str) -> Sequence[ArchivedFile]:
        """Return the files of an account, in order."""
        return self._files.get(account, [])

    def reached(self, account: str) -> int:
        """Return the last offset that was archived."""
        return self._reached.get(account, 0)

    def keep_within(self, heads: Mapping[str, int]) -> None:
        """
        Let go of files that reach beyond the log, which has what they have up to its end.

        So it is in a restored folder: the log was copied first, and archived meanwhile.
        """
        for account, files in self._files.items():
            beyond = [file for file in files if file.last > heads.get(account, 0)]
            if beyond:
                names = [file.name for file in beyond]
                self._reached[account] = beyond[0].first - 1
                self.index.take_back(account, names, self._reached[account])
                for name in names:
                    self.left.put(Left(account, name))
                del files[-len(beyond) :]

    async def fetch(
        self,
        files: Sequence[ArchivedFile],
        view: tuple[int, int],
        select: str,
        values: Sequence[int | str | None],
    ) -> list[Any]:
        """Return what a statement finds in files; `view` is the account's number, and where it ends."""
        with self.left.held(file.name for file in files):
            paths = await self.local(files)
            return await self._reader.fetch(paths, view, select, values)

    async def local(self, files: Sequence[ArchivedFile]) -> list[Path]:
        """Return where files can be read; they are to be held."""
        return await self._place.local([file.name for file in files])

    async def add(
        self, account: str, segments: Sequence[Path], number: int, bounds: tuple[int, int]
    ) -> int:
        """
        Archive records (after, upto] of an account, or the first of them; return how large they were.

        Raises:
            Overloaded: it cannot be written now.
        """
        name = self.left.free_name(self.files(account), account, bounds[0] + 1)
        with self.left.held([name]):
            paths = [str(path) for path in segments]
            target = str(self._place.begin(name))
            stretch = Stretch(account, paths, number, *bounds, STRETCH_BYTES, target)
            written = await self._write(account, name, stretch)
            file = _file_of(account, name, written)
            await self.index.keep(file, written.ids)
            self.left.remove(name)
        self._files.setdefault(account, []).append(file)
        self._reached[account] = file.last
        return written.bodies

    async def merge(self, account: str, files: Sequence[ArchivedFile], now_ms: int) -> None:
        """
        Let one file take the place of neighbours.

        Raises:
            Overloaded: it cannot be written now.
        """
        name = self.left.free_name(self.files(account), account, files[0].first)
        with self.left.held([name, *(file.name for file in files)]):
            paths = [str(path) for path in await self.local(files)]
            target = str(self._place.begin(name))
            merge = Merge(paths, files[0].first, files[-1].last, target)
            written = await self._write(account, name, merge)
            merged, until_ms = _file_of(account, name, written), now_ms + REPLACED_KEPT_MS
            async with self._letting_go:
                kept = self._files[account]
                if files[0] not in kept:
                    # Meanwhile it was too old.
                    return
                await self.index.replace(files, merged, written.ids, until_ms)
                place = kept.index(files[0])
                kept[place : place + len(files)] = [merged]
            self.left.remove(name)
            for file in files:
                self.left.put(Left(account, file.name, until_ms, file.wanted.arrivals[1]))

    async def drop(self, before_ms: int, needed: Mapping[str, int], now_ms: int) -> int:
        """Delete the files that arrived before an instant, up to what is `needed`; return how many."""
        await self.left.clean_up(before_ms, now_ms)
        dropped = 0
        for account, files in list(self._files.items()):
            async with self._letting_go:
                old = [
                    file
                    for file in files
                    if file.wanted.arrivals[1] < before_ms and file.last <= needed.get(account, 0)
                ]
                if old:
                    await self.index.let_go(old)
                    del files[: len(old)]
            for file in old:
                self.left.put(Left(account, file.name))
            dropped += len(old)
        await self.left.clean_up(before_ms, now_ms)
        return dropped

    async def close(self) -> None:
        """Let go of the files."""
        await self.writer.rest()
        self._reader.close()
        await self.index.close()

    async def _write(self, account: str, name: str, order: Order) -> Written:
        self.left.put(Left(account, name))
        await self.index.begin(account, name)
        try:
            written = await self.writer.write(order)
            await self._place.take(name)
        except Overloaded:
            # Each attempt has a name of its own: together they would fill the disk.
            await asyncio.to_thread(Path(order.target).unlink, missing_ok=True)
            raise
        return written


def _file_of(account: str, name: str, written: Written) -> ArchivedFile:
    wanted = Wanted(written.offsets, written.times, written.arrivals)
    return ArchivedFile(account, name, wanted, written.events, written.size, written.bodies)


def newest_first(files: Sequence[ArchivedFile], wanted: Wanted) -> Iterator[list[ArchivedFile]]:
    """Yield files in which something wanted may be: the newest alone, then more and more at once."""
    left, size = of_interest(files, wanted), 1
    while left:
        yield left[-size:]
        del left[-size:]
        size = min(size * 2, _MOST_AT_ONCE)


_MOST_AT_ONCE: Final = 32

"""
The archive: stretches of the log as files of Parquet, each of one account.

    begin (index) ─▶ write, fsync ─▶ name ─▶ keep (index) ─▶ … ─▶ let go (index) ─▶ delete

Files are written by a process of low priority, and never changed. A file that is
let go of is deleted once those who read it have ended.
"""

import asyncio
import logging
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

from oncue.core.errors import Overloaded
from oncue.store.archive.bucket import BucketPlace
from oncue.store.archive.child import Stretch, Written
from oncue.store.archive.files import ArchivedFile, Wanted, of_interest
from oncue.store.archive.index import ArchiveIndex
from oncue.store.archive.places import FolderPlace
from oncue.store.archive.reader import ParquetReader
from oncue.store.sqlite.file import Commit

_log = logging.getLogger(__name__)

STRETCH_BYTES: Final = 64 << 20
"""What the bodies in one file take at most before they are packed; whoever reads it unpacks that."""
_NICE: Final = 15
_TIMEOUT_S: Final = 600


Write = Callable[[Stretch], Awaitable[Written]]


class Archive:
    """The files of all accounts."""

    def __init__(
        self,
        path: Path,
        place: FolderPlace | BucketPlace,
        commit: Commit,
        write: Write | None = None,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._index = ArchiveIndex(path, commit)
        self._place = place
        self._write = write or write_in_child
        self._reader = ParquetReader()
        self._files: dict[str, list[ArchivedFile]] = {}
        self._reached = self._index.reached()
        self._held: Counter[str] = Counter()
        self._left_behind = self._index.left_behind()
        for file in self._index.kept():
            if place.has(file.name):
                self._files.setdefault(file.account, []).append(file)
            else:
                _log.error("the archive lacks %s: its events are not there", file.name)

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
                self._index.take_back(account, names, self._reached[account])
                self._left_behind += [(account, name) for name in names]
                del files[-len(beyond) :]

    async def fetch(
        self,
        files: Sequence[ArchivedFile],
        view: tuple[int, int],
        select: str,
        values: Sequence[int | str | None],
    ) -> list[Any]:
        """Return what a statement finds in files; `view` is the account's number, and where it ends."""
        with self.held(file.name for file in files):
            paths = await self.local(files)
            return await self._reader.fetch(paths, view, select, values)

    @contextmanager
    def held(self, names: Iterable[str]) -> Iterator[None]:
        """Keep files from being deleted until the block ends."""
        held = list(names)
        self._held.update(held)
        try:
            yield
        finally:
            self._held -= Counter(held)

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
        name = self._free_name(account, bounds[0] + 1)
        with self.held([name]):
            self._left_behind.append((account, name))
            await self._index.begin(account, name)
            target = str(self._place.begin(name))
            paths = [str(path) for path in segments]
            written = await self._write(
                Stretch(account, paths, number, *bounds, STRETCH_BYTES, target)
            )
            await self._place.take(name)
            wanted = Wanted((bounds[0] + 1, written.last), written.times, written.arrivals)
            file = ArchivedFile(account, name, wanted, written.events, written.size)
            await self._index.keep(file)
            self._left_behind.remove((account, name))
        self._files.setdefault(account, []).append(file)
        self._reached[account] = file.last
        return written.bodies

    async def drop(self, before_ms: int, needed: Mapping[str, int]) -> int:
        """Delete the files that arrived before an instant, up to what is `needed`; return how many."""
        await self._clean_up()
        dropped = 0
        for account, files in list(self._files.items()):
            old = [
                file
                for file in files
                if file.wanted.arrivals[1] < before_ms and file.last <= needed.get(account, 0)
            ]
            if old:
                await self._index.let_go(old)
                self._files[account] = files[len(old) :]
                self._left_behind += [(account, file.name) for file in old]
                dropped += len(old)
        await self._clean_up()
        return dropped

    async def close(self) -> None:
        """Let go of the files."""
        self._reader.close()
        await self._index.close()

    def _free_name(self, account: str, first: int) -> str:
        # What a crash left behind may still have a name of the same offset.
        left = {name for _, name in self._left_behind}
        names = (f"{account}/{first:016}-{attempt}.parquet" for attempt in count(1))
        return next(name for name in names if name not in left)

    async def _clean_up(self) -> None:
        """Delete what was let go of, or was not finished, and is read by nobody."""
        for account, name in list(self._left_behind):
            if not self._held[name]:
                await self._place.delete(name)
                await self._index.forget(account, name)
                self._left_behind.remove((account, name))


def newest_first(files: Sequence[ArchivedFile], wanted: Wanted) -> Iterator[list[ArchivedFile]]:
    """Yield files in which something wanted may be: the newest alone, then more and more at once."""
    left, size = of_interest(files, wanted), 1
    while left:
        yield left[-size:]
        del left[-size:]
        size = min(size * 2, _MOST_AT_ONCE)


_MOST_AT_ONCE: Final = 32


async def write_in_child(stretch: Stretch) -> Written:
    """
    Return what a process of its own wrote.

    Raises:
        Overloaded: it could not.
    """
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "oncue.store.archive.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, running.pid, _NICE)
        async with asyncio.timeout(_TIMEOUT_S):
            said, errors = await running.communicate(msgspec.json.encode(stretch))
    except TimeoutError as exc:
        raise Overloaded(f"expected a file of the archive within {_TIMEOUT_S} s") from exc
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    if running.returncode:
        why = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise Overloaded(f"expected the archive to take a file, got: {why}")
    return msgspec.json.decode(said, type=Written)

"""
A sealed segment: a file of the log that nothing is appended to any more.

It is asked for identities on every append, so a filter in memory answers
first: it says "not here" for all but one in a hundred strangers, and only its
hits cost a look into the index. (Measured: looking into 90 indexes costs an
event half a millisecond.) The filter lies beside the file. It is made in a thread
(four seconds for two million records); until then the index answers alone.
"""

import asyncio
import logging
import operator
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

from rbloom import Bloom

from oncue.store.archive.ids import STRANGERS_LET_IN, id_hash
from oncue.store.sqlite import record
from oncue.store.sqlite.record import First

T = TypeVar("T")

_log = logging.getLogger(__name__)


class SealedSegment:
    """A file to read from."""

    def __init__(self, path: Path, readers: Executor) -> None:
        self.path = path
        self._filter_path = path.with_suffix(".filter")
        self.number = int(path.stem)
        self._readers = readers
        self._reads = 0
        self.is_deleted = False
        # For lookups by the writer: one at a time, if not always in the same thread.
        self.connection = open_read_only(path)
        self.numbers: dict[str, int] = dict(
            self.connection.execute("SELECT account, number FROM account").fetchall()
        )
        self.heads: dict[int, int] = dict(self.connection.execute(record.HEADS).fetchall())
        """The offsets given before it, also to accounts that it has nothing of."""
        found = {
            n: self.connection.execute(record.BOUNDS, (n,)).fetchone()
            for n in self.numbers.values()
        }
        self.bounds: dict[int, tuple[int, int]] = {
            number: bounds for number, bounds in found.items() if bounds[1] is not None
        }
        newest = [self.connection.execute(record.NEWEST, (n,)).fetchone()[0] for n in self.bounds]
        self.last_arrival: int = max(newest, default=0)
        self._filter = self._load_filter()
        self._filtering: asyncio.Task[None] | None = None

    def first(self, number: int, id_: str, source: str, identity: int) -> First | None:
        """Return the newest row of an identity, whose `identity_hash` is given; None if none."""
        if self._filter is not None and identity not in self._filter:
            return None
        found: First | None = self.connection.execute(
            record.FIRST, (number, id_, source)
        ).fetchone()
        return found

    async def read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `read` finds; not for one that is deleted."""
        self._reads += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._readers, lambda: _open_and_read(self.path, read)
            )
        finally:
            self._reads -= 1
            if self.is_deleted and not self._reads:
                self._remove()

    def make_filter(self) -> None:
        """Make the filter, if it was not there."""
        if self._filter is None:
            self._filter = self._filled(self.connection)

    def make_filter_beside(self) -> None:
        """Begin to make the filter in a thread."""
        self._filtering = asyncio.create_task(self._filter_beside(), name="filter")

    async def filtered(self) -> None:
        """Return when no filter is being made."""
        if self._filtering:
            await self._filtering

    def is_done_with(self, before_ms: int, needed: Mapping[str, int]) -> bool:
        """Return whether all is older than an instant, and nothing above `needed` by account."""
        return self.last_arrival < before_ms and all(
            self.bounds[number][1] <= needed.get(account, 0)
            for account, number in self.numbers.items()
            if number in self.bounds
        )

    def delete(self) -> None:
        """Give back its room on the disk, once those who read it have ended."""
        self.is_deleted = True
        self.close()
        if not self._reads:
            self._remove()

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def _remove(self) -> None:
        for suffix in (".filter", ".part", ".db-wal", ".db-shm", ".db"):
            self.path.with_suffix(suffix).unlink(missing_ok=True)

    def _load_filter(self) -> Bloom | None:
        try:
            return Bloom.load(self._filter_path, operator.index)
        except (OSError, ValueError):
            return None

    async def _filter_beside(self) -> None:
        self._filter = await self.read(self._filled)

    def _filled(self, connection: sqlite3.Connection) -> Bloom:
        count = sum(last - first + 1 for first, last in self.bounds.values())
        made = Bloom(max(count, 1), STRANGERS_LET_IN, operator.index)
        for number, source, id_ in connection.execute(record.IDENTITIES):
            made.add(identity_hash(number, id_, source))
        try:
            # Whole or not at all: half a filter would let repeats pass for strangers.
            unfinished = self._filter_path.with_suffix(".part")
            made.save(unfinished)
            unfinished.replace(self._filter_path)
        except OSError as exc:
            _log.warning("the filter of %s is made anew at each start: %s", self.path.name, exc)
        return made


def identity_hash(number: int, id_: str, source: str) -> int:
    """Return what stands for an identity in a filter; the same in every process."""
    return id_hash(f"{number}:{len(id_)}:{id_}{source}")


def open_read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that sees what is durable and writes nothing."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _open_and_read(path: Path, read: Callable[[sqlite3.Connection], T]) -> T:
    connection = open_read_only(path)
    try:
        return read(connection)
    finally:
        connection.close()

"""
One SQLite file: a single writer with group commit, and a few readers.

Writes queue up while a commit is on its way; the next commit takes all that
came meanwhile. There is no gathering window: at low load a write waits for its
own fsync only, at high load hundreds share one. (A window of 2 ms was measured
to cut throughput to a third.)

    write ─▶ queue ─▶ BEGIN · op · op · op ─▶ COMMIT (fsync, in a thread) ─▶ all their futures

Only the commit leaves the event loop. Operations are a few microseconds each,
and in a thread each of their calls into SQLite would have to get the
interpreter lock back from a busy loop: measured, a fifth of the throughput.

If one operation of a batch fails, the batch is rolled back and each is tried
in a transaction of its own, so that a bad one harms nobody else. Operations
therefore hold no state of their own.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from oncue.core.errors import Overloaded

T = TypeVar("T")

Commit = Callable[[sqlite3.Connection], None]

MAX_WAITING = 50_000
"""Writes that may queue up before callers are told to come again later."""
MAX_BATCH = 512
READERS = 2


class _Pending(Generic[T]):
    """A write on its way: what to run, and whom to tell."""

    __slots__ = ("after", "future", "op", "result")

    def __init__(
        self, op: Callable[[sqlite3.Connection], T], after: Callable[[T], None] | None
    ) -> None:
        self.op = op
        self.after = after
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.result: T

    def succeed(self) -> None:
        if self.after:
            self.after(self.result)
        if not self.future.done():
            self.future.set_result(self.result)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class SqliteFile:
    """A file that is open for writing; `commit` is replaced by tests that die in it."""

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        commit: Commit = sqlite3.Connection.commit,
        on_rollback: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = path
        self._commit = commit
        self._on_rollback = on_rollback
        self._queue: deque[_Pending[Any]] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._committer = ThreadPoolExecutor(1, f"commit-{path.stem}")
        self._connection = _open(path)
        self._connection.executescript(schema)
        self._local = threading.local()
        self._reader_connections: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(READERS, f"read-{path.stem}")

    async def write(
        self, op: Callable[[sqlite3.Connection], T], after: Callable[[T], None] | None = None
    ) -> T:
        """
        Return the result of `op` once it is durable; `after` sees it even if the caller is gone.

        Raises:
            Overloaded: too many writes wait, or the disk is full.
        """
        if len(self._queue) >= MAX_WAITING:
            raise Overloaded("expected room in the write queue, got none")
        pending = _Pending(op, after)
        self._queue.append(pending)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_queue(), name="writer")
        return await pending.future

    async def read(self, op: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `op` on a connection that sees all that is durable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: op(self._reader()))

    def read_now(self, op: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `op` at once; for the time before the loop runs."""
        return op(self._connection)

    async def close(self) -> None:
        """Write what is queued, and let go of the file."""
        if self._writing:
            await self._writing
        self._committer.shutdown()
        self._readers.shutdown()
        for connection in self._reader_connections:
            connection.close()
        self._connection.close()

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = _open(self._path)
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            self._reader_connections.append(connection)
        return connection

    async def _write_queue(self) -> None:
        while self._queue:
            batch = list(islice(self._queue, MAX_BATCH))
            for _ in batch:
                self._queue.popleft()
            await self._write_batch(batch)
        self._writing = None

    async def _write_batch(self, batch: Sequence[_Pending[Any]]) -> None:
        try:
            await self._transact(batch)
        except Exception as exc:  # noqa: BLE001 a bug in one write must not end the only writer
            if len(batch) == 1:
                batch[0].fail(_as_ours(exc))
                return
            for pending in batch:
                await self._write_batch([pending])
            return
        for pending in batch:
            pending.succeed()

    async def _transact(self, batch: Sequence[_Pending[Any]]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for pending in batch:
                pending.result = pending.op(connection)
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._committer, self._commit, connection)
        except Exception:
            if connection.in_transaction:
                connection.rollback()
            self._on_rollback()
            raise


def _as_ours(error: Exception) -> Exception:
    """Return what the disk or another process is to blame for as something that may pass."""
    if not isinstance(error, sqlite3.OperationalError):
        return error
    if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
        return Overloaded("expected room on the disk, got none", retry_after_s=60)
    return Overloaded(f"expected the store to take a write, got: {error}")


def _open(path: Path) -> sqlite3.Connection:
    # Autocommit: transactions are begun and ended by us alone.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit returns after the fsync of the WAL; NORMAL loses the last commits.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA cache_size = -65536")
    return connection

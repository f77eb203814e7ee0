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
Those that write much are the exception: a hundred events of 256 KiB would keep
everybody waiting for a quarter of a second.

If one operation of a batch fails, the batch is rolled back and each is tried
in a transaction of its own, so that a bad one harms nobody else. Operations
therefore hold no state of their own.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from oncue.core.errors import NewerFormat, Overloaded
from oncue.store.disk import no_room
from oncue.store.sqlite.checkpoints import LONG, Checkpoints

T = TypeVar("T")

Commit = Callable[[sqlite3.Connection], None]

FORMAT = 1
"""The form of the files of our own, to which their schemas bring each older one."""
MAX_WAITING = 50_000
"""Writes that may queue up before callers are told to come again later."""
MAX_BATCH = 512
MAX_BATCH_BYTES = 4 << 20
"""After so much another commit begins: whoever writes little does not wait for all that is large."""
READERS = 2
# The system keeps what was read, too, and lends that memory to whoever needs it.
_WRITER_CACHE_KB = 16_384
_READER_CACHE_KB = 2_048
_LAST_PATIENCE_MS = 200
_MUCH_BYTES = 1 << 20
_PAGES_GIVEN_BACK = 256


class _Pending(Generic[T]):
    """A write on its way: what to run, and whom to tell."""

    __slots__ = ("after", "future", "op", "result", "size")

    def __init__(
        self, op: Callable[[sqlite3.Connection], T], after: Callable[[T], None] | None, size: int
    ) -> None:
        self.op = op
        self.after = after
        self.size = size
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
        long_log: int = LONG,
        shrinks: bool = False,
    ) -> None:
        self._path = path
        self._commit = commit
        self._on_rollback = on_rollback
        self._queue: deque[_Pending[Any]] = deque()
        # Of a batch that failed: each is tried by itself.
        self._suspects: deque[_Pending[Any]] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._committer = ThreadPoolExecutor(1, f"commit-{path.stem}")
        self._connection = _open(path, _WRITER_CACHE_KB, shrinks=shrinks)
        _check_format(path, self._connection)
        self._connection.executescript(schema)
        if _format_of(self._connection) != FORMAT:
            self._connection.execute(f"PRAGMA user_version = {FORMAT}")
        self._checkpoints = Checkpoints(path, long_log)
        self._rows = self._connection.total_changes
        self._local = threading.local()
        self._reader_connections: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(READERS, f"read-{path.stem}")

    async def write(
        self,
        op: Callable[[sqlite3.Connection], T],
        after: Callable[[T], None] | None = None,
        size: int = 0,
    ) -> T:
        """
        Return the result of `op` once it is durable; `after` sees it even if the caller is gone.

        `size` is what it writes, where that may be more than a page for each row.

        Raises:
            Overloaded: too many writes wait, or the disk is full.
        """
        if len(self._queue) >= MAX_WAITING:
            raise Overloaded("expected room in the write queue, got none")
        pending = _Pending(op, after, size)
        self._queue.append(pending)
        if self._idle.is_set():
            self._idle.clear()
            # Not at once: what else comes in this turn of the loop shares the commit.
            asyncio.get_running_loop().call_soon(self._write_on)
        return await pending.future

    async def read(self, op: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `op` on a connection that sees all that is durable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: op(self._reader()))

    def read_now(self, op: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `op` at once; for the time before the loop runs."""
        return op(self._connection)

    async def flushed(self) -> None:
        """Return when nothing is queued any more."""
        await self._idle.wait()

    async def close(self) -> None:
        """Write what is queued, and let go of the file."""
        await self.flushed()
        self._committer.shutdown()
        self._checkpoints.close()
        self._readers.shutdown()
        for connection in self._reader_connections:
            connection.close()
        # Left to the last who closes, the log would stay where somebody still reads.
        self._connection.execute(f"PRAGMA busy_timeout = {_LAST_PATIENCE_MS}")
        with contextlib.suppress(sqlite3.OperationalError):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = _open(self._path, _READER_CACHE_KB)
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            self._reader_connections.append(connection)
        return connection

    def _write_on(self) -> None:
        """Begin the next transaction; none is open, and none is on its way."""
        if self._checkpoints.wants_pause:
            self._checkpoints.finish(_in_loop(self._write_on))
            return
        batch = self._next_batch()
        if not batch:
            self._idle.set()
            return
        commit = partial(self._commit, self._connection)
        if sum(pending.size for pending in batch) > _MUCH_BYTES:
            commit = partial(_write_and_commit, batch, self._connection, self._commit)
        else:
            try:
                _write(batch, self._connection)
            except Exception as exc:  # noqa: BLE001 a bug in one write must not end the only writer
                self._fail(batch, exc)
                return
        loop = asyncio.get_running_loop()
        committing = self._committer.submit(commit)
        # One step of the loop from the fsync to all who wait for it; a task that awaits
        # the future would take three, and each is as long as a busy loop makes it.
        committing.add_done_callback(
            lambda done: loop.call_soon_threadsafe(self._committed, batch, done.exception())
        )

    def _next_batch(self) -> list[_Pending[Any]]:
        if self._suspects:
            return [self._suspects.popleft()]
        batch: list[_Pending[Any]] = []
        size = 0
        while self._queue and len(batch) < MAX_BATCH and size < MAX_BATCH_BYTES:
            batch.append(self._queue.popleft())
            size += batch[-1].size
        return batch

    def _committed(self, batch: list[_Pending[Any]], error: BaseException | None) -> None:
        if error:
            self._fail(batch, error)
            return
        for pending in batch:
            pending.succeed()
        rows, self._rows = self._rows, self._connection.total_changes
        if self._checkpoints.count(self._rows - rows, sum(pending.size for pending in batch)):
            self._checkpoints.move(_in_loop(self._moved))
        self._write_on()

    def _moved(self) -> None:
        self._checkpoints.moved()
        if self._checkpoints.wants_pause and self._idle.is_set():
            self._idle.clear()
            self._write_on()

    def _fail(self, batch: list[_Pending[Any]], error: BaseException) -> None:
        if self._connection.in_transaction:
            self._connection.rollback()
        self._on_rollback()
        if len(batch) == 1:
            batch[0].fail(as_ours(error))
        else:
            self._suspects.extend(batch)
        asyncio.get_running_loop().call_soon(self._write_on)


def _write(batch: list[_Pending[Any]], connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for pending in batch:
        pending.result = pending.op(connection)


def _write_and_commit(
    batch: list[_Pending[Any]], connection: sqlite3.Connection, commit: Commit
) -> None:
    _write(batch, connection)
    commit(connection)


def _in_loop(call: Callable[[], None]) -> Callable[[], object]:
    """Return what another thread calls, to have it called here."""
    loop = asyncio.get_running_loop()
    return lambda: loop.call_soon_threadsafe(call)


def as_ours(error: BaseException) -> BaseException:
    """Return what the disk or another process is to blame for as something that may pass."""
    if not isinstance(error, sqlite3.OperationalError):
        return error
    if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
        return no_room()
    return Overloaded(f"expected the store to take a write, got: {error}")


def _format_of(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def _check_format(path: Path, connection: sqlite3.Connection) -> None:
    found = _format_of(connection)
    if found > FORMAT:
        connection.close()
        raise NewerFormat(str(path), found, FORMAT)


def give_back(connection: sqlite3.Connection) -> None:
    """Give back some of the room of what was deleted, where the file was made to shrink."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    for _ in range(min(free, _PAGES_GIVEN_BACK)):
        # Python steps it once, and each step is a page.
        connection.execute("PRAGMA incremental_vacuum")


def _open(path: Path, cache_kb: int, *, shrinks: bool = False) -> sqlite3.Connection:
    # Autocommit: transactions are begun and ended by us alone.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    if shrinks:
        # Before all else: a file that holds anything stays as it is.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit returns after the fsync of the WAL; NORMAL loses the last commits.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA busy_timeout = 10000")
    # See `checkpoints.py`.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA cache_size = -{cache_kb}")
    return connection

"""
Questions over events, each in a process of its own that is killed at its deadline.

    idle ──▶ told where the rows are ──▶ told the question ──▶ killed
      ▲ a few wait; each is replaced as soon as it is taken
"""

import asyncio
import os
import sys
import tempfile
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from oncue.core.errors import InvalidInput, Overloaded, Problem
from oncue.core.json_text import encode_json
from oncue.ports import EventQuestion, EventRows, QueryBounds
from oncue.store.query.messages import (
    Answer,
    Part,
    Question,
    Refusal,
    Reply,
    Rows,
    read_reply,
    write_message,
)

IDLE: Final = 1
"""Processes that wait for a question; each holds some 60 MB."""
AT_ONCE: Final = 2
"""Questions that are answered at once; others wait."""
MAX_WAITING: Final = 16
_NICE: Final = 10
# What the answer may take beyond its rows.
_MAX_REPLY_BYTES: Final = 256 << 20

Export = Callable[[str, Path], AbstractAsyncContextManager[Sequence[Path]]]
"""Writes events of an account into a file, as lines of JSON, and gives the files that have all others."""
OwnBounds = Callable[[str], Awaitable[QueryBounds]]
"""Returns the bounds that an account has of its own."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a question may take."""

    timeout_ms: int = 10_000
    memory_mb: int = 512
    max_bytes: int = 16 << 20

    def with_own(self, own: QueryBounds) -> "Bounds":
        """Return these, and in their place those that an account has of its own."""
        return Bounds(
            own.timeout_ms or self.timeout_ms,
            own.memory_mb or self.memory_mb,
            own.max_bytes or self.max_bytes,
        )


async def no_own_bounds(_account: str) -> QueryBounds:
    """Return what an account has of its own where there is no list of accounts."""
    return QueryBounds()


class QueryPool:
    """Answers questions of all accounts, a few at once."""

    def __init__(
        self,
        export: Export,
        folder: Path,
        bounds: Bounds = Bounds(),
        own_bounds: OwnBounds = no_own_bounds,
        at_once: int = AT_ONCE,
    ) -> None:
        self._export = export
        self._folder = folder
        self._bounds = bounds
        self._own_bounds = own_bounds
        self._idle: deque[asyncio.Task[_Child]] = deque()
        self._slots = asyncio.Semaphore(at_once)
        self._waiting = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._idle:
            with suppress(OSError):
                await (await self._idle.popleft()).kill()

    async def ask(self, account: str, question: EventQuestion) -> EventRows:
        """
        Return the rows that a question gives.

        Raises:
            InvalidInput: it is no question, or over a bound.
            Overloaded: too many ask.
        """
        if self._waiting >= MAX_WAITING:
            raise Overloaded("expected fewer queries at once", retry_after_s=1)
        self._waiting += 1
        try:
            async with self._slots:
                return await self._answered(account, question)
        finally:
            self._waiting -= 1

    async def _answered(self, account: str, question: EventQuestion) -> EventRows:
        elapsed = asyncio.get_running_loop().time
        began = elapsed()
        bounds = self._bounds.with_own(await self._own_bounds(account))
        child = await self._take()
        try:
            async with asyncio.timeout(bounds.timeout_ms / 1_000):
                reply = await self._exchange(child, account, question, bounds)
        except TimeoutError as exc:
            raise _refused(f"over time: no answer within {bounds.timeout_ms} ms") from exc
        except (OSError, asyncio.IncompleteReadError) as exc:
            raise _refused("over memory: the query wants more than it may have") from exc
        finally:
            await child.kill()
        if isinstance(reply, Refusal):
            raise _refused(reply.message, *reply.further)
        assert isinstance(reply, Answer)
        elapsed_ms = round((elapsed() - began) * 1_000)
        return EventRows(reply.columns, reply.body, reply.row_count, reply.is_truncated, elapsed_ms)

    async def _exchange(
        self, child: "_Child", account: str, question: EventQuestion, bounds: Bounds
    ) -> Reply:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (
            tempfile.TemporaryDirectory(dir=self._folder) as folder,
            tempfile.TemporaryDirectory(prefix="oncue-query-") as links,
        ):
            lines = Path(folder) / "events.ndjson"
            async with self._export(account, lines) as archived:
                names = [f"{place}.parquet" for place in range(len(archived))]
                for name, path in zip(names, archived, strict=True):
                    (Path(links) / name).symlink_to(path.absolute())
                await child.ask(Rows(account, str(lines), links, names, bounds.memory_mb, 1))
                lines.unlink()
                return await child.ask(_asked(question, bounds))

    async def _take(self) -> "_Child":
        taken = self._idle.popleft() if self._idle else _begin()
        while len(self._idle) < IDLE:
            self._idle.append(_begin())
        return await taken


class _Child:
    """A process that answers one question."""

    def __init__(self, running: asyncio.subprocess.Process) -> None:
        self._running = running

    async def ask(self, part: Part) -> Reply:
        """Return the reply to one part."""
        reader, writer = self._running.stdout, self._running.stdin
        assert reader
        assert writer
        writer.write(write_message(part))
        await writer.drain()
        size = int.from_bytes(await reader.readexactly(4))
        if size > _MAX_REPLY_BYTES:
            raise OSError
        return read_reply(await reader.readexactly(size))

    async def kill(self) -> None:
        """End it, whatever it does."""
        if self._running.returncode is None:
            with suppress(ProcessLookupError):
                self._running.kill()
        await self._running.wait()


def _asked(question: EventQuestion, bounds: Bounds) -> Question:
    return Question(
        question.sql,
        encode_json(question.params),
        question.limit,
        bounds.max_bytes,
        question.media_type,
    )


def _begin() -> "asyncio.Task[_Child]":
    return asyncio.create_task(_started(), name="query process")


async def _started() -> _Child:
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "oncue.store.query.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, running.pid, _NICE)
    return _Child(running)


def _refused(*messages: str) -> InvalidInput:
    return InvalidInput([Problem("sql", message) for message in messages])

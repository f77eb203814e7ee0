"""
Questions over events, each in a process of its own that is killed at its deadline.

    idle ──▶ told where the rows are ──▶ told the question ──▶ killed
      ▲ a few wait; each is replaced as soon as it is taken
"""

import asyncio
import logging
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

from oncue.core.errors import InvalidInput, Overloaded, Problem
from oncue.core.json_text import encode_json
from oncue.ports import EventQuestion, EventRows, QueryBounds
from oncue.store.children import EndedError, Ending
from oncue.store.query.messages import (
    OVER_MEMORY,
    Answer,
    Question,
    Refusal,
    Reply,
    Rows,
)
from oncue.store.query.parent import QueryChild
from oncue.store.query.turns import AT_ONCE, Turns

_log = logging.getLogger(__name__)

IDLE: Final = 1
"""Processes that wait for a question; each holds some 60 MB."""

Export = Callable[[str, Path], AbstractAsyncContextManager[Sequence[Path]]]
"""Writes events of an account into a file, as lines of JSON, and gives the files that have all others."""
Start = Callable[[], Awaitable[QueryChild]]
_Folders: TypeAlias = "tuple[tempfile.TemporaryDirectory[str], tempfile.TemporaryDirectory[str]]"
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
        start: Start = QueryChild.start,
    ) -> None:
        self._export = export
        self._folder = folder
        self._bounds = bounds
        self._own_bounds = own_bounds
        self._start = start
        self._idle: deque[asyncio.Task[QueryChild]] = deque()
        self._turns = Turns(at_once)

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
        async with self._turns.turn(account):
            bounds = self._bounds.with_own(await self._own_bounds(account))
            return await self._answered(account, question, bounds)

    async def _answered(self, account: str, question: EventQuestion, bounds: Bounds) -> EventRows:
        elapsed = asyncio.get_running_loop().time
        began = elapsed()
        child = await self._taken()
        try:
            async with asyncio.timeout(bounds.timeout_ms / 1_000):
                reply = await self._exchange(child, account, question, bounds)
        except TimeoutError as exc:
            raise _refused(f"over time: no answer within {bounds.timeout_ms} ms") from exc
        except EndedError as exc:
            _log.warning("query account=%s ended its process pid=%s: %s", account, child.pid, exc)
            raise _refused(_told(exc.ending)) from exc
        finally:
            await child.kill()
        if isinstance(reply, Refusal):
            raise _refused(reply.message, *reply.further)
        assert isinstance(reply, Answer)
        elapsed_ms = round((elapsed() - began) * 1_000)
        return EventRows(reply.columns, reply.body, reply.row_count, reply.is_truncated, elapsed_ms)

    async def _exchange(
        self, child: QueryChild, account: str, question: EventQuestion, bounds: Bounds
    ) -> Reply:
        async with _folders(self._folder) as (folder, links):
            lines = folder / "events.ndjson"
            async with self._export(account, lines) as archived:
                names = [f"{place}.parquet" for place in range(len(archived))]
                for name, path in zip(names, archived, strict=True):
                    (links / name).symlink_to(path.absolute())
                rows = Rows(account, str(lines), str(links), names, bounds.memory_mb)
                reply = await _loaded(child, account, rows)
                if isinstance(reply, Refusal):
                    return reply
                await asyncio.to_thread(lines.unlink)
                return await child.ask(_asked(question, bounds))

    async def _taken(self) -> QueryChild:
        """Return a process that nobody has asked yet, and see that there is another one."""
        waiting = self._idle.popleft() if self._idle else self._begin()
        while len(self._idle) < IDLE:
            self._idle.append(self._begin())
        try:
            child = await asyncio.shield(waiting)
            if child.is_over:
                await child.kill()
                child = await self._start()
        except asyncio.CancelledError:
            # Whoever asks next may have it.
            self._idle.appendleft(waiting)
            raise
        except OSError as exc:
            _log.warning("no process for a query can be started: %s", exc)
            raise Overloaded("expected room for the process of a query, got none") from exc
        return child

    def _begin(self) -> asyncio.Task[QueryChild]:
        async def begun() -> QueryChild:
            return await self._start()

        return asyncio.create_task(begun(), name="query process")


@asynccontextmanager
async def _folders(beside: Path) -> AsyncIterator[tuple[Path, Path]]:
    """Give two folders for a question: one among the data, and one whose place tells nothing of it."""

    def made() -> _Folders:
        beside.mkdir(parents=True, exist_ok=True, mode=0o700)
        return (
            tempfile.TemporaryDirectory(dir=beside),
            tempfile.TemporaryDirectory(prefix="oncue-query-"),
        )

    # Whoever gives up meanwhile still has what is made deleted.
    making = asyncio.create_task(asyncio.to_thread(made), name="folders of a query")
    try:
        folder, links = await asyncio.shield(making)
        yield Path(folder.name), Path(links.name)
    finally:
        await asyncio.shield(_deleted(making))


async def _deleted(making: asyncio.Task[_Folders]) -> None:
    for folder in await making:
        # What is in it may be large, and the disk busy.
        await asyncio.to_thread(folder.cleanup)


async def _loaded(child: QueryChild, account: str, rows: Rows) -> Reply:
    try:
        return await child.ask(rows)
    except EndedError as exc:
        if exc.ending.is_for_memory:
            raise
        # Nothing of the query was seen yet: it is not to blame.
        _log.warning("process of a query ended account=%s pid=%s: %s", account, child.pid, exc)
        raise Overloaded("expected the process of the query to go on, it ended") from exc


def _told(ending: Ending) -> str:
    if ending.is_for_memory:
        return OVER_MEMORY
    return f"the query ended its process ({ending}): write it otherwise"


def _asked(question: EventQuestion, bounds: Bounds) -> Question:
    return Question(
        question.sql,
        encode_json(question.params),
        question.limit,
        bounds.max_bytes,
        question.media_type,
    )


def _refused(*messages: str) -> InvalidInput:
    return InvalidInput([Problem("sql", message) for message in messages])

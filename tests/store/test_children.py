"""Processes beside the server: none stays, whoever gives up and when."""

import asyncio
import gc
import os
import signal
import threading
from pathlib import Path, PosixPath
from typing import Any, ClassVar, Self

import pytest

from oncue.ports import EventQuestion
from oncue.store.query.parent import QueryChild
from oncue.store.query.pool import QueryPool
from oncue.store.sqlite.log import SqliteEventLog
from tests.store.logs import use_log
from tests.turning import a_turn


class Watched(QueryChild):
    """A process that is known even where nobody got it."""

    begun: ClassVar[list[QueryChild]]
    ended: ClassVar[list[QueryChild]]

    @classmethod
    async def start(cls) -> Self:
        child = await super().start()
        cls.begun.append(child)
        return child

    async def kill(self) -> None:
        self.ended.append(self)
        await super().kill()


@pytest.fixture
def watched() -> type[Watched]:
    Watched.begun, Watched.ended = [], []
    return Watched


def test_nothing_stays_of_one_whose_start_is_given_up() -> None:
    async def give_up() -> list[int]:
        opened = []
        for turns in range(10):
            starting = asyncio.create_task(QueryChild.start())
            for _ in range(turns):
                await a_turn()
            starting.cancel()
            for child in await asyncio.gather(starting, return_exceptions=True):
                if isinstance(child, QueryChild):
                    await child.kill()
            await a_turn()
            gc.collect()
            opened.append(len(os.listdir("/dev/fd")))
        return opened

    opened = asyncio.run(give_up())

    assert opened == opened[:1] * len(opened)


def test_one_whose_asker_went_is_there_for_the_next(tmp_path: Path, watched: type[Watched]) -> None:
    async def use(log: SqliteEventLog) -> bytes:
        async def start() -> Watched:
            child = await watched.start()
            asking.cancel()
            return child

        question = EventQuestion("SELECT 1")
        async with QueryPool(log.past.all_rows, tmp_path / "q", start=start) as pool:
            asking = asyncio.create_task(pool.ask("a", question))
            with pytest.raises(asyncio.CancelledError):
                await asking
            return (await pool.ask("a", question)).body

    assert use_log(tmp_path, use) == b"[[1]]"
    assert len(watched.begun) == 2
    assert set(watched.ended) == set(watched.begun)


def test_folders_that_are_made_for_who_went_are_deleted(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(PosixPath):
        def mkdir(self, *args: Any, **options: Any) -> None:
            begun.set()
            go_on.wait()
            super().mkdir(*args, **options)

    async def use(log: SqliteEventLog) -> None:
        async with QueryPool(log.past.all_rows, Slow(tmp_path / "q")) as pool:
            asking = asyncio.create_task(pool.ask("a", EventQuestion("SELECT 1")))
            await asyncio.to_thread(begun.wait)
            asking.cancel()
            await a_turn()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await asking
        gc.collect()

    use_log(tmp_path, use)

    assert not list((tmp_path / "q").iterdir())


def test_one_that_ended_before_it_was_asked_is_let_go_of(
    tmp_path: Path, watched: type[Watched]
) -> None:
    async def use(log: SqliteEventLog) -> bytes:
        async def start() -> Watched:
            child = await watched.start()
            if len(watched.begun) == 1:
                os.kill(child.pid, signal.SIGKILL)
                ended = (os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
                await asyncio.to_thread(os.waitid, *ended)
            return child

        async with QueryPool(log.past.all_rows, tmp_path / "q", start=start) as pool:
            return (await pool.ask("a", EventQuestion("SELECT 1"))).body

    assert use_log(tmp_path, use) == b"[[1]]"
    assert set(watched.ended) == set(watched.begun)

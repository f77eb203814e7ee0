"""Why the process of a query ended, and what is told of it."""

import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import Overloaded
from oncue.ports import EventQuestion
from oncue.store.children import Ending
from oncue.store.query.messages import Part, Question, Reply
from oncue.store.query.parent import QueryChild
from oncue.store.query.pool import Bounds, QueryPool
from oncue.store.sqlite.log import SqliteEventLog
from tests.make import make_incoming
from tests.store.logs import use_log
from tests.store.query.asking import ACCOUNT, ENDLESS, ask_pool, told

# A bug of DuckDB's, on which it ends; if a release mends it, another will do.
CRASH = "SELECT (repeat('[', 100000) || repeat(']', 100000))::JSON::VARIANT"


def test_a_process_that_a_query_ends_is_not_said_to_want_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told, after = ask_pool(tmp_path, Bounds(60_000), f"{CRASH} -- secret value", "SELECT 1")

    assert told == "the query ended its process (signal 11, SIGSEGV): write it otherwise"
    assert after == "[[1]]"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"account={ACCOUNT}" in caplog.text
    assert "signal 11, SIGSEGV" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGKILL, "over memory: the query wants more than it may have"),
        (signal.SIGSEGV, "the query ended its process (signal 11, SIGSEGV): write it otherwise"),
        (signal.SIGABRT, "the query ended its process (signal 6, SIGABRT): write it otherwise"),
    ],
)
def test_what_others_do_to_its_process_istold(tmp_path: Path, number: int, words: str) -> None:
    class Doomed(QueryChild):
        async def ask(self, part: Part) -> Reply:
            asked = asyncio.ensure_future(super().ask(part))
            if isinstance(part, Question) and part.sql == ENDLESS:
                os.kill(self.pid, number)
            return await asked

    assert ask_pool(tmp_path, Bounds(60_000), ENDLESS, "SELECT 1", start=Doomed.start) == [
        words,
        "[[1]]",
    ]


@pytest.mark.parametrize(
    ("code", "words", "is_for_memory"),
    [
        (-signal.SIGKILL, b"", True),
        (-signal.SIGABRT, b"terminate called after throwing an instance of 'std::bad_alloc'", True),
        (1, b"Traceback ...\nMemoryError\n", True),
        (-signal.SIGABRT, b"terminate called after throwing an instance of 'x'", False),
        (-signal.SIGSEGV, b"", False),
        (1, b"ImportError", False),
    ],
)
def test_how_a_process_ended_says_why(code: int, words: bytes, is_for_memory: object) -> None:
    assert Ending(code, words).is_for_memory == is_for_memory


def test_a_process_that_ends_before_it_saw_the_query_is_not_held_against_it(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[Any]:
        async with QueryPool(log.past.all_rows, tmp_path / "q", start=Dead.start) as pool:
            with pytest.raises(Overloaded, match="process of the query to go on, it ended"):
                await pool.ask(ACCOUNT, EventQuestion("SELECT 1"))
        async with QueryPool(log.past.all_rows, tmp_path / "q", start=_no_child) as pool:
            with pytest.raises(Overloaded, match="room for the process of a query"):
                await pool.ask(ACCOUNT, EventQuestion("SELECT 1"))
        return []

    class Dead(QueryChild):
        async def ask(self, part: Part) -> Reply:
            os.kill(self.pid, signal.SIGTERM)
            return await super().ask(part)

    use_log(tmp_path, use)


async def _no_child() -> QueryChild:
    raise BlockingIOError


def test_rows_that_take_more_memory_than_there_is_are_told_as_that(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> str:
        for number in range(4):
            large = [
                make_incoming(
                    id=f"{number}-{n}", data={"x": "".join(map(str, range(n, n + 40_000)))}
                )
                for n in range(100)
            ]
            await log.append(ACCOUNT, large)
        async with QueryPool(log.past.all_rows, tmp_path / "q", Bounds(60_000, 64)) as pool:
            return await told(pool, "SELECT 1")

    assert use_log(tmp_path, use).startswith("over memory: ")

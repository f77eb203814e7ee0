"""Executions that ended are deleted once they are old, some at a time."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from oncue.core.dead_letters import LetterState
from oncue.core.errors import PermanentError
from oncue.engine.retention import DAY_MS, FinishedRetention
from oncue.ports import ExecutionFilter, LetterFilter
from oncue.store.sqlite import finished
from oncue.store.sqlite.finished import SqliteFinished
from oncue.testing.clock import VirtualClock
from tests.installation import ACCOUNT, Crash, CrashError, Installed, installed
from tests.make import make_call, make_document

HOUR_MS = 3_600_000
FLOW = make_document(steps=[make_call("call"), {"id": "wait", "type": "delay", "for": "1d"}])


async def run(world: Installed, count: int) -> None:
    await world.engine.definitions.create_workflow(ACCOUNT, FLOW)
    for n in range(count):
        await world.send(id=f"e-{n}")
    await world.settle_after(DAY_MS)


async def left(world: Installed) -> int:
    return len(await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 500))


async def asleep(world: Installed) -> None:
    """Return once the retention waits for its next hour: before that, time would pass it by."""
    while not world.clock.is_awaited(world.clock.now_ms() + HOUR_MS):
        await world.statuses()


class Watched:
    """Tells of each part that was deleted."""

    def __init__(self, store: SqliteFinished) -> None:
        self._store = store
        self.passes: asyncio.Queue[int] = asyncio.Queue()

    async def drop(self, account: str, before_ms: int) -> int:
        count = await self._store.drop(account, before_ms)
        self.passes.put_nowait(count)
        return count


def rows(folder: Path) -> dict[str, int]:
    with sqlite3.connect(folder / "journal.db") as connection:
        tables = ("execution", "turn", "timer", "replay", "dead_letter", "redrive")
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in tables
        }


def test_what_has_ended_goes_after_so_many_days_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with installed(tmp_path) as world:
            await run(world, finished._AT_ONCE + 5)
            (execution, *_) = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 1)
            store = Watched(SqliteFinished(world.journal.file))
            retention = FinishedRetention(store, world.parts.accounts, world.clock, 30)
            retention.start()
            await asleep(world)
            await world.settle_after(29 * DAY_MS)
            await asleep(world)
            assert await left(world) == finished._AT_ONCE + 5
            # One that has not ended is kept, however old.
            await world.send(id="late")
            world.clock.advance(2 * DAY_MS)
            while await left(world) > 1:
                await store.passes.get()
            await retention.stop()
            assert execution.id not in {
                row.id
                for row in await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 9)
            }

    asyncio.run(main())
    assert rows(tmp_path)["execution"] == 1
    assert rows(tmp_path)["replay"] == 0


def test_what_an_open_dead_letter_needs_is_kept_until_it_is_closed(tmp_path: Path) -> None:
    async def main() -> None:
        async with installed(tmp_path) as world:
            await world.engine.definitions.create_workflow(
                ACCOUNT, make_document(steps=[make_call("call")])
            )
            world.actions.answers.append(PermanentError("no"))
            await world.send(id="bad")
            await world.engine.settled()
            store = SqliteFinished(world.journal.file)
            await world.settle_after(100 * DAY_MS)
            assert await store.drop(ACCOUNT, world.clock.now_ms() - 90 * DAY_MS) == 0
            (letter,) = await world.parts.letters.all(ACCOUNT, LetterFilter(), 10)
            assert letter.state is LetterState.OPEN
            await world.engine.dead_letters.redrive(ACCOUNT, letter.id)
            await world.engine.settled()
            # The first execution goes now; the letter, closed just now, later.
            assert await store.drop(ACCOUNT, world.clock.now_ms() - 90 * DAY_MS) == 1
            assert await world.statuses() == ["completed"]
            await world.settle_after(100 * DAY_MS)
            assert await store.drop(ACCOUNT, world.clock.now_ms() - 90 * DAY_MS) == 2

    asyncio.run(main())
    assert set(rows(tmp_path).values()) == {0}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_leaves_nothing_by_halves(tmp_path: Path, moment: str) -> None:
    clock = VirtualClock()

    async def main() -> None:
        async with installed(tmp_path, clock=clock) as world:
            await run(world, 3)
        crash = Crash(1, moment)
        clock.advance(100 * DAY_MS)
        async with installed(tmp_path, clock=clock, commit=crash) as world:
            with pytest.raises(CrashError):
                await SqliteFinished(world.journal.file).drop(ACCOUNT, clock.now_ms())
        async with installed(tmp_path, clock=clock) as world:
            counts = rows(tmp_path)
            assert counts["execution"] in (0, 3)
            assert (counts["turn"] == 0) == (counts["execution"] == 0)

    asyncio.run(main())

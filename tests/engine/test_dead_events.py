"""Events on which patterns raise exceptions: kept, seen again, and no more than ten in a row."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oncue.core.dead_letters import LetterState, Queue
from oncue.core.errors import Conflict
from oncue.core.json_text import Json
from oncue.ports import DeadLetter, LetterFilter
from oncue.testing.clock import VirtualClock
from tests.fragile import TWICE, bug
from tests.installation import ACCOUNT, Crash, Installed, installed


async def pay(world: Installed, *ids: str, bad: bool = False) -> None:
    for id_ in ids:
        event: dict[str, Json] = {"type": "order.paid", "id": id_, "subject": "ada", "data": {"bad": bad}}  # fmt: skip
        await world.engine.ingest.accept(ACCOUNT, event)
        await world.engine.settled()


async def letters(world: Installed) -> list[DeadLetter]:
    return await world.parts.letters.all(ACCOUNT, LetterFilter(Queue.EVENTS), 100)


async def matches(world: Installed) -> list[list[Any]]:
    pattern = await world.parts.patterns.current(ACCOUNT, "twice")
    found = await world.parts.history.matches(ACCOUNT, pattern.id, 10)
    return [[event["id"] for event in match.body["events"]] for match in found]  # type: ignore[union-attr,call-overload,index]  # as it is kept


async def memory(world: Installed) -> Any:
    """Return what the pattern remembers, in the terms of people."""
    pattern = await world.parts.patterns.current(ACCOUNT, "twice")
    watch = world.engine.matching.watch(ACCOUNT, pattern.id)
    assert watch is not None
    assert watch.operator is not None
    return watch.operator.describe('["ada"]')


def test_a_pattern_sees_an_event_again_that_it_failed_on(tmp_path: Path) -> None:
    async def main() -> None:
        with bug() as flaw:
            async with installed(tmp_path) as world:
                await world.engine.patterns.create(ACCOUNT, TWICE)
                await pay(world, "one")
                await pay(world, "two", bad=True)
                (letter,) = await letters(world)
                assert (letter.origin, letter.state) == ("twice", LetterState.OPEN)
                assert letter.error == "ZeroDivisionError: a bug met two"
                assert letter.event is not None
                assert (letter.event.id, letter.event.type) == ("two", "order.paid")
                assert await matches(world) == []

                flaw.is_there = False
                done = await world.engine.dead_letters.redrive(ACCOUNT, letter.id)
                await world.engine.settled()
                assert done.state is LetterState.REDRIVEN
                assert await matches(world) == [["one", "two"]]
                with pytest.raises(Conflict):
                    await world.engine.dead_letters.redrive(ACCOUNT, letter.id)
            # The log says it all: whoever reads it again finds the same.
            for file in (tmp_path / "checkpoints").rglob("*"):
                if file.is_file():
                    file.unlink()
            async with installed(tmp_path) as world:
                await pay(world, "three")
                assert await matches(world) == [["one", "two"]]
                remembered = await memory(world)
            (tmp_path / "sound").mkdir()
            async with installed(tmp_path / "sound") as world:
                await world.engine.patterns.create(ACCOUNT, TWICE)
                await pay(world, "one", "two", "three")
                assert await memory(world) == remembered

    asyncio.run(main())


def test_what_fails_again_is_a_dead_letter_of_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        with bug():
            async with installed(tmp_path) as world:
                await world.engine.patterns.create(ACCOUNT, TWICE)
                await pay(world, "one", bad=True)
                (letter,) = await letters(world)
                await world.engine.dead_letters.redrive(ACCOUNT, letter.id)
                await world.engine.settled()
                second, first = await letters(world)

                assert {first.id, second.id} > {letter.id}
                assert {first.state, second.state} == {LetterState.OPEN, LetterState.REDRIVEN}
                assert first.event == second.event

    asyncio.run(main())


# The record in the log, the letter that is closed, the match.
@pytest.mark.parametrize("write", range(1, 4))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_lets_it_be_seen_again_once(tmp_path: Path, moment: str, write: int) -> None:
    clock, crash = VirtualClock(), Crash(write, moment)

    async def die(letter_id: str) -> None:
        async with installed(tmp_path, clock=clock, commit=crash) as world:
            life = asyncio.create_task(redrive(world, letter_id))
            while not life.done() and not crash.has_happened:
                await asyncio.wait([life], timeout=0.001)
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def redrive(world: Installed, letter_id: str) -> None:
        await world.engine.dead_letters.redrive(ACCOUNT, letter_id)
        await world.engine.settled()

    async def main() -> None:
        with bug() as flaw:
            async with installed(tmp_path, clock=clock) as world:
                await world.engine.patterns.create(ACCOUNT, TWICE)
                await pay(world, "one")
                await pay(world, "two", bad=True)
                (letter,) = await letters(world)
            flaw.is_there = False
            await die(letter.id)
            assert crash.has_happened
            async with installed(tmp_path, clock=clock) as world:
                await world.engine.settled()
                (letter,) = await letters(world)
                if letter.state is LetterState.OPEN:
                    await redrive(world, letter.id)
                assert await matches(world) == [["one", "two"]]
                remembered = await memory(world)
            (tmp_path / "sound").mkdir()
            async with installed(tmp_path / "sound", clock=clock) as world:
                await world.engine.patterns.create(ACCOUNT, TWICE)
                await pay(world, "one", "two")
                assert await memory(world) == remembered

    asyncio.run(main())


def test_ten_exceptions_in_a_row_pause_a_pattern(tmp_path: Path) -> None:
    async def main() -> None:
        with bug() as flaw:
            async with installed(tmp_path) as world:
                await world.engine.patterns.create(ACCOUNT, TWICE)
                await pay(world, *[f"a{n}" for n in range(9)], bad=True)
                await pay(world, "fine")
                await pay(world, *[f"b{n}" for n in range(9)], bad=True)
                pattern = await world.parts.patterns.current(ACCOUNT, "twice")
                assert await world.engine.pauses.of(ACCOUNT, pattern) is None

                await pay(world, "b9", "after", bad=True)
                pattern = await world.parts.patterns.current(ACCOUNT, "twice")
                pause = await world.engine.pauses.of(ACCOUNT, pattern)
                assert pause is not None
                assert pause.reason == (
                    "10 exceptions in a row, the last: ZeroDivisionError: a bug met b9"
                )
                assert (pattern.is_active, pattern.version) == (False, 2)
                assert len(await letters(world)) == 19
            async with installed(tmp_path) as world:
                pattern = await world.parts.patterns.current(ACCOUNT, "twice")
                assert await world.engine.pauses.of(ACCOUNT, pattern) == pause
                flaw.is_there = False
                await world.engine.pauses.resume(ACCOUNT, pattern)
                await pay(world, "c0", "c1")
                assert await matches(world) == [["c0", "c1"]]
                with pytest.raises(Conflict):
                    await world.engine.pauses.resume(ACCOUNT, pattern)

    asyncio.run(main())


# The event, what came of it with the pause, the change that announces the pause.
@pytest.mark.parametrize("write", range(1, 4))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_leaves_no_pattern_failing_on(tmp_path: Path, moment: str, write: int) -> None:
    clock, crash = VirtualClock(), Crash(write, moment)

    async def die() -> None:
        async with installed(tmp_path, clock=clock, commit=crash) as world:
            life = asyncio.create_task(pay(world, "last", bad=True))
            while not life.done() and not crash.has_happened:
                await asyncio.wait([life], timeout=0.001)
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def main() -> None:
        with bug():
            async with installed(tmp_path, clock=clock) as world:
                await world.engine.patterns.create(ACCOUNT, TWICE)
                await pay(world, *[f"a{n}" for n in range(9)], bad=True)
            await die()
            assert crash.has_happened
            async with installed(tmp_path, clock=clock) as world:
                await pay(world, "last", bad=True)
                pattern = await world.parts.patterns.current(ACCOUNT, "twice")
                assert (pattern.is_active, pattern.version) == (False, 2)
                assert len(await letters(world)) == 10
                await pay(world, "more", bad=True)
                assert len(await letters(world)) == 10

    asyncio.run(main())

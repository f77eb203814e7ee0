"""What is given up is kept, whatever crashes come between."""

import asyncio
from pathlib import Path

import pytest

from oncue.core.dead_letters import LetterState
from oncue.core.errors import Conflict, PermanentError
from oncue.engine.replays import VersionChoice
from oncue.ports import LetterFilter
from oncue.testing.clock import VirtualClock
from tests.installation import ACCOUNT, Crash, Installed, RecordingActions, installed
from tests.make import make_call, make_document

FAILING = make_document(steps=[make_call("welcome"), make_call("sales")])


class Refusing(RecordingActions):
    """A world in which nobody buys."""

    async def perform(self, *args, **options):  # type: ignore[no-untyped-def]  # as its parent
        await super().perform(*args, **options)
        if args[2]["text"] == "sales":
            raise PermanentError("nobody is there")
        return {}


async def live(folder: Path, clock: VirtualClock, actions: RecordingActions, crash: Crash) -> None:
    """Send one event and live until all has settled, or until the crash."""
    async with installed(folder, clock=clock, actions=actions, commit=crash) as world:
        life = asyncio.create_task(_send(world))
        while not life.done() and not crash.has_happened:
            await asyncio.wait([life], timeout=0.001)
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def _send(world: Installed) -> None:
    await world.send(id="e-1")
    await world.engine.settled()


async def _redrive(world: Installed, letter_id: str) -> None:
    await world.engine.dead_letters.redrive(ACCOUNT, letter_id)
    await world.engine.settled()


# The execution with its letter; then a turn for each of its two calls.
@pytest.mark.parametrize("write", range(1, 4))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_dead_letter_is_redriven_once(tmp_path: Path, moment: str, write: int) -> None:
    async def prepare() -> str:
        async with installed(tmp_path, clock=clock, actions=Refusing()) as world:
            await world.engine.definitions.create_workflow(ACCOUNT, FAILING)
            await _send(world)
            (letter,) = await world.parts.letters.all(ACCOUNT, LetterFilter(), 10)
            return letter.id

    async def die(letter_id: str) -> None:
        async with installed(tmp_path, clock=clock, actions=actions, commit=crash) as world:
            life = asyncio.create_task(_redrive(world, letter_id))
            while not life.done() and not crash.has_happened:
                await asyncio.wait([life], timeout=0.001)
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def look(letter_id: str) -> list[str]:
        async with installed(tmp_path, clock=clock, actions=actions) as world:
            await world.engine.settled()
            if (await world.parts.letters.letter(ACCOUNT, letter_id)).state == "open":
                await _redrive(world, letter_id)
            with pytest.raises(Conflict):
                await _redrive(world, letter_id)
            return [*await world.statuses()]

    clock, actions, crash = VirtualClock(), RecordingActions(), Crash(write, moment)
    letter_id = asyncio.run(prepare())
    clock.advance(1_000)
    asyncio.run(die(letter_id))

    assert crash.has_happened
    assert asyncio.run(look(letter_id)) == ["completed", "failed"]
    # Nothing before the step that failed is called again, and that with one key.
    assert set(dict(actions.calls)) == {"sales"}
    assert len(set(actions.calls)) == 1


@pytest.mark.parametrize("write", range(1, 6))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_failed_execution_is_one_dead_letter(tmp_path: Path, moment: str, write: int) -> None:
    async def prepare() -> None:
        async with installed(tmp_path) as world:
            await world.engine.definitions.create_workflow(ACCOUNT, FAILING)
            await world.engine.settled()

    async def look() -> tuple[list[str], list[str]]:
        async with installed(tmp_path, clock=clock, actions=actions) as world:
            await _send(world)
            letters = await world.parts.letters.all(ACCOUNT, LetterFilter(), 10)
            return [letter.error for letter in letters], [*await world.statuses()]

    clock, actions, crash = VirtualClock(), Refusing(), Crash(write, moment)
    asyncio.run(prepare())
    asyncio.run(live(tmp_path, clock, actions, crash))

    assert crash.has_happened
    assert asyncio.run(look()) == (["step 'sales': nobody is there"], ["failed"])


# The begin; three letters, each an execution and the turns of its call; the end.
@pytest.mark.parametrize("write", range(1, 9))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_redriving_of_many_goes_on_after_a_crash(
    tmp_path: Path, moment: str, write: int
) -> None:
    clock, actions, crash = VirtualClock(), RecordingActions(), Crash(write, moment)

    async def begin(world: Installed) -> None:
        wanted = LetterFilter(state=LetterState.OPEN)
        await world.engine.redriving.begin(ACCOUNT, {}, wanted, "1000/s", VersionChoice.PINNED)

    async def prepare() -> None:
        async with installed(tmp_path, clock=clock, actions=Refusing()) as world:
            await world.engine.definitions.create_workflow(ACCOUNT, FAILING)
            for n in range(3):
                await world.send(id=f"e-{n}")
                await world.settle_after(1_000)

    async def live_on(world: Installed) -> None:
        await begin(world)
        while not crash.has_happened:
            await world.settle_after(1)

    async def die() -> None:
        async with installed(tmp_path, clock=clock, actions=actions, commit=crash) as world:
            life = asyncio.create_task(live_on(world))
            while not life.done() and not crash.has_happened:
                await asyncio.wait([life], timeout=0.001)
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def look() -> tuple[list[str], list[str]]:
        async with installed(tmp_path, clock=clock, actions=actions) as world:
            await world.settle_after(*[1_000] * 5)
            if not await world.parts.redrives.all(ACCOUNT, 10):
                await begin(world)
                await world.settle_after(*[1_000] * 5)
            letters = await world.parts.letters.all(ACCOUNT, LetterFilter(), 10)
            (redrive,) = await world.parts.redrives.all(ACCOUNT, 10)
            assert (redrive.total, redrive.redriven, redrive.left) == (3, 3, 0)
            return [letter.state.value for letter in letters], [*await world.statuses()]

    asyncio.run(prepare())
    asyncio.run(die())

    assert crash.has_happened
    assert asyncio.run(look()) == (["redriven"] * 3, ["completed"] * 3 + ["failed"] * 3)
    assert len({key for _, key in actions.calls}) == 3

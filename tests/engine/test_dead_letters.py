"""What is given up is kept, whatever crashes come between."""

import asyncio
from pathlib import Path

import pytest

from oncue.core.errors import PermanentError
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

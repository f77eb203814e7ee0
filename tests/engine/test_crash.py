"""One execution, killed around every write that it makes."""

import asyncio
from pathlib import Path

import pytest

from oncue.core.json_text import Json
from oncue.ports import ExecutionFilter
from oncue.testing.clock import VirtualClock
from tests.installation import ACCOUNT, Crash, Installed, RecordingActions, installed
from tests.make import make_call, make_document

DAY_MS = 86_400_000
ONBOARDING = make_document(
    steps=[
        make_call("welcome"),
        {"id": "shape", "type": "transform", "output": {"was": "{{ steps.welcome.output }}"}},
        make_call("sales"),
        make_call("crm"),
        {"id": "wait", "type": "delay", "for": "24h"},
        make_call("guide"),
    ]
)
EVENT: dict[str, Json] = {"id": "signup-1", "type": "user.signup", "data": {"plan": "enterprise"}}
# The append; the match; the first turn; one turn after each of four calls and the delay.
WRITES = 8


async def _live(folder: Path, clock: VirtualClock, actions: RecordingActions, crash: Crash) -> None:
    """Live until the end of the execution, or until the crash."""
    async with installed(folder, clock=clock, actions=actions, commit=crash) as world:
        life = asyncio.create_task(_send_and_wait(world, crash))
        while not life.done() and not crash.has_happened:
            await asyncio.wait([life], timeout=0.001)
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def _send_and_wait(world: Installed, crash: Crash) -> None:
    await world.engine.ingest.accept(ACCOUNT, EVENT)
    await world.engine.settled()
    if not crash.has_happened:
        await world.settle_after(DAY_MS)


async def _prepare(folder: Path) -> None:
    async with installed(folder) as world:
        await world.engine.definitions.create_workflow(ACCOUNT, ONBOARDING)
        await world.engine.settled()


async def _final_state(folder: Path, clock: VirtualClock, actions: RecordingActions) -> Json:
    async with installed(folder, clock=clock, actions=actions) as world:
        await world.engine.ingest.accept(ACCOUNT, EVENT)
        await world.settle_after(DAY_MS)
        (summary,) = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 10)
        state = (await world.journal.load(ACCOUNT, summary.id)).state
        return {
            "status": state.status.value,
            "output": state.output,
            "steps": {path: step.output for path, step in state.steps.items()},
        }


def test_the_execution_makes_as_many_writes_as_are_killed_here(tmp_path: Path) -> None:
    crash = Crash(at=0, moment="never")
    asyncio.run(_prepare(tmp_path))
    asyncio.run(_live(tmp_path, VirtualClock(), RecordingActions(), crash))

    assert crash.commits == WRITES


@pytest.mark.parametrize("write", range(1, WRITES + 1))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_around_any_write_changes_nothing(tmp_path: Path, moment: str, write: int) -> None:
    clock, actions, crash = VirtualClock(), RecordingActions(), Crash(write, moment)
    asyncio.run(_prepare(tmp_path))
    asyncio.run(_live(tmp_path, clock, actions, crash))

    assert crash.has_happened
    assert asyncio.run(_final_state(tmp_path, clock, actions)) == {
        "status": "completed",
        "output": {"noted": "guide"},
        "steps": {
            "welcome": {"noted": "welcome"},
            "shape": {"was": {"noted": "welcome"}},
            "sales": {"noted": "sales"},
            "crm": {"noted": "crm"},
            "wait": {"until": "2026-01-02T00:00:00.000Z"},
            "guide": {"noted": "guide"},
        },
    }
    keys = dict(actions.calls)
    assert list(dict.fromkeys(text for text, _ in actions.calls)) == [
        "welcome",
        "sales",
        "crm",
        "guide",
    ]
    # A repeat is told by its key: one key a step, whatever happened in between.
    assert set(actions.calls) == set(keys.items())
    assert len(actions.calls) <= len(keys) + 1

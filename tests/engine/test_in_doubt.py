"""A call whose outcome nobody knows, where the step asks: it waits until somebody says."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from oncue.core.errors import Conflict, InvalidInput, OutcomeUnknown
from oncue.core.json_text import Json
from oncue.core.workflow.state import ExecutionState
from oncue.ports import ExecutionFilter
from oncue.testing.clock import VirtualClock
from tests.installation import ACCOUNT, Crash, Installed, RecordingActions, installed
from tests.make import make_call, make_document

Found = TypeVar("Found")
CHARGE = make_document(
    steps=[
        {**make_call("charge"), "action": "sms", "in_doubt": "ask"},
        {"id": "after", "type": "transform", "expr": "steps.charge.output"},
    ],
    timeout="7d",
)
DAY_MS = 86_400_000


def live(
    folder: Path, use: Callable[[Installed], Awaitable[Found]], actions: RecordingActions
) -> Found:
    async def main() -> Found:
        async with installed(folder, actions=actions) as world:
            return await use(world)

    return asyncio.run(main())


async def begin(world: Installed) -> str:
    await world.engine.definitions.create_workflow(ACCOUNT, CHARGE)
    await world.send(id="one")
    await world.engine.settled()
    return await only(world)


async def only(world: Installed) -> str:
    (summary,) = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 10)
    return summary.id


async def state_of(world: Installed, execution_id: str) -> ExecutionState:
    await world.engine.settled()
    return (await world.journal.load(ACCOUNT, execution_id)).state


def verdict(outcome: str, **others: Json) -> dict[str, Json]:
    return {"step": "charge", "outcome": outcome, **others}


def unknown() -> RecordingActions:
    return RecordingActions(answers=[OutcomeUnknown("no answer")])


@pytest.mark.parametrize(
    ("data", "status", "output", "calls"),
    [
        pytest.param(verdict("done", output={"n": 1}), "completed", {"n": 1}, 1, id="it was done"),
        pytest.param(verdict("retry"), "completed", {"noted": "charge"}, 2, id="again"),
        pytest.param(verdict("fail"), "failed", None, 1, id="it failed"),
    ],
)
def test_what_somebody_says_decides(
    tmp_path: Path, data: Json, status: str, output: Json, calls: int
) -> None:
    actions = unknown()

    async def use(world: Installed) -> tuple[str, ExecutionState]:
        execution_id = await begin(world)
        await world.settle_after(DAY_MS)
        waiting = (await state_of(world, execution_id)).status.value
        await world.engine.signals.send(ACCOUNT, execution_id, "in_doubt", data)
        return waiting, await state_of(world, execution_id)

    waiting, state = live(tmp_path, use, actions)

    assert waiting == "waiting"
    assert (state.status.value, state.output) == (status, output)
    assert len(actions.calls) == calls
    assert len({key for _, key in actions.calls}) == 1


def test_it_is_asked_after_a_restart_and_after_a_crash_in_the_call(tmp_path: Path) -> None:
    clock, actions, crash = VirtualClock(), RecordingActions(), Crash(4, "before")

    async def die() -> None:
        async with installed(tmp_path, clock=clock, actions=actions, commit=crash) as world:
            life = asyncio.create_task(world.send(id="one"))
            while not crash.has_happened:
                await asyncio.wait([life], timeout=0.001)
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def prepare(world: Installed) -> None:
        await world.engine.definitions.create_workflow(ACCOUNT, CHARGE)

    async def look(world: Installed) -> str:
        await world.engine.settled()
        return (await state_of(world, await only(world))).status.value

    async def resolve(world: Installed) -> str:
        execution_id = await only(world)
        await world.engine.signals.send(ACCOUNT, execution_id, "in_doubt", verdict("done"))
        return (await state_of(world, execution_id)).status.value

    live(tmp_path, prepare, actions)
    asyncio.run(die())

    assert crash.has_happened
    assert live(tmp_path, look, actions) == "waiting"
    assert live(tmp_path, look, actions) == "waiting"
    assert live(tmp_path, resolve, actions) == "completed"
    assert len(actions.calls) == 1


def test_nobody_answers_twice_or_for_a_step_that_does_not_ask(tmp_path: Path) -> None:
    async def use(world: Installed) -> None:
        execution_id = await begin(world)
        signals = world.engine.signals
        other: Json = {"step": "after", "outcome": "done"}
        with pytest.raises(Conflict):
            await signals.send(ACCOUNT, execution_id, "in_doubt", other)
        await signals.send(ACCOUNT, execution_id, "in_doubt", verdict("done"))
        await world.engine.settled()
        with pytest.raises(Conflict):
            await signals.send(ACCOUNT, execution_id, "in_doubt", verdict("done"))

    live(tmp_path, use, unknown())


@pytest.mark.parametrize(
    ("name", "data", "paths"),
    [
        pytest.param("in_dobt", verdict("done"), ["name"], id="no such signal"),
        pytest.param("in_doubt", None, ["data"], id="no data"),
        pytest.param("in_doubt", {}, ["data"], id="nothing said"),
        pytest.param("in_doubt", {"step": 3}, ["data.step", "data.outcome"], id="no path"),
        pytest.param("in_doubt", verdict("perhaps"), ["data.outcome"], id="no outcome"),
    ],
)
def test_a_signal_that_means_nothing_is_refused(
    tmp_path: Path, name: str, data: Json, paths: list[str]
) -> None:
    async def use(world: Installed) -> list[str]:
        execution_id = await begin(world)
        with pytest.raises(InvalidInput) as refused:
            await world.engine.signals.send(ACCOUNT, execution_id, name, data)
        return [problem.path for problem in refused.value.problems]

    assert live(tmp_path, use, unknown()) == paths

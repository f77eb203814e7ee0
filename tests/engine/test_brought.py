"""What workflows bring with them is saved, changed and ended with them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import Conflict, InvalidInput
from oncue.core.json_text import Json
from oncue.ports import ExecutionFilter, Schedule, WorkflowVersion
from oncue.testing.clock import VirtualClock
from tests.installation import ACCOUNT, Installed, installed
from tests.make import make_document

MINUTE_MS = 60_000
EACH_MINUTE: dict[str, Json] = {"type": "schedule", "cron": "* * * * *", "data": {"of": "sales"}}
STEPS: list[Json] = [
    {"id": "told", "type": "transform", "expr": "event.data.schedule.scheduled_at"}
]


def use(folder: Path, act: Callable[[Installed], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with installed(folder, clock=VirtualClock()) as world:
            return await act(world)

    return asyncio.run(main())


async def create(world: Installed, **document: Json) -> WorkflowVersion:
    wanted = make_document(name="report", on=EACH_MINUTE, steps=STEPS, **document)
    return await world.engine.definitions.create_workflow(ACCOUNT, wanted)


async def change(world: Installed, **document: Json) -> None:
    catalog = world.parts.catalog
    current = await catalog.workflow(ACCOUNT, await catalog.workflow_id(ACCOUNT, "report"))
    assert isinstance(current.document, dict)
    wanted = {**current.document, **document}
    await world.engine.definitions.change_workflow(ACCOUNT, current, wanted)


async def minutes(world: Installed, count: int) -> list[Any]:
    """Let minutes pass, and return the outputs of all executions."""
    await world.settle_after(*[MINUTE_MS] * count)
    rows = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 100)
    stored = [await world.journal.load(ACCOUNT, row.id) for row in reversed(rows)]
    return [one.state.output for one in stored]


async def schedules(world: Installed) -> list[Schedule]:
    return await world.parts.schedules.all(ACCOUNT, 10, None)


def test_a_schedule_starts_its_workflow(tmp_path: Path) -> None:
    async def act(world: Installed) -> Any:
        # Neither what others send nor other schedules start it.
        await create(world)
        schedule_id = (await schedules(world))[0].id
        await world.engine.schedules.create(ACCOUNT, {"name": "report", "every": "1m"})
        await world.send(type="schedule.fired", data={"schedule": {"id": schedule_id}})
        return await minutes(world, 2)

    assert use(tmp_path, act) == ["2026-01-01T00:01:00.000Z", "2026-01-01T00:02:00.000Z"]


def test_while_a_workflow_is_disabled_its_schedule_does_not_fire(tmp_path: Path) -> None:
    async def act(world: Installed) -> Any:
        await create(world, enabled=False)
        await minutes(world, 3)
        await change(world, enabled=True)
        await minutes(world, 1)
        await change(world, enabled=False)
        await minutes(world, 3)
        await change(world, enabled=True)
        return [await minutes(world, 1), world.engine.firing.fired]

    assert use(tmp_path, act) == [["2026-01-01T00:04:00.000Z", "2026-01-01T00:08:00.000Z"], 2]


def test_other_steps_leave_the_schedule_as_it_is(tmp_path: Path) -> None:
    async def act(world: Installed) -> Any:
        await create(world)
        before = await schedules(world)
        await change(world, steps=[*STEPS, {**make_step(), "id": "more"}])
        return before == await schedules(world)

    def make_step() -> dict[str, Json]:
        return {"type": "transform", "output": 1}

    assert use(tmp_path, act) is True


def test_a_trigger_that_changes_its_kind(tmp_path: Path) -> None:
    async def act(world: Installed) -> Any:
        event: Json = {"type": "event", "event": "user.signup"}
        await create(world)
        await change(world, on=[event, {"type": "schedule", "every": "1m"}])
        names = [one.name for one in await schedules(world)]
        await world.send(data={"schedule": {"scheduled_at": "by event"}})
        started = await minutes(world, 1)
        await change(world, on=event)
        return names, started, await schedules(world), len(await minutes(world, 3))

    names, started, left, count = use(tmp_path, act)
    assert (names, started) == (["report-2"], ["by event", "2026-01-01T00:01:00.000Z"])
    assert (left, count) == ([], 2)


def test_a_deleted_workflow_takes_its_schedule_along(tmp_path: Path) -> None:
    async def act(world: Installed) -> Any:
        workflow = await create(world)
        await minutes(world, 1)
        await world.engine.definitions.delete_workflow(ACCOUNT, workflow.id)
        await minutes(world, 3)
        return await schedules(world), world.engine.firing.fired

    assert use(tmp_path, act) == ([], 1)


def test_what_a_workflow_brought_is_changed_by_it_alone(tmp_path: Path) -> None:
    async def act(world: Installed) -> None:
        await create(world)
        (owned,) = await schedules(world)
        with pytest.raises(Conflict, match="belongs to a workflow"):
            await world.engine.schedules.change(ACCOUNT, owned, {})
        with pytest.raises(Conflict, match="belongs to a workflow"):
            await world.engine.schedules.delete(ACCOUNT, owned)

    use(tmp_path, act)


def test_a_bad_trigger_is_told_with_its_place(tmp_path: Path) -> None:
    async def act(world: Installed) -> Any:
        on: Json = [EACH_MINUTE, {"type": "schedule", "cron": "0 25 * * *", "time_zone": "Berlin"}]
        with pytest.raises(InvalidInput) as caught:
            await world.engine.definitions.first(ACCOUNT, make_document(on=on))
        return {problem.path: problem.message for problem in caught.value.problems}

    assert use(tmp_path, act) == {
        "on[1].cron": "expected an hour from 0 to 23, got '25' in '0 25 * * *'",
        "on[1].time_zone": "expected a time zone such as 'Europe/Berlin', got 'Berlin'; "
        "did you mean 'Europe/Berlin'?",
    }

"""The engine on real SQLite and the virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from oncue.core.errors import OutcomeUnknown, PermanentError, RetryableError
from oncue.core.json_text import Json
from oncue.ports import ExecutionFilter
from tests.installation import ACCOUNT, Installed, RecordingActions, installed
from tests.make import make_call, make_document

T = TypeVar("T")
DAY_MS = 86_400_000


def _run(
    folder: Path, use: Callable[[Installed], Awaitable[T]], actions: RecordingActions | None = None
) -> T:
    async def main() -> T:
        async with installed(folder, actions=actions) as world:
            return await use(world)

    return asyncio.run(main())


def _steps(world: Installed, *steps: Json) -> Awaitable[object]:
    document = make_document(steps=list(steps))
    return world.engine.definitions.create_workflow(ACCOUNT, document)


def test_a_pattern_sees_what_is_accepted_after_it_was_saved(tmp_path: Path) -> None:
    async def use(world: Installed) -> tuple[int, int]:
        await world.send(id="before")
        await _steps(world, make_call("a"))
        await world.send(id="after")
        await world.engine.settled()
        return len(await world.statuses()), len(world.actions.calls)

    assert _run(tmp_path, use) == (1, 1)


def test_patterns_are_found_by_glob(tmp_path: Path) -> None:
    async def use(world: Installed) -> int:
        document = make_document(on={"type": "event", "event": ["user.*", "order.paid"]})
        await world.engine.definitions.create_workflow(ACCOUNT, document)
        for number, kind in enumerate(("user.signup", "user", "order.paid", "order.paid.late")):
            await world.send(id=str(number), type=kind)
        await world.engine.settled()
        return len(await world.statuses())

    assert _run(tmp_path, use) == 2


def test_where_an_error_is_no_match(tmp_path: Path) -> None:
    async def use(world: Installed) -> int:
        where = "event.data.amount > 10"
        document = make_document(on={"type": "event", "event": "user.signup", "where": where})
        await world.engine.definitions.create_workflow(ACCOUNT, document)
        for number, data in enumerate(({"amount": 11}, {"amount": 9}, {}, {"amount": "x"}, None)):
            await world.send(id=str(number), data=data)
        await world.engine.settled()
        return len(await world.statuses())

    assert _run(tmp_path, use) == 1


def test_a_disabled_workflow_starts_nothing(tmp_path: Path) -> None:
    async def use(world: Installed) -> int:
        await world.engine.definitions.create_workflow(ACCOUNT, make_document(enabled=False))
        await world.send()
        await world.engine.settled()
        return len(await world.statuses())

    assert _run(tmp_path, use) == 0


def test_a_delay_outlives_the_process(tmp_path: Path) -> None:
    wait: Json = {"id": "wait", "type": "delay", "for": "24h"}

    async def first(world: Installed) -> tuple[object, int]:
        await _steps(world, make_call("a"), wait, make_call("b"))
        await world.send()
        await world.settle_after(DAY_MS - 1)
        return await world.statuses(), len(world.actions.calls)

    async def second(world: Installed) -> tuple[object, object]:
        await world.engine.settled()
        before = await world.statuses()
        await world.settle_after(DAY_MS)
        return before, await world.statuses()

    assert _run(tmp_path, first) == (["waiting"], 1)
    assert _run(tmp_path, second) == (["waiting"], ["completed"])


def test_a_failure_is_tried_again_with_the_same_key(tmp_path: Path) -> None:
    actions = RecordingActions(answers=[RetryableError("busy"), OutcomeUnknown("no answer")])

    async def use(world: Installed) -> object:
        await _steps(world, make_call("a", retry={"delay": "10s", "jitter": False}))
        await world.send()
        await world.settle_after(10_000, 20_000)
        (row,) = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 10)
        step = (await world.journal.load(ACCOUNT, row.id)).state.steps["a"]
        return [attempt.status.value for attempt in step.attempts]

    assert _run(tmp_path, use, actions) == ["failed", "in_doubt", "completed"]
    assert len(actions.calls) == 3
    assert len(set(actions.calls)) == 1


def test_a_permanent_failure_ends_the_execution(tmp_path: Path) -> None:
    actions = RecordingActions(answers=[PermanentError("refused")])

    async def use(world: Installed) -> tuple[str, str | None]:
        await _steps(world, make_call("a"), make_call("b"))
        await world.send()
        await world.engine.settled()
        (row,) = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 10)
        return row.status.value, row.error

    assert _run(tmp_path, use, actions) == ("failed", "step 'a': refused")
    assert len(actions.calls) == 1


def test_many_executions_share_commits_and_all_end(tmp_path: Path) -> None:
    async def use(world: Installed) -> object:
        await _steps(world, make_call("a"), make_call("b"))
        await asyncio.gather(*(world.send(id=str(n)) for n in range(600)))
        await world.engine.settled()
        rows = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 1_000)
        return {row.status.value for row in rows}, len(rows)

    assert _run(tmp_path, use) == ({"completed"}, 600)


def test_three_branches_of_a_second_take_a_second_together(tmp_path: Path) -> None:
    async def use(world: Installed) -> tuple[str, int | None]:
        branches = {name: [{"id": name, "type": "delay", "for": "1s"}] for name in "abc"}
        await _steps(world, {"id": "fan", "type": "parallel", "branches": branches}, make_call("z"))
        await world.send(id="e")
        await world.settle_after(1_000)
        (row,) = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 10)
        return row.status.value, row.finished_at_ms and row.finished_at_ms - row.created_at_ms

    assert _run(tmp_path, use) == ("completed", 1_000)

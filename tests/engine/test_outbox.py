"""The events that OnCue emits about itself: who sees them, what they say, where chains of them end."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.errors import InvalidInput, PermanentError
from oncue.core.event import MAX_DATA_BYTES, MAX_DEPTH, EventFilter
from oncue.core.json_text import Json, encode_json
from oncue.ports import ExecutionFilter
from tests.installation import ACCOUNT, Installed, RecordingActions, installed
from tests.make import make_call, make_document


def _run(
    folder: Path,
    use: Callable[[Installed], Awaitable[Any]],
    actions: RecordingActions | None = None,
) -> Any:
    async def main() -> Any:
        async with installed(folder, actions=actions) as world:
            return await use(world)

    return asyncio.run(main())


async def _save(world: Installed, *documents: Json) -> None:
    for document in documents:
        await world.engine.definitions.create_workflow(ACCOUNT, document)


async def _told(world: Installed) -> Any:
    """Return the events of our own, the oldest first."""
    await world.engine.settled()
    wanted = EventFilter(source="oncue")
    return [*reversed(await world.log.past.events(ACCOUNT, wanted, 500))]


def _watcher(event_type: str, name: str = "watcher") -> dict[str, Json]:
    """A workflow that watches what others emit."""
    field = "pattern" if event_type == "pattern.matched" else "workflow"
    where = f"event.data.{field} != {name!r}"
    return make_document(name=name, on={"type": "event", "event": event_type, "where": where})


def test_what_goes_well_is_told_where_a_pattern_watches_it(tmp_path: Path) -> None:
    async def use(world: Installed) -> Any:
        await _save(world, make_document(), _watcher("execution.completed"))
        await world.send(id="one", time="2026-01-01T00:00:00Z")
        events = await _told(world)
        rows = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 10)
        greet = next(row for row in rows if row.workflow == "greet")
        return events, greet, [row.workflow for row in rows]

    (event, follow_up), greet, workflows = _run(tmp_path, use)

    assert (event.type, event.subject, event.attributes) == (
        "execution.completed",
        greet.id,
        {"oncuedepth": 1},
    )
    assert event.data == {
        "execution_id": greet.id,
        "workflow": "greet",
        "workflow_id": event.data["workflow_id"],
        "version": 1,
        "status": "completed",
        "error": None,
        "step": None,
        "output": {"said": "hello"},
        "trigger": greet.trigger.view(),
        "created_at": "2026-01-01T00:00:00.000Z",
        "started_at": "2026-01-01T00:00:00.000Z",
        "finished_at": "2026-01-01T00:00:00.000Z",
        "duration_ms": 0,
    }
    assert follow_up.data["workflow"] == "watcher"
    assert sorted(workflows) == ["greet", "watcher"]


def test_what_goes_well_is_not_told_to_nobody(tmp_path: Path) -> None:
    async def use(world: Installed) -> Any:
        await _save(world, make_document(), _watcher("*"), _watcher("*.completed", name="other"))
        await world.send(id="one")
        return await _told(world)

    assert _run(tmp_path, use) == []


def test_a_failure_is_told_whoever_watches(tmp_path: Path) -> None:
    steps: list[Json] = [
        {"id": "fan", "type": "parallel", "branches": {"left": [make_call("tell")]}},
        make_call("never"),
    ]

    async def use(world: Installed) -> Any:
        await _save(world, make_document(steps=steps))
        await world.send(id="one")
        return await _told(world)

    (event,) = _run(tmp_path, use, RecordingActions(answers=[PermanentError("refused")]))

    assert event.type == "execution.failed"
    assert (event.data["status"], event.data["step"]) == ("failed", "fan.left.tell")
    assert event.data["error"] == "step 'fan': branch 'left': step 'tell': refused"


def test_a_cancelled_execution_tells_nothing(tmp_path: Path) -> None:
    async def use(world: Installed) -> Any:
        wait: Json = {"id": "wait", "type": "delay", "for": "1h"}
        await _save(world, make_document(steps=[wait]), _watcher("execution.*"))
        await world.send(id="one")
        await world.engine.settled()
        (row,) = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 10)
        await world.engine.cancel(ACCOUNT, row.id, "enough")
        return await _told(world)

    assert _run(tmp_path, use) == []


def test_a_watcher_sees_what_ends_after_it_was_saved(tmp_path: Path) -> None:
    async def use(world: Installed) -> list[str]:
        wait: Json = {"id": "wait", "type": "delay", "for": "1h"}
        await _save(world, make_document(steps=[wait]))
        await world.send(id="one")
        await world.engine.settled()
        await _save(world, _watcher("execution.completed"))
        await world.settle_after(3_600_000)
        patterns = await world.parts.patterns.all(ACCOUNT, 10, None)
        watcher = next(one for one in patterns if one.name == "watcher")
        await world.engine.definitions.delete_workflow(ACCOUNT, watcher.workflow_id or "")
        await world.send(id="two")
        await world.settle_after(3_600_000)
        return [str(event.data["workflow"]) for event in await _told(world)]

    assert _run(tmp_path, use) == ["greet", "watcher"]


def test_a_match_is_told_with_its_evidence(tmp_path: Path) -> None:
    async def use(world: Installed) -> Any:
        await _save(world, make_document(), _watcher("pattern.matched"))
        await world.send(id="one", data={"plan": "pro"}, time="2025-12-31T00:00:00Z")
        event = (await _told(world))[0]
        match = await world.parts.history.match(ACCOUNT, event.subject)
        assert match
        return event, {**match.body, "outcome": match.outcome}

    event, match = _run(tmp_path, use)

    assert event.data == match
    assert (event.data["pattern"], event.data["events"][0]["data"]) == ("greet", {"plan": "pro"})
    assert event.time_ms == 1_767_139_200_000


def test_what_is_too_large_is_left_out_and_named(tmp_path: Path) -> None:
    threshold: Json = {"type": "threshold", "event": "user.signup", "value": 3, "window": "1h"}

    async def use(world: Installed) -> Any:
        await _save(world, make_document(on=threshold), _watcher("pattern.matched"))
        for n in range(3):
            await world.send(id=str(n), data={"text": "x" * 100_000})
        return await _told(world)

    event = _run(tmp_path, use)[0]

    assert event.data["truncated"] is True
    assert [sorted(shown) for shown in event.data["events"]] == [["id", "offset", "source"]] * 3
    assert len(encode_json(event.data)) < MAX_DATA_BYTES


def test_nobody_else_speaks_for_oncue(tmp_path: Path) -> None:
    async def use(world: Installed) -> list[str]:
        said: list[str] = []
        for source in ("oncue", "oncue/execution/exe_1"):
            with pytest.raises(InvalidInput) as refused:
                await world.send(source=source)
            said.append(refused.value.problems[0].path)
        await world.send(source="oncue-mirror")
        return said

    assert _run(tmp_path, use) == ["source", "source"]


@settings(max_examples=12, deadline=None)
@given(
    size=st.integers(1, MAX_DEPTH + 3), event_type=st.sampled_from(["completed", "failed", "match"])
)
def test_a_ring_of_any_size_is_cut_at_the_same_depth(size: int, event_type: str) -> None:
    """Workflow n+1 watches what workflow n emits; the last one is watched by the first."""
    fails: list[Json] = [{"id": "end", "type": "stop", "status": "failed"}]
    told = "pattern.matched" if event_type == "match" else f"execution.{event_type}"
    field = "pattern" if event_type == "match" else "workflow"

    def ring(n: int) -> dict[str, Json]:
        before: Json = {
            "type": "event",
            "event": told,
            "where": f"event.data.{field}.startsWith('w{(n - 1) % size:02}')",
        }
        begin: Json = {"type": "event", "event": "user.signup"}
        on: Json = [before, begin] if n == 0 else before
        return make_document(
            name=f"w{n:02}", on=on, **({"steps": fails} if event_type == "failed" else {})
        )

    async def use(world: Installed) -> tuple[int, int, list[Json]]:
        await _save(world, *(ring(n) for n in range(size)))
        await world.send(id="one")
        await world.engine.settled()
        rows = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 100)
        skipped: list[Json] = []
        for pattern in await world.parts.patterns.all(ACCOUNT, 100, None):
            matches = await world.parts.history.matches(ACCOUNT, pattern.id, 100)
            outcomes = [match.outcome or {} for match in matches]
            skipped += (outcome["skipped"] for outcome in outcomes if "skipped" in outcome)
        return len(rows), world.engine.numbers().loops, skipped

    with TemporaryDirectory() as folder:
        executions, cut, skipped = _run(Path(folder), use)

    assert (executions, cut) == (1 + MAX_DEPTH, 1)
    assert ["a loop" in str(reason) for reason in skipped] == [True]

"""Workflows that tell of events, which start other workflows."""

import asyncio
from pathlib import Path
from typing import Any

from oncue.core.event import MAX_DEPTH, OWN_SOURCE, Event, EventFilter
from oncue.ports import ExecutionFilter
from oncue.testing.vendors import Simulators
from tests.installation import ACCOUNT, Installed, installed
from tests.make import make_document
from tests.vendors import library_for


def _log_event(**given: Any) -> dict[str, Any]:
    return {"id": "tell", "type": "action", "action": "log_event", "with": given}


def _run(folder: Path, *documents: dict[str, Any]) -> tuple[list[Event], list[str], list[str]]:
    """
    Return the events, the statuses and errors, the newest first, after one signup.

    What OnCue tells of failures is left out.
    """

    async def use(world: Installed) -> tuple[list[Event], list[str], list[str]]:
        for document in documents:
            await world.engine.definitions.create_workflow(ACCOUNT, document)
        await world.send(id="outside", data={"to": "won"})
        await world.settle_after()
        found = await world.log.past.events(ACCOUNT, EventFilter(), 100)
        events = [event for event in found if event.source != OWN_SOURCE]
        rows = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 100)
        errors = [row.error for row in rows if row.error is not None]
        return events, [*await world.statuses()], errors

    async def main() -> Any:
        async with (
            Simulators() as vendors,
            library_for(vendors) as library,
            installed(folder, vendors=library) as world,
        ):
            return await use(world)

    return asyncio.run(main())


def test_an_event_of_a_workflow_starts_another_one(tmp_path: Path) -> None:
    given = {"type": "lead.scored", "data": {"n": 1}, "level": "warning", "subject": "ada"}
    first = make_document(steps=[_log_event(**given)])
    second = make_document(name="second", on={"type": "event", "event": "lead.*"})

    events, statuses, _ = _run(tmp_path, first, second)

    told = events[0]
    assert (told.type, told.data, told.subject) == ("lead.scored", {"n": 1}, "ada")
    assert told.attributes == {"level": "warning", "oncuedepth": 1}
    assert told.source.startswith("oncue/execution/exe_")
    assert statuses == ["completed", "completed"]


def test_a_circle_ends(tmp_path: Path) -> None:
    endless = make_document(steps=[_log_event(type="user.signup")])

    events, statuses, errors = _run(tmp_path, endless)

    assert len(events) == 1 + MAX_DEPTH
    assert sorted(statuses) == ["completed"] * MAX_DEPTH + ["failed"]
    (error,) = errors
    assert "start each other in a circle" in error


def _emit_event(**event: Any) -> dict[str, Any]:
    return {"id": "tell", "type": "action", "action": "emit_event", "with": {"event": event}}


def test_a_whole_event_is_told_as_it_stands(tmp_path: Path) -> None:
    given = {
        "type": "lead.scored",
        "source": "scoring",
        "id": "score-1",
        "time": "2026-01-01T00:00:00Z",
        "subject": "ada",
        "data": [1],
        "region": "eu",
    }
    events, statuses, _ = _run(tmp_path, make_document(steps=[_emit_event(**given)]))

    told = events[0]
    assert (told.type, told.source, told.id, told.subject) == (
        "lead.scored",
        "scoring",
        "score-1",
        "ada",
    )
    assert (told.data, told.attributes) == ([1], {"region": "eu", "oncuedepth": 1})
    assert statuses == ["completed"]


def test_a_circle_of_whole_events_ends_whatever_depth_they_claim(tmp_path: Path) -> None:
    endless = make_document(steps=[_emit_event(type="user.signup", oncuedepth=0)])

    events, _, errors = _run(tmp_path, endless)

    assert len(events) == 1 + MAX_DEPTH
    assert ["in a circle" in error for error in errors] == [True]


def test_what_is_no_event_is_not_told(tmp_path: Path) -> None:
    events, statuses, errors = _run(
        tmp_path, make_document(steps=[_emit_event(type="a b", time="then")])
    )

    assert (len(events), statuses) == (1, ["failed"])
    assert "event.type: expected" in errors[0]


def test_a_step_of_its_own_tells_an_event(tmp_path: Path) -> None:
    step: Any = {"id": "tell", "type": "emit_event", "event": {"type": "lead.{{ event.data.to }}"}}
    second = make_document(name="second", on={"type": "event", "event": "lead.won"})

    events, statuses, errors = _run(tmp_path, make_document(steps=[step]), second)

    assert (events[0].type, statuses, errors) == ("lead.won", ["completed"] * 2, [])


def test_no_step_speaks_for_oncue(tmp_path: Path) -> None:
    events, statuses, errors = _run(
        tmp_path, make_document(steps=[_emit_event(type="lead.won", source="oncue")])
    )

    assert (len(events), statuses) == (1, ["failed"])
    assert "event.source: expected a source other than 'oncue'" in errors[0]

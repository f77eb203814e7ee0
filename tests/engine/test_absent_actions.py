"""Workflows outlive their actions: what is no longer installed fails its step, and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from oncue.actions.library import ActionLibrary, GivenCredentials, Stores
from oncue.core.action import Action, AnyAction, Call, Idempotency, Ways
from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.workflow.compile import Library
from oncue.ports import Actions, ExecutionFilter
from oncue.testing.clock import VirtualClock
from oncue.testing.embedded import ACCOUNT, Embedded, embedded
from tests.make import make_call, make_document


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str


class FewWords(Words):
    """What the next version of the package takes."""

    language: str


async def _repeat(call: Call[Words]) -> Json:
    return {"text": call.input.text}


def _note(input_: type[Words] = Words) -> AnyAction:
    return Action(
        name="note",
        summary="Write a text down.",
        integration="test",
        category="test",
        input=input_,
        output=Words,
        idempotency=Idempotency.NONE,
        example={"text": "hello"},
        perform=_repeat,
    )


async def _refuse(*_: object) -> Any:
    raise AssertionError("nothing leaves this test")


def _with(folder: Path, actions: list[AnyAction], use: Callable[[Embedded], Awaitable[Any]]) -> Any:
    clock = VirtualClock()

    def build(stores: Stores) -> tuple[Actions, Library]:
        ways = Ways(_refuse, _refuse, _refuse)
        library = ActionLibrary(actions, GivenCredentials(lambda *_: {}), ways, clock, stores)
        return library, library.by_name

    async def main() -> Any:
        async with embedded(folder, build, clock=clock) as world:
            return await use(world)

    return asyncio.run(main())


CALLING = make_document(name="calls", steps=[make_call("a", on_error="continue"), make_call("b")])


async def _save(world: Embedded) -> None:
    await world.engine.definitions.create_workflow(ACCOUNT, CALLING)
    await world.engine.definitions.create_workflow(ACCOUNT, make_document(name="greets"))


async def _signup(world: Embedded) -> list[tuple[str, str, str | None]]:
    await world.engine.ingest.accept(ACCOUNT, {"type": "user.signup"})
    await world.engine.settled()
    rows = await world.world.history.executions(ACCOUNT, ExecutionFilter(), 10)
    return sorted((row.workflow, row.status.value, row.error) for row in rows)


def test_its_step_fails_and_all_other_workflows_run(tmp_path: Path) -> None:
    _with(tmp_path, [_note()], _save)
    found = _with(tmp_path, [], _signup)

    told = "no action 'note' here: its package is not installed, or was left out"
    assert found == [("calls", "failed", f"step 'b': {told}"), ("greets", "completed", None)]


def test_it_runs_again_once_the_action_is_back(tmp_path: Path) -> None:
    _with(tmp_path, [_note()], _save)
    _with(tmp_path, [], lambda world: world.engine.settled())
    found = _with(tmp_path, [_note()], _signup)

    assert [status for _, status, _ in found] == ["completed", "completed"]


def test_an_action_that_takes_something_else_now_fails_its_step(tmp_path: Path) -> None:
    _with(tmp_path, [_note()], _save)
    found = _with(tmp_path, [_note(FewWords)], _signup)

    assert found[0][:2] == ("calls", "failed")
    assert "with.language" in str(found[0][2])
    assert found[1][:2] == ("greets", "completed")


def test_it_can_be_disabled_and_its_missing_action_stays(tmp_path: Path) -> None:
    async def disable(world: Embedded) -> bool:
        catalog = world.world.catalog
        current = await catalog.workflow(ACCOUNT, await catalog.workflow_id(ACCOUNT, "calls"))
        changed = await world.engine.definitions.change_workflow(
            ACCOUNT, current, {**CALLING, "enabled": False}
        )
        return changed.is_enabled

    _with(tmp_path, [_note()], _save)

    assert _with(tmp_path, [], disable) is False


def test_a_new_workflow_cannot_name_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="expected an action, got 'note'"):
        _with(tmp_path, [], _save)

"""Steps that use an earlier answer again."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import InvalidInput, PermanentError
from oncue.core.json_text import Json
from oncue.core.key_values import Namespace
from oncue.ports import ExecutionFilter
from tests.installation import ACCOUNT, Installed, RecordingActions, installed
from tests.make import make_call, make_document


def _asked(
    folder: Path, step: dict[str, Json], *minutes: int, actions: RecordingActions | None = None
) -> tuple[list[str], list[bool]]:
    """Return what was called, and which steps were answered from the cache, in order."""

    async def main() -> tuple[list[str], list[bool]]:
        async with installed(folder, actions=actions) as world:
            document = make_document(steps=[step])
            await world.engine.definitions.create_workflow(ACCOUNT, document)
            for number, wait in enumerate(minutes):
                await world.settle_after(wait * 60_000)
                await world.send(id=str(number), data={"n": number, "even": number % 2 == 0})
            await world.settle_after()
            return [text for text, _ in world.actions.calls], await _cached(world, len(minutes))

    return asyncio.run(main())


async def _cached(world: Installed, count: int) -> list[bool]:
    found: list[bool] = []
    for number in range(count):
        event = await world.log.past.find(ACCOUNT, str(number))
        assert event is not None
        (execution,) = await _executions_of(world, event.id)
        found.append(execution.state.steps["ask"].is_cached)
    return found


async def _executions_of(world: Installed, event_id: str) -> Sequence[Any]:
    rows = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 100)
    mine = [row for row in rows if row.trigger.event_id == event_id]
    return [await world.journal.load(ACCOUNT, row.id) for row in mine]


def test_an_equal_input_within_the_time_calls_once(tmp_path: Path) -> None:
    step = make_call("ask", cache={"ttl": "1h"})

    assert _asked(tmp_path, step, 0, 59, 1, 59) == (["ask", "ask"], [False, True, False, True])


def test_another_input_is_another_call(tmp_path: Path) -> None:
    step = make_call("ask", cache={"ttl": "1h"}, **{"with": {"text": "n={{ event.data.n }}"}})

    assert _asked(tmp_path, step, 0, 0) == (["n=0", "n=1"], [False, False])


def test_a_key_says_what_is_equal(tmp_path: Path) -> None:
    cache: Json = {"ttl": "1h", "key": "{{ event.data.even }}"}
    step = make_call("ask", cache=cache, **{"with": {"text": "n={{ event.data.n }}"}})

    assert _asked(tmp_path, step, 0, 0, 0) == (["n=0", "n=1"], [False, False, True])


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    step = make_call("ask", cache={"ttl": "1h"}, on_error="continue")
    actions = RecordingActions(answers=[PermanentError("no")])

    assert _asked(tmp_path, step, 0, 0, 0, actions=actions) == (
        ["ask", "ask"],
        [False, False, True],
    )


def test_a_key_belongs_to_its_step(tmp_path: Path) -> None:
    async def main() -> list[str]:
        async with installed(tmp_path) as world:
            cache: Json = {"ttl": "1h", "key": "same"}
            steps = [make_call("a", cache=cache), make_call("b", cache=cache)]
            document = make_document(steps=steps)
            await world.engine.definitions.create_workflow(ACCOUNT, document)
            await world.send(id="1")
            await world.settle_after()
            page = await world.parts.keys.scan(ACCOUNT, Namespace.CACHE, "greet/", None, 10)
            return [entry.key for entry in page.entries]

    assert asyncio.run(main()) == ["greet/a/same", "greet/b/same"]


def test_an_answer_from_the_cache_is_in_the_history(tmp_path: Path) -> None:
    step = make_call("ask", cache={"ttl": "1h"})
    _asked(tmp_path, step, 0, 0)

    async def main() -> list[bool]:
        async with installed(tmp_path) as world:
            return await _cached(world, 2)

    assert asyncio.run(main()) == [False, True]


@pytest.mark.parametrize(
    ("step", "place"),
    [
        pytest.param(make_call("ask", cache={"ttl": "0s"}), "steps[0].cache.ttl", id="no time"),
        pytest.param(make_call("ask", cache={}), "steps[0].cache.ttl", id="no ttl"),
        pytest.param(
            make_call("ask", cache={"ttl": "1h", "key": "{{ evnt.id }}"}),
            "steps[0].cache.key",
            id="an unknown name",
        ),
        pytest.param(
            {
                "id": "ask",
                "type": "webhook",
                "url": "https://example.com",
                "expect_callback": "1h",
                "cache": {"ttl": "1h"},
            },
            "steps[0]",
            id="nobody would be asked to call back",
        ),
        pytest.param(
            {"id": "wait", "type": "delay", "for": "1h", "cache": {"ttl": "1h"}},
            "steps[0].cache",
            id="nothing is called",
        ),
    ],
)
def test_what_cannot_be_cached_is_refused(
    tmp_path: Path, step: dict[str, Json], place: str
) -> None:
    async def main() -> None:
        async with installed(tmp_path) as world:
            document = make_document(steps=[step])
            await world.engine.definitions.create_workflow(ACCOUNT, document)

    with pytest.raises(InvalidInput) as caught:
        asyncio.run(main())

    assert [problem.path for problem in caught.value.problems] == [place]

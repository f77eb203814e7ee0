"""A webhook whose step goes on when somebody calls back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oncue.core.json_text import Json
from oncue.testing.vendors import Simulators
from tests.make import make_document
from tests.server import Served, served
from tests.vendors import library_for

HOUR_MS = 3_600_000


def make_waiting(url: str) -> Any:
    step: Json = {
        "id": "review",
        "type": "webhook",
        "url": f"{url}/review",
        "body": {"answer_to": "{{ callback_url }}"},
        "expect_callback": "1h",
    }
    after: Json = {"id": "after", "type": "transform", "expr": "steps.review.output.callback"}
    return make_document(steps=[step, after], on=[])


async def begin(server: Served, vendors: Simulators) -> tuple[str, str]:
    """Return the path of an execution, and that of the callback which it waits for."""
    await server.request("POST", "/workflows", json=make_waiting(vendors.http.base_url))
    begun = await server.request("POST", "/workflows/greet/execute")
    await server.world.engine.settled()
    (call,) = vendors.http.calls
    assert isinstance(call.body, dict)
    url = call.body["answer_to"]
    assert isinstance(url, str)
    assert url.startswith("http://oncue.example/callbacks/")
    return f"/executions/{begun.body['execution_id']}", url.removeprefix("http://oncue.example")


def use(folder: Path, act: Any) -> Any:
    async def main() -> Any:
        async with (
            Simulators() as vendors,
            library_for(vendors) as library,
            served(folder, vendors=library) as server,
        ):
            execution, callback = await begin(server, vendors)
            return await act(server, execution, callback)

    return asyncio.run(main())


def test_a_callback_lets_the_step_go_on_once(tmp_path: Path) -> None:
    async def act(server: Served, execution: str, callback: str) -> Any:
        before = await server.request("GET", execution)
        answers = [
            await server.request("POST", callback, key=None, json={"approved": True})
            for _ in range(2)
        ]
        await server.world.engine.settled()
        return before, answers, await server.request("GET", execution)

    before, (first, again), after = use(tmp_path, act)

    assert before.body["status"] == "waiting"
    assert (first.status, again.status) == (202, 409)
    assert (after.body["status"], after.body["output"]) == ("completed", {"approved": True})


def test_nobody_calls_back(tmp_path: Path) -> None:
    async def act(server: Served, execution: str, callback: str) -> Any:
        await server.world.settle_after(HOUR_MS)
        late = await server.request("POST", callback, key=None)
        return await server.request("GET", execution), late

    execution, late = use(tmp_path, act)

    assert execution.body["error"] == "step 'review': nobody called back within 3600000 ms"
    assert late.status == 409


@pytest.mark.parametrize("part", range(3, 6))
def test_who_does_not_know_the_url_is_not_heard(tmp_path: Path, part: int) -> None:
    async def act(server: Served, execution: str, callback: str) -> Any:
        parts = callback.split("/")
        parts[part] = parts[part][:-1] + ("0" if parts[part][-1] != "0" else "1")
        refused = await server.request("POST", "/".join(parts), key=None)
        return refused, await server.request("GET", execution)

    refused, execution = use(tmp_path, act)

    assert refused.status in (404, 409)
    assert execution.body["status"] == "waiting"

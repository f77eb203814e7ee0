"""`/workflows` and executions begun by hand, over real HTTP."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.make import make_call, make_document
from tests.server import Answer, Served, serve

PURE = {"id": "sum", "type": "transform", "expr": "input.n + 1"}
SLEEP = {"id": "wait", "type": "delay", "for": "24h"}


async def create(server: Served, **changes: Any) -> Any:
    answer = await server.request("POST", "/workflows", json=make_document(**changes))
    assert answer.status == 201, answer.body
    return answer.body


def test_each_change_is_a_version(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        await create(server)
        answers = [
            await server.request("PATCH", "/workflows/greet", json=patch)
            for patch in ({"title": "Hello"}, {"title": "Hello"}, {"title": None, "vars": {"a": 1}})
        ]
        answers.append(await server.request("GET", "/workflows/greet/versions"))
        answers.append(await server.request("GET", "/workflows/greet"))
        return answers

    first, same, second, versions, current = serve(tmp_path, use)

    assert (first.status, first.body["version"], first.headers["Etag"]) == (200, 2, '"2"')
    assert same.body["version"] == 2
    assert (second.body["version"], "title" in second.body, second.body["vars"]) == (
        3,
        False,
        {"a": 1},
    )
    assert [row["version"] for row in versions.body["data"]] == [3, 2, 1]
    assert {**current.body, "warnings": []} == second.body


def test_a_rollback_is_the_next_version(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        await create(server)
        await server.request("PATCH", "/workflows/greet", json={"title": "Hello"})
        return [
            await server.request("POST", "/workflows/greet/rollback", json=body)
            for body in ({"version": 1}, {"version": 9}, {"version": "1"})
        ]

    back, unknown, wrong = serve(tmp_path, use)

    assert (back.body["version"], "title" in back.body) == (3, False)
    assert (unknown.status, wrong.status) == (404, 422)


@pytest.mark.parametrize(
    ("header", "status"), [('"1"', 200), ("1", 200), ("*", 200), ('"2"', 412), ('"0", "1"', 200)]
)
def test_a_change_may_be_meant_for_a_version(tmp_path: Path, header: str, status: int) -> None:
    async def use(server: Served) -> Answer:
        await create(server)
        options: Any = {"headers": {"If-Match": header}, "json": {"title": "Hello"}}
        return await server.request("PATCH", "/workflows/greet", **options)

    assert serve(tmp_path, use).status == status


def test_a_patch_that_breaks_the_workflow_changes_nothing(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Answer]:
        await create(server)
        refused = await server.request(
            "PATCH", "/workflows/greet", json={"steps": [], "on": {"type": "evnt"}}
        )
        return refused, await server.request("GET", "/workflows/greet")

    refused, current = serve(tmp_path, use)

    assert refused.status == 422
    assert {"steps", "on"} <= {error["path"].split(".")[0] for error in refused.body["errors"]}
    assert current.body["version"] == 1


def test_what_starts_it_can_be_changed_and_ended(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        counts = []
        await create(server, on={"type": "event", "event": "a"})
        changes: list[Any] = [
            None,
            {"on": [{"type": "event", "event": "b"}]},
            {"on": []},
            {"on": {"type": "event", "event": "a"}},
            {"enabled": False},
        ]
        for number, change in enumerate(changes):
            if change:
                await server.request("PATCH", "/workflows/greet", json=change)
            for kind in ("a", "b"):
                event = {"type": kind, "id": f"{kind}{number}"}
                await server.request("POST", "/events", json=event)
            await server.world.engine.settled()
            counts.append(len(await server.world.statuses()))
        return counts

    assert serve(tmp_path, use) == [1, 2, 2, 3, 3]


def test_a_deleted_workflow_starts_nothing_and_frees_its_name(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[list[int], int, int]:
        workflow = await create(server)
        await server.request("POST", "/events", json={"type": "user.signup", "id": "before"})
        await server.world.engine.settled()
        (row,) = (await server.request("GET", "/executions")).body["data"]
        statuses = [
            (await server.request(method, path)).status
            for method, path in (
                ("DELETE", "/workflows/greet"),
                ("GET", "/workflows/greet"),
                ("GET", f"/workflows/{workflow['id']}"),
                ("GET", f"/executions/{row['id']}"),
                ("DELETE", "/workflows/greet"),
            )
        ]
        await server.request("POST", "/events", json={"type": "user.signup", "id": "after"})
        await server.world.engine.settled()
        again = await server.request("POST", "/workflows", json=make_document())
        return statuses, len(await server.world.statuses()), again.status

    assert serve(tmp_path, use) == ([204, 404, 404, 200, 404], 1, 201)


def test_open_executions_keep_a_workflow_unless_they_are_cancelled(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await create(server, steps=[SLEEP])
        await server.request("POST", "/workflows/greet/execute")
        await server.world.engine.settled()
        kept = await server.request("DELETE", "/workflows/greet")
        gone = await server.request("DELETE", "/workflows/greet?cancel=true")
        return kept.status, gone.status, await server.world.statuses()

    assert serve(tmp_path, use) == (409, 204, ["cancelled"])


def test_workflows_come_newest_first_in_pages(tmp_path: Path) -> None:
    async def use(server: Served) -> list[list[str]]:
        for number in range(5):
            await create(server, name=f"flow-{number}")
            server.world.clock.advance(1)
        pages, cursor = [], ""
        while True:
            page = (await server.request("GET", f"/workflows?limit=2{cursor}")).body
            pages.append([row["name"] for row in page["data"]])
            if page["next_cursor"] is None:
                return pages
            cursor = f"&cursor={page['next_cursor']}"

    assert serve(tmp_path, use) == [["flow-4", "flow-3"], ["flow-2", "flow-1"], ["flow-0"]]


@pytest.mark.parametrize(
    ("body", "event", "input_"),
    [
        pytest.param({"input": {"n": 1}}, {"type": "manual", "data": {"n": 1}}, {"n": 1}, id="input"),
        pytest.param(None, {"type": "manual", "data": {}}, {}, id="nothing"),
        pytest.param(
            {"event": {"type": "user.signup", "id": "e", "data": {"n": 2}}},
            {"type": "user.signup", "id": "e", "data": {"n": 2}}, {"n": 2}, id="an event",
        ),
        pytest.param(
            {"event_id": "stored"}, {"type": "x", "id": "stored", "data": {"n": 3}}, {"n": 3},
            id="an event of the log",
        ),
    ],
)  # fmt: skip
def test_a_workflow_is_executed_by_hand(
    tmp_path: Path, body: Any, event: dict[str, Any], input_: Any
) -> None:
    async def use(server: Served) -> Any:
        await server.request(
            "POST", "/events", json={"type": "x", "id": "stored", "data": {"n": 3}}
        )
        show = {"id": "show", "type": "transform", "output": ["{{ event }}", "{{ input }}"]}
        await create(server, steps=[show], on=[])
        options = {} if body is None else {"json": body}
        begun = await server.request("POST", "/workflows/greet/execute", **options)
        await server.world.engine.settled()
        return begun, await server.request("GET", f"/executions/{begun.body['execution_id']}")

    begun, shown = serve(tmp_path, use)

    assert (begun.status, begun.body["status"]) == (202, "pending")
    seen_event, seen_input = shown.body["output"]
    assert event.items() <= seen_event.items()
    assert (seen_input, shown.body["input"]) == (input_, input_)
    assert shown.body["trigger"]["type"] == "manual"
    assert len(shown.body["steps"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ([], 422, ""),
        ({"inputs": {}}, 422, "inputs"),
        ({"input": 1, "event_id": "x"}, 422, ""),
        ({"event": {"typ": "x"}}, 422, "event.type"),
        ({"event_id": 5}, 422, "event_id"),
        ({"event_id": "nope"}, 404, None),
    ],
)
def test_what_is_no_start_is_refused(
    tmp_path: Path, body: Any, status: int, path: str | None
) -> None:
    async def use(server: Served) -> Any:
        await create(server)
        refused = await server.request("POST", "/workflows/greet/execute", json=body)
        return refused, await server.world.statuses()

    refused, statuses = serve(tmp_path, use)

    assert refused.status == status
    assert path in [None, *[error["path"] for error in refused.body.get("errors", [])]]
    assert statuses == []


def test_a_key_begins_one_execution(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await create(server, steps=[PURE], on=[])
        answers = []
        for number in (1, 1, 2):
            options: Any = {"headers": {"Idempotency-Key": "k"}, "json": {"input": {"n": number}}}
            answers.append(await server.request("POST", "/workflows/greet/execute", **options))
        await server.world.engine.settled()
        return answers, await server.world.statuses()

    (first, again, other), statuses = serve(tmp_path, use)

    assert first.body == again.body
    assert (first.status, again.status, other.status) == (202, 202, 409)
    assert statuses == ["completed"]


def test_an_answer_may_wait_for_the_end(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Answer]:
        await create(server, steps=[PURE], on=[])
        await create(server, name="slow", steps=[SLEEP], on=[])
        body = {"input": {"n": 41}}
        ended = await server.request("POST", "/workflows/greet/execute?wait=10s", json=body)
        waiting = asyncio.create_task(
            server.request("POST", "/workflows/slow/execute?wait=10s", json=body)
        )
        clock = server.world.clock
        while not clock.is_awaited(clock.now_ms() + 10_000):
            await server.world.statuses()
        clock.advance(10_000)
        return ended, await waiting

    ended, late = serve(tmp_path, use)

    assert (ended.status, ended.body["status"], ended.body["output"]) == (200, "completed", 42)
    assert (late.status, late.body["status"]) == (202, "pending")


def test_a_waiting_execution_is_cancelled_for_good(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await create(server, steps=[make_call("a"), SLEEP, make_call("b")], on=[])
        begun = await server.request("POST", "/workflows/greet/execute")
        await server.world.engine.settled()
        path = f"/executions/{begun.body['execution_id']}"
        cancelled = await server.request("POST", f"{path}/cancel")
        again = await server.request("POST", f"{path}/cancel")
        await server.world.settle_after(86_400_000)
        shown = await server.request("GET", path)
        return cancelled, again, shown, server.world.actions.calls

    cancelled, again, shown, calls = serve(tmp_path, use)

    assert (cancelled.status, again.status) == (202, 409)
    assert (shown.body["status"], shown.body["error"]) == ("cancelled", "cancelled by request")
    assert [step["status"] for step in shown.body["steps"]] == ["completed", "cancelled"]
    assert len(calls) == 1

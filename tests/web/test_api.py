"""The API over real HTTP: what is answered, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from oncue.web.context import Limits
from tests.make import make_call, make_document
from tests.server import READER, Answer, Served, serve


def test_an_event_starts_an_execution_that_can_be_read(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Answer, Answer]:
        document = make_document(
            on={
                "type": "event",
                "event": "user.signup",
                "where": "event.data.plan == 'enterprise'",
            },
            steps=[make_call("welcome"), {"id": "wait", "type": "delay", "for": "24h"}],
        )
        created = await server.request("POST", "/workflows", json=document)
        for plan in ("free", "enterprise"):
            event = {"id": plan, "type": "user.signup", "data": {"plan": plan}}
            await server.request("POST", "/events", json=event)
        await server.world.engine.settled()
        listed = await server.request("GET", "/executions")
        (row,) = listed.body["data"]
        return created, listed, await server.request("GET", f"/executions/{row['id']}")

    created, listed, execution = serve(tmp_path, use)

    assert created.status == 201
    assert created.headers["Location"] == f"/workflows/{created.body['id']}"
    assert (created.body["name"], created.body["version"]) == ("greet", 1)
    assert listed.body["next_cursor"] is None
    assert listed.body["data"][0]["status"] == "waiting"
    body = execution.body
    assert body["id"].startswith("exe_")
    assert (body["workflow"], body["version"], body["status"]) == ("greet", 1, "waiting")
    assert body["trigger"]["event_id"] == "enterprise"
    assert body["input"] == {"plan": "enterprise"}
    assert body["steps"] == [
        {
            "id": "welcome",
            "path": "welcome",
            "type": "action",
            "status": "completed",
            "attempts": [
                {
                    "attempt": 1,
                    "status": "completed",
                    "started_at": "2026-01-01T00:00:00.000Z",
                    "finished_at": "2026-01-01T00:00:00.000Z",
                    "error": None,
                }
            ],
            "input": {"text": "welcome"},
            "output": {"noted": "welcome"},
            "error": None,
            "cached": False,
            "reused": False,
            "waits_until": None,
            "waits_for": None,
        },
        {
            "id": "wait",
            "path": "wait",
            "type": "delay",
            "status": "waiting",
            "attempts": [],
            "input": None,
            "output": None,
            "error": None,
            "cached": False,
            "reused": False,
            "waits_until": "2026-01-02T00:00:00.000Z",
            "waits_for": None,
        },
    ]


def test_the_repeat_of_an_event_is_a_duplicate_with_the_first_offset(tmp_path: Path) -> None:
    async def use(server: Served) -> list[tuple[int, Any]]:
        answers = []
        for data in ({"n": 1}, {"n": 1}, {"n": 2}):
            event = {"id": "e-1", "type": "a", "data": data}
            answer = await server.request("POST", "/events", json=event)
            answers.append((answer.status, answer.body))
        return answers

    assert serve(tmp_path, use) == [
        (202, {"id": "e-1", "status": "accepted", "offset": 1}),
        (202, {"id": "e-1", "status": "duplicate", "offset": 1}),
        (202, {"id": "e-1", "status": "duplicate", "offset": 1, "conflict": True}),
    ]


def test_executions_come_newest_first_in_pages(tmp_path: Path) -> None:
    async def use(server: Served) -> list[list[str]]:
        await server.request("POST", "/workflows", json=make_document())
        for number in range(5):
            event = {"id": str(number), "type": "user.signup"}
            await server.request("POST", "/events", json=event)
            await server.world.settle_after(1)
        pages, cursor = [], ""
        while True:
            page = (await server.request("GET", f"/executions?limit=2{cursor}")).body
            pages.append([row["trigger"]["event_id"] for row in page["data"]])
            if page["next_cursor"] is None:
                return pages
            cursor = f"&cursor={page['next_cursor']}"

    assert serve(tmp_path, use) == [["4", "3"], ["2", "1"], ["0"]]


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "paths"),
    [
        pytest.param("POST", "/events", {"key": None}, 401, None, id="no key"),
        pytest.param("POST", "/events", {"key": "wrong"}, 401, None, id="an unknown key"),
        pytest.param("POST", "/events", {"key": READER, "data": b"{}"}, 403, None, id="may not"),
        pytest.param("POST", "/events", {"data": b"{"}, 400, None, id="not JSON"),
        pytest.param("POST", "/events", {"data": b'{"a":1,"a":1}'}, 400, None, id="twice a member"),
        pytest.param("POST", "/events", {"data": b'"\xff"'}, 400, None, id="not UTF-8"),
        pytest.param("POST", "/events", {"data": b"[]"}, 422, [""], id="a list"),
        pytest.param("POST", "/events", {"data": b"{}"}, 422, ["type"], id="no type"),
        pytest.param("POST", "/events", {"data": b'"' + b"x" * 999 + b'"'}, 413, None, id="large"),
        pytest.param(
            "POST", "/events", {"data": b"a=1", "headers": {"Content-Type": "text/plain"}}, 415, None,
            id="text",
        ),
        pytest.param("PUT", "/events", {}, 405, None, id="another method"),
        pytest.param("GET", "/nowhere", {}, 404, None, id="another path"),
        pytest.param("POST", "/workflows", {"json": {"name": "A"}}, 422, ["name", "steps"], id="wf"),
        pytest.param("GET", "/executions/exe_1", {}, 404, None, id="no such execution"),
        pytest.param("GET", "/executions?limit=0", {}, 422, ["limit"], id="a limit of 0"),
        pytest.param("GET", "/executions?limit=x", {}, 422, ["limit"], id="no number"),
        pytest.param("GET", "/executions?cursor=x", {}, 422, ["cursor"], id="no cursor"),
        pytest.param("GET", "/workflows/wf_1", {}, 404, None, id="no such workflow"),
    ],
)  # fmt: skip
def test_what_is_refused_comes_as_a_problem_document(
    tmp_path: Path, method: str, path: str, options: Any, status: int, paths: list[str] | None
) -> None:
    async def use(server: Served) -> tuple[Answer, int]:
        answer = await server.request(method, path, **options)
        return answer, server.world.log.head("acc_test")

    answer, head = serve(tmp_path, use, Limits(event_bytes=500))

    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["status"] == status
    assert {"type", "title", "detail"} <= answer.body.keys()
    assert [error["path"] for error in answer.body.get("errors", [])] == (paths or [])
    assert head == 0


def test_another_method_is_told_all_that_the_path_takes(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        return [
            await server.request("DELETE", "/events"),
            await server.request("PUT", "/workflows/wf_1"),
        ]

    events, workflow = serve(tmp_path, use)

    assert events.headers["Allow"] == "GET, HEAD, POST"
    assert events.body["detail"] == "expected GET or HEAD or POST, got DELETE"
    assert workflow.headers["Allow"] == "DELETE, GET, HEAD, PATCH"


def test_a_state_that_was_mistyped_is_told_as_it_is_written(tmp_path: Path) -> None:
    async def use(server: Served) -> Answer:
        return await server.request("GET", "/dead-letters?state=opne")

    (problem,) = serve(tmp_path, use).body["errors"]

    assert problem["message"].endswith("got 'opne'; did you mean 'open'?")


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int]:
        return [
            (await server.request("POST", "/workflows", json=make_document())).status
            for _ in range(2)
        ]

    assert serve(tmp_path, use) == [201, 409]


def test_the_process_says_that_it_lives(tmp_path: Path) -> None:
    async def use(server: Served) -> Answer:
        return await server.request("GET", "/health", key=None)

    assert serve(tmp_path, use).body["status"] == "ok"

"""`/dead-letters`: what was given up, seen and let go."""

from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import PermanentError
from oncue.core.json_text import Json
from tests.make import make_call, make_document
from tests.server import Answer, Served, serve


async def fail(server: Served, *errors: str, **changes: Json) -> None:
    """Let an execution fail by each of the errors, a second apart."""
    document = make_document(**{"steps": [make_call("call")], **changes})
    await server.request("POST", "/workflows", json=document)
    for error in errors:
        server.world.actions.answers.append(PermanentError(error))
        path = f"/workflows/{document['name']}/execute"
        assert (await server.request("POST", path, json={})).status == 202
        await server.world.settle_after(1_000)


async def listed(server: Served, query: str = "") -> Any:
    answer = await server.request("GET", f"/dead-letters?{query}")
    assert answer.status == 200, answer.body
    return answer.body["data"]


def test_an_execution_that_fails_becomes_a_dead_letter(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "slack answered 404: no channel 'c1'")
        (execution,) = (await server.request("GET", "/executions")).body["data"]
        (letter,) = await listed(server)
        one = await server.request("GET", f"/dead-letters/{letter['id']}")
        board = (await server.request("GET", "/monitoring/dashboard")).body["queues"]
        metrics = (await server.request("GET", "/metrics")).body
        return execution, letter, one.body, board, metrics

    execution, letter, one, board, metrics = serve(tmp_path, use)

    assert one == letter
    assert letter | {"workflow_id": "", "id": ""} == {
        "id": "",
        "queue": "workflows",
        "state": "open",
        "error": execution["error"],
        "fingerprint": letter["fingerprint"],
        "workflow": "greet",
        "workflow_id": "",
        "version": 1,
        "execution_id": execution["id"],
        "created_at": execution["finished_at"],
        "closed_at": None,
        "redriven_as": None,
    }
    assert letter["id"].startswith("dl_")
    assert (board["workflows"]["dead"], board["events"]["dead"]) == (1, 0)
    assert 'oncue_dead_letters_total{queue="workflows"} 1.0' in metrics


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"dead_letter": False}, id="the workflow wants none"),
        pytest.param(
            {"steps": [{"id": "no", "type": "stop", "status": "failed", "message": "no"}]},
            id="a step stopped it",
        ),
        pytest.param({"steps": [make_call("call", on_error="continue")]}, id="it was caught"),
    ],
)
def test_what_does_not_become_one(tmp_path: Path, changes: dict[str, Json]) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "no", **changes)
        return await listed(server)

    assert serve(tmp_path, use) == []


def test_one_that_is_cancelled_is_none(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        steps: Json = [{"id": "wait", "type": "delay", "for": "1h"}]
        await server.request("POST", "/workflows", json=make_document(steps=steps))
        begun = await server.request("POST", "/workflows/greet/execute", json={})
        await server.world.engine.settled()
        await server.request("POST", f"/executions/{begun.body['execution_id']}/cancel")
        return await listed(server)

    assert serve(tmp_path, use) == []


def test_they_are_grouped_by_cause_and_found_by_it(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "slack answered 404: no 'a'", "slack answered 404: no 'b'", "busy 3")
        await fail(server, "slack answered 404: no 'c'", name="other")
        groups = await listed(server, "group=error")
        first = await server.request("GET", "/dead-letters?group=error&limit=1")
        rest = await listed(server, f"group=error&cursor={first.body['next_cursor']}")
        of_one = await listed(server, f"fingerprint={groups[0]['fingerprint']}&workflow=greet")
        pages = await server.request("GET", "/dead-letters?limit=3")
        last = await listed(server, f"cursor={pages.body['next_cursor']}")
        return groups, [*first.body["data"], *rest], of_one, [*pages.body["data"], *last]

    groups, by_page, of_one, letters = serve(tmp_path, use)

    assert [(g["count"], g["origins"]) for g in groups] == [(3, ["greet", "other"]), (1, ["greet"])]
    assert "no 'c'" in groups[0]["error"]
    assert by_page == groups
    assert [letter["error"][-4:] for letter in of_one] == [" 'b'", " 'a'"]
    assert len({letter["id"] for letter in letters}) == 4


def test_they_are_let_go(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "one", "two", "three")
        three, two, one = await listed(server)
        path = f"/dead-letters/{one['id']}"
        first, again = await server.request("DELETE", path), await server.request("DELETE", path)
        body = {"filter": {"fingerprint": two["fingerprint"]}}
        many = await server.request("POST", "/dead-letters/discard", json=body)
        left = await listed(server, "state=open")
        gone = await listed(server, "state=discarded")
        return first, again, many, [row["id"] for row in left] == [three["id"]], len(gone)

    first, again, many, is_left, gone = serve(tmp_path, use)

    assert first.status == 204
    assert again.status == 409
    assert "which is discarded" in again.body["detail"]
    assert (many.status, many.body) == (200, {"discarded": 1})
    assert is_left
    assert gone == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "place"),
    [
        ("GET", "/dead-letters?queue=event", None, "queue"),
        ("GET", "/dead-letters?state=opne", None, "state"),
        ("GET", "/dead-letters?group=workflow", None, "group"),
        ("GET", "/dead-letters?from=yesterday", None, "from"),
        ("POST", "/dead-letters/discard", {}, "filter"),
        ("POST", "/dead-letters/discard", {"filter": {"flow": "x"}}, "filter.flow"),
        ("POST", "/dead-letters/discard", {"filter": {"from": 3}}, "filter.from"),
    ],
)
def test_what_means_nothing_is_told_with_its_place(
    tmp_path: Path, method: str, path: str, body: Json, place: str
) -> None:
    async def use(server: Served) -> Answer:
        return await server.request(method, path, json=body)

    answer = serve(tmp_path, use)

    assert answer.status == 422
    assert [error["path"] for error in answer.body["errors"]] == [place]


def test_nobody_else_sees_them(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "one")
        (letter,) = await listed(server)
        made = await server.request("POST", "/accounts", json={"name": "other"})
        path, key = f"/dead-letters/{letter['id']}", made.body["api_key"]
        seen = await server.request("GET", "/dead-letters", key=key)
        all_ = await server.request("POST", "/dead-letters/discard", key=key, json={"filter": {}})
        one = await server.request("GET", path, key=key)
        gone = await server.request("DELETE", path, key=key)
        return seen.body["data"], all_.body, one.status, gone.status, len(await listed(server))

    assert serve(tmp_path, use) == ([], {"discarded": 0}, 404, 404, 1)

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
        "event": None,
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
        ("POST", "/dead-letters/redrive", {"rate": "10/s"}, "filter"),
        ("POST", "/dead-letters/redrive", {"filter": {}, "rate": "fast"}, "rate"),
        ("POST", "/dead-letters/redrive", {"filter": {}, "rate": "2000/s"}, "rate"),
        ("POST", "/dead-letters/redrive", {"filter": {}, "version": "new"}, "version"),
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


async def redriving(server: Served, **body: Json) -> Any:
    begun = await server.request("POST", "/dead-letters/redrive", json={"filter": {}, **body})
    assert begun.status == 202, begun.body
    assert begun.headers["Location"] == f"/dead-letters/redrives/{begun.body['id']}"
    return begun.body


async def progress(server: Served, redrive: Any) -> Any:
    found = (await server.request("GET", f"/dead-letters/redrives/{redrive['id']}")).body
    return {name: found[name] for name in ("state", "total", "redriven", "refused", "left")}


def test_many_are_redriven_at_their_rate_and_each_once(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "one", "two", "three")
        await fail(server, "no", name="other")
        first = await redriving(server, filter={"workflow": "greet"}, rate="1/m")
        second = await redriving(server, filter={"workflow": "greet"}, rate="1/s")
        await server.world.engine.settled()
        at_once = await progress(server, first)
        await server.world.settle_after(60_000)
        # What fails again is no part of it.
        server.world.actions.answers.append(PermanentError("still"))
        await server.world.settle_after(60_000)
        rows = (await server.request("GET", "/dead-letters/redrives")).body["data"]
        return (
            at_once,
            await progress(server, first),
            await progress(server, second),
            [row["id"] for row in rows] == [second["id"], first["id"]],
            [(row["workflow"], row["error"]) for row in await listed(server, "state=open")],
            [text for text, _ in server.world.actions.calls],
        )

    at_once, first, second, are_listed, left, calls = serve(tmp_path, use)

    assert at_once == {"state": "running", "total": 3, "redriven": 1, "refused": 0, "left": 2}
    assert first == {"state": "done", "total": 3, "redriven": 3, "refused": 0, "left": 0}
    assert second == {"state": "done", "total": 0, "redriven": 0, "refused": 0, "left": 0}
    assert are_listed
    assert left == [("greet", "step 'call': still"), ("other", "step 'call': no")]
    assert len(calls) == 4 + 3


def test_the_redriving_of_many_is_cancelled(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "one", "two", "three")
        redrive = await redriving(server, rate="1/m")
        await server.world.engine.settled()
        path = f"/dead-letters/redrives/{redrive['id']}/cancel"
        done, again = await server.request("POST", path), await server.request("POST", path)
        await server.world.settle_after(600_000)
        return (
            done,
            again.status,
            await progress(server, redrive),
            await listed(server, "state=open"),
        )

    done, again, found, left = serve(tmp_path, use)

    assert (done.status, done.body["state"], again) == (202, "cancelled", 409)
    assert found == {"state": "cancelled", "total": 3, "redriven": 1, "refused": 0, "left": 0}
    assert len(left) == 2


def test_what_somebody_let_go_of_meanwhile_is_passed_over(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "one", "two", "three")
        redrive = await redriving(server, rate="1/m")
        await server.world.engine.settled()
        three, two, _ = await listed(server)
        await server.request("DELETE", f"/dead-letters/{two['id']}")
        await server.request("POST", f"/dead-letters/{three['id']}/redrive")
        await server.world.settle_after(60_000, 60_000)
        return await progress(server, redrive), len(server.world.actions.calls)

    found, calls = serve(tmp_path, use)

    assert found == {"state": "done", "total": 3, "redriven": 2, "refused": 1, "left": 0}
    assert calls == 3 + 2

"""`POST /executions/{id}/replay` and `POST /dead-letters/{id}/redrive`."""

from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import OutcomeUnknown, PermanentError
from oncue.core.json_text import Json
from tests.make import make_call, make_document
from tests.server import Answer, Served, serve
from tests.web.test_dead_letters import fail, listed

STEPS: Json = [make_call("welcome"), make_call("sales"), make_call("crm")]


async def begun(server: Served, answer: Answer) -> Any:
    assert answer.status == 202, answer.body
    await server.world.engine.settled()
    return (await server.request("GET", answer.headers["Location"])).body


async def executed(server: Served, document: dict[str, Json] | None = None) -> Any:
    document = document or make_document(steps=STEPS)
    await server.request("POST", "/workflows", json=document)
    path = f"/workflows/{document['name']}/execute"
    return await begun(server, await server.request("POST", path, json={"input": {"n": 1}}))


async def replayed(server: Served, original: Any, **body: Json) -> Any:
    path = f"/executions/{original['id']}/replay"
    return await begun(server, await server.request("POST", path, json=body))


def test_a_replay_reuses_what_came_before_its_step(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        original = await executed(server)
        found = await replayed(server, original, **{"from": "sales"})
        audit = (await server.request("GET", f"/monitoring/audit?execution={found['id']}")).body
        return original, found, audit["data"], server.world.actions.calls

    original, found, audit, calls = serve(tmp_path, use)

    assert found["id"] != original["id"]
    assert (found["status"], found["output"]) == ("completed", original["output"])
    assert found["input"] == {"n": 1}
    assert found["trigger"] == original["trigger"] | {"type": "replay", "execution_id": original["id"]}  # fmt: skip
    assert [(s["id"], s["reused"], len(s["attempts"])) for s in found["steps"]] == [
        ("welcome", True, 0),
        ("sales", False, 1),
        ("crm", False, 1),
    ]
    assert found["steps"][0]["input"] == original["steps"][0]["input"]
    assert [row["step"] for row in audit] == ["crm", "sales"]
    assert [text for text, _ in calls] == ["welcome", "sales", "crm", "sales", "crm"]
    # What runs anew is meant anew: no vendor takes it for a repeat.
    assert len({key for _, key in calls}) == 5


def test_each_replay_is_of_a_generation_of_its_own(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        original = await executed(server)
        second = await replayed(server, original)
        await replayed(server, second)
        await replayed(server, original)
        return server.world.actions.calls

    calls = serve(tmp_path, use)

    assert len(calls) == len({key for _, key in calls}) == 12


def test_the_latest_version_is_run_if_asked_for(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        original = await executed(server)
        steps: Json = [make_call("welcome"), make_call("bill"), make_call("crm")]
        await server.request("PATCH", "/workflows/greet", json={"steps": steps})
        path = f"/executions/{original['id']}/replay"
        gone = await server.request("POST", path, json={"from": "sales", "version": "latest"})
        pinned = await replayed(server, original, **{"from": "sales"})
        latest = await replayed(server, original, **{"from": "crm", "version": "latest"})
        return gone, pinned, latest

    gone, pinned, latest = serve(tmp_path, use)

    assert gone.status == 422
    assert gone.body["errors"][0]["path"] == "from"
    assert "got 'sales'" in gone.body["errors"][0]["message"]
    assert pinned["version"] == 1
    assert (latest["version"], [s["id"] for s in latest["steps"]]) == (
        2,
        ["welcome", "bill", "crm"],
    )


def test_a_repeat_with_its_key_begins_nothing_more(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        original = await executed(server)
        path, headers = f"/executions/{original['id']}/replay", {"Idempotency-Key": "k"}
        first = await server.request("POST", path, json={}, headers=headers)
        again = await server.request("POST", path, json={}, headers=headers)
        other = await server.request("POST", path, json={"from": "crm"}, headers=headers)
        return first.body == again.body, other.status

    assert serve(tmp_path, use) == (True, 409)


def test_what_has_not_ended_is_not_replayed(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        steps: Json = [{"id": "wait", "type": "delay", "for": "1h"}]
        waiting = await executed(server, make_document(steps=steps))
        path = f"/executions/{waiting['id']}/replay"
        none = await server.request("POST", "/executions/exe_none/replay", json={})
        return waiting["status"], (await server.request("POST", path, json={})).status, none.status

    assert serve(tmp_path, use) == ("waiting", 409, 404)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"from": "salse"}, "from"),
        ({"from": 3}, "from"),
        ({"version": "newest"}, "version"),
        ({"form": "sales"}, "form"),
        ([], ""),
    ],
)
def test_what_a_replay_cannot_mean_is_told(tmp_path: Path, body: Json, place: str) -> None:
    async def use(server: Served) -> Answer:
        original = await executed(server)
        return await server.request("POST", f"/executions/{original['id']}/replay", json=body)

    answer = serve(tmp_path, use)

    assert answer.status == 422
    assert [error["path"] for error in answer.body["errors"]] == [place]


def test_a_redrive_goes_on_where_it_failed_with_the_same_key(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "busy", steps=[make_call("call"), make_call("after")])
        (letter,) = await listed(server)
        path = f"/dead-letters/{letter['id']}/redrive"
        done = await server.request("POST", path)
        await server.world.engine.settled()
        execution = await server.request("GET", f"/executions/{done.body['redriven_as']}")
        again = await server.request("POST", path)
        one = await server.request("GET", f"/dead-letters/{letter['id']}")
        return letter, done, execution.body, again, one.body, server.world.actions.calls

    letter, done, execution, again, one, calls = serve(tmp_path, use)

    assert done.status == 202
    assert (done.body["state"], one) == ("redriven", done.body)
    assert execution["status"] == "completed"
    assert execution["trigger"]["type"] == "redrive"
    assert execution["trigger"]["execution_id"] == letter["execution_id"]
    assert (again.status, "which is redriven" in again.body["detail"]) == (409, True)
    assert [text for text, _ in calls] == ["call", "call", "after"]
    assert len({key for _, key in calls}) == 2


def test_a_redrive_that_fails_is_a_dead_letter_of_its_own(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "busy")
        (letter,) = await listed(server)
        server.world.actions.answers.append(PermanentError("still busy"))
        await server.request("POST", f"/dead-letters/{letter['id']}/redrive")
        await server.world.engine.settled()
        return await listed(server)

    (second, first) = serve(tmp_path, use)

    assert (first["state"], second["state"]) == ("redriven", "open")
    assert second["execution_id"] == first["redriven_as"]


def test_a_workflow_can_be_mended_before_a_redrive(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        await fail(server, "busy", steps=[make_call("a", on_error="continue"), make_call("call")])
        await fail(server, "no", "no such text", name="two", steps=[make_call("call")])
        letter = (await listed(server, "workflow=two"))[0]
        steps: Json = [make_call("call", **{"with": {"text": "mended"}})]
        await server.request("PATCH", "/workflows/two", json={"steps": steps})
        path = f"/dead-letters/{letter['id']}/redrive"
        done = await server.request("POST", path, json={"version": "latest"})
        await server.world.engine.settled()
        return (await server.request("GET", f"/executions/{done.body['redriven_as']}")).body

    execution = serve(tmp_path, use)

    assert (execution["version"], execution["output"]) == (2, {"noted": "mended"})


def test_what_may_have_happened_is_told_to_the_action(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        step = make_call("call", action="sms")
        await server.request("POST", "/workflows", json=make_document(steps=[step]))
        server.world.actions.answers.append(OutcomeUnknown("no answer"))
        await server.request("POST", "/workflows/greet/execute", json={})
        await server.world.engine.settled()
        (letter,) = await listed(server)
        await server.request("POST", f"/dead-letters/{letter['id']}/redrive")
        await server.world.engine.settled()
        return server.world.actions.repeats

    assert serve(tmp_path, use) == [False, True]

"""Workflows that are foreseen and tried, and executions that are followed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from oncue.testing.vendors import Simulators
from tests.make import make_call, make_document
from tests.server import READER, Answer, Served, serve, served
from tests.vendors import library_for

EMAIL = {
    "id": "mail",
    "type": "action",
    "action": "send_email",
    "with": {"to": "{{ event.data.to }}", "subject": "Hi", "text": "n={{ input.n }}"},
}
STEPS: list[Any] = [
    EMAIL,
    {"id": "wait", "type": "delay", "for": "24h"},
    {
        "id": "big",
        "type": "condition",
        "if": "input.n > 5",
        "then": [{"id": "said", "type": "transform", "expr": "steps.mail.output.message_id"}],
    },
    {
        "id": "each",
        "type": "loop",
        "for_each": [1, 2],
        "steps": [{"id": "twice", "type": "transform", "expr": "item * 2"}],
    },
]
BODY = {"input": {"to": "ada@example.com", "n": 7}}


def with_vendors(folder: Path, use: Callable[[Served, Simulators], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with (
            Simulators() as vendors,
            library_for(vendors) as library,
            served(folder, vendors=library) as server,
        ):
            document = make_document(steps=STEPS)
            assert (await server.request("POST", "/workflows", json=document)).status == 201
            return await use(server, vendors)

    return asyncio.run(main())


def test_a_plan_tells_all_steps_and_sends_nothing(tmp_path: Path) -> None:
    async def use(server: Served, vendors: Simulators) -> Any:
        plan = await server.request("POST", "/workflows/greet/plan", json=BODY, key=READER)
        return plan, vendors.resend.calls, await server.world.statuses()

    plan, calls, executions = with_vendors(tmp_path, use)

    assert (plan.status, calls, executions) == (200, [], [])
    assert (plan.body["status"], plan.body["truncated"]) == ("completed", False)
    steps = {step["path"]: step for step in plan.body["steps"]}
    assert [*steps] == ["mail", "wait", "big", "big.then.said", "each", "each[0].twice", "each[1].twice"]  # fmt: skip
    assert (steps["mail"]["action"], steps["mail"]["assumed"]) == ("send_email", True)
    assert steps["mail"]["input"] == {"to": "ada@example.com", "subject": "Hi", "text": "n=7"}
    assert steps["wait"]["output"] == {"until": "2026-01-02T00:00:00.000Z"}
    assert plan.body["output"] == [{"twice": 2}, {"twice": 4}]


def test_a_plan_takes_what_calls_would_give(tmp_path: Path) -> None:
    async def use(server: Served, _: Simulators) -> Answer:
        body = {**BODY, "steps": {"mail": {"message_id": "given"}}}
        return await server.request("POST", "/workflows/greet/plan", json=body)

    plan = with_vendors(tmp_path, use)

    outputs = {step["path"]: step["output"] for step in plan.body["steps"]}
    assert outputs["big.then.said"] == "given"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param({"step": "wait"}, {"until": "2026-01-02T00:00:00.000Z"}, id="a delay"),
        pytest.param({"step": "big", "input": {"n": 9}}, {"branch": "then"}, id="a condition"),
        pytest.param(
            {"step": "said", "steps": {"mail": {"message_id": "x"}}}, "x", id="after other steps"
        ),
        pytest.param({"step": "twice", "values": {"item": 4}}, 8, id="inside a loop"),
    ],
)
def test_a_step_is_tried_by_itself(tmp_path: Path, body: Any, shown: Any) -> None:
    async def use(server: Served, _: Simulators) -> Answer:
        return await server.request("POST", "/workflows/greet/test-step", json=body)

    tried = with_vendors(tmp_path, use)

    assert (tried.status, tried.body["output"]) == (200, shown)


def test_a_call_is_tried_for_real(tmp_path: Path) -> None:
    async def use(server: Served, vendors: Simulators) -> Any:
        body = {"step": "mail", **BODY}
        tried = await server.request("POST", "/workflows/greet/test-step", json=body)
        refused = await server.request("POST", "/workflows/greet/test-step", json=body, key=READER)
        return tried, refused, vendors.resend.effects

    tried, refused, (sent,) = with_vendors(tmp_path, use)

    assert tried.body["output"] == {"message_id": sent["id"]}
    assert tried.body["input"]["text"] == "n=7"
    assert tried.body["request"]["headers"]["Authorization"] == "***"
    assert refused.status == 403


def test_a_step_is_tried_with_what_an_execution_has(tmp_path: Path) -> None:
    async def use(server: Served, _: Simulators) -> Any:
        begun = await server.request("POST", "/workflows/greet/execute", json=BODY)
        await server.world.engine.settled()
        body = {"step": "said", "execution_id": begun.body["execution_id"]}
        execution = await server.request("GET", f"/executions/{begun.body['execution_id']}")
        return execution, await server.request("POST", "/workflows/greet/test-step", json=body)

    execution, tried = with_vendors(tmp_path, use)

    assert tried.body["output"] == execution.body["steps"][0]["output"]["message_id"]


def test_what_cannot_be_told_is_told(tmp_path: Path) -> None:
    async def use(server: Served, _: Simulators) -> Answer:
        return await server.request("POST", "/workflows/greet/test-step", json={"step": "mail"})

    tried = with_vendors(tmp_path, use)

    assert (tried.status, "output" in tried.body) == (200, False)
    assert "no such field" in tried.body["error"]


@pytest.mark.parametrize(
    ("place", "body", "path"),
    [
        pytest.param("test-step", {}, "step", id="no step"),
        pytest.param("test-step", {"step": "mial"}, "step", id="an unknown step"),
        pytest.param("test-step", {"step": "each"}, "step", id="a loop"),
        pytest.param("test-step", {"step": "mail", "steps": 1}, "steps", id="steps no object"),
        pytest.param("test-step", {"step": "mail", "steps": {"x": 1}}, "steps.x", id="steps.x"),
        pytest.param("test-step", {"step": "mail", "evnt": 1}, "evnt", id="a typo"),
        pytest.param(
            "test-step", {"step": "mail", "execution_id": 1}, "execution_id", id="id no text"
        ),
        pytest.param(
            "test-step", {"step": "mail", "execution_id": "exe_1", "input": 1}, "", id="both"
        ),
        pytest.param("plan", {"steps": {"mial": 1}}, "steps.mial", id="plan of an unknown step"),
        pytest.param("plan", [1], "", id="no object"),
    ],
)
def test_what_is_refused_says_where(tmp_path: Path, place: str, body: Any, path: str) -> None:
    async def use(server: Served, _: Simulators) -> Answer:
        return await server.request("POST", f"/workflows/greet/{place}", json=body)

    refused = with_vendors(tmp_path, use)

    assert (refused.status, [e["path"] for e in refused.body["errors"]]) == (422, [path])


def test_an_execution_is_followed_to_its_end(tmp_path: Path) -> None:
    async def use(server: Served) -> list[dict[str, Any]]:
        steps: list[Any] = [
            make_call("a"),
            {"id": "wait", "type": "delay", "for": "1h"},
            make_call("b"),
        ]
        await server.request("POST", "/workflows", json=make_document(steps=steps))
        begun = await server.request("POST", "/workflows/greet/execute", json={})
        await server.world.engine.settled()
        path = f"/executions/{begun.body['execution_id']}/stream"
        found = []
        async with server.session.get(
            path, headers={"Authorization": "Bearer " + READER}
        ) as answer:
            assert answer.content_type == "text/event-stream"
            async for line in answer.content:
                if line.startswith(b"data: "):
                    found.append(json.loads(line.removeprefix(b"data: ")))
                    if found[-1]["status"] == "waiting":
                        server.world.clock.advance(3_600_000)
        return found

    found = serve(tmp_path, use)

    assert found[0]["status"] == "waiting"
    assert (found[-1]["status"], found[-1]["output"]) == ("completed", {"noted": "b"})


def test_what_another_account_runs_is_not_followed(tmp_path: Path) -> None:
    async def use(server: Served) -> Answer:
        return await server.request("GET", "/executions/exe_1/stream")

    assert serve(tmp_path, use).status == 404


def test_a_workflow_without_its_vendor_is_saved_with_a_warning(tmp_path: Path) -> None:
    async def main() -> Answer:
        async with (
            Simulators() as vendors,
            library_for(vendors, connected=False) as library,
            served(tmp_path, vendors=library) as server,
        ):
            return await server.request("POST", "/workflows", json=make_document(steps=STEPS))

    saved = asyncio.run(main())

    assert saved.status == 201
    assert saved.body["warnings"] == [
        {
            "path": "steps[0]",
            "message": "no connection for email: set RESEND_API_KEY or ONCUE_SMTP_URL, or make one",
        }
    ]


@pytest.mark.parametrize(
    ("path", "document"),
    [
        pytest.param("/workflows", make_document(), id="workflow"),
        pytest.param(
            "/patterns", {"name": "p", "pattern": {"type": "event", "event": "a"}}, id="pattern"
        ),
    ],
)
def test_a_creation_is_repeated_by_its_key(tmp_path: Path, path: str, document: Any) -> None:
    async def use(server: Served) -> tuple[list[Answer], int]:
        async def create(body: Any, key: str) -> Answer:
            headers = {"Idempotency-Key": key}
            return await server.request("POST", path, json=body, headers=headers)

        answers = [
            await create(document, "a"),
            await create(document, "a"),
            await create({**document, "title": "other"}, "a"),
            await create(document, "b"),
            await create(document, "x" * 513),
        ]
        server.world.clock.advance(24 * 3_600_000)
        answers.append(await create(document, "a"))
        return answers, len((await server.request("GET", path)).body["data"])

    (first, again, other, taken, long, late), count = serve(tmp_path, use)

    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert again.headers["Location"] == first.headers["Location"]
    assert (other.status, taken.status, long.status, late.status) == (409, 409, 422, 409)
    assert "came with another request" in other.body["detail"]
    assert count == 1


def test_two_requests_with_one_key_at_once_create_one(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        headers = {"Idempotency-Key": "a"}
        asked = [
            server.request("POST", "/workflows", json=make_document(), headers=headers)
            for _ in range(5)
        ]
        return await asyncio.gather(*asked)

    answers = serve(tmp_path, use)

    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1

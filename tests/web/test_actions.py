"""`/actions` and `/expressions`, over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from oncue.testing.vendors import Fixed, Simulators
from tests.server import Answer, Served, serve, served
from tests.vendors import library_for

EMAIL = {"to": "ada@example.com", "subject": "Hi", "text": "Hello"}


def with_vendors(folder: Path, use: Callable[[Served, Simulators], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with (
            Simulators() as vendors,
            library_for(vendors) as library,
            served(folder, vendors=library) as server,
        ):
            return await use(server, vendors)

    return asyncio.run(main())


def test_all_actions_describe_themselves(tmp_path: Path) -> None:
    async def use(server: Served, _: Simulators) -> Answer:
        return await server.request("GET", "/actions")

    actions = {action["name"]: action for action in with_vendors(tmp_path, use).body["data"]}

    assert {"send_email", "http_request", "ai_text_generation"} <= actions.keys()
    email = actions["send_email"]
    assert (email["integration"], email["idempotency"]) == ("email", "native_key")
    assert {"to", "subject", "from"} <= email["input_schema"]["properties"].keys()
    assert set(email["input_schema"]["required"]) == {"to", "subject"}


def test_an_action_is_tried_for_real(tmp_path: Path) -> None:
    async def use(server: Served, vendors: Simulators) -> Any:
        tried = await server.request("POST", "/actions/send_email/run", json={"with": EMAIL})
        return tried, vendors.resend.effects, vendors.resend.api_key

    tried, (sent,), api_key = with_vendors(tmp_path, use)

    assert tried.body["output"] == {"message_id": sent["id"]}
    assert tried.body["request"]["headers"]["Authorization"] == "***"
    assert api_key not in str(tried.body)


def test_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    async def use(server: Served, vendors: Simulators) -> Any:
        body = {"with": {"text": "hello"}, "dry_run": True}
        tried = await server.request("POST", "/actions/send_slack_message/run", json=body)
        return tried, vendors.slack.calls

    tried, calls = with_vendors(tmp_path, use)

    assert calls == []
    assert tried.body["request"]["body"] == {"text": "hello"}
    assert tried.body["request"]["url"] == "***"
    assert "output" not in tried.body


def test_what_the_vendor_refuses_is_told(tmp_path: Path) -> None:
    async def use(server: Served, vendors: Simulators) -> Any:
        vendors.resend.answer_next(Fixed(422, {"message": "no such domain"}))
        return await server.request("POST", "/actions/send_email/run", json={"with": EMAIL})

    tried = with_vendors(tmp_path, use)

    assert (tried.status, "output" in tried.body) == (200, False)
    assert "no such domain" in tried.body["error"]


@pytest.mark.parametrize(
    ("path", "body", "status", "part"),
    [
        ("/actions/send_mail/run", {}, 404, "did you mean 'send_email'?"),
        ("/actions/send_email/run", {"wth": {}}, 422, "did you mean 'with'?"),
        ("/actions/send_email/run", {"dry_run": 1}, 422, "expected true or false"),
        ("/actions/send_email/run", [], 422, "expected an object"),
        ("/expressions/evaluate", {}, 422, "got none"),
        ("/expressions/evaluate", {"expr": "1", "template": "x"}, 422, "got both"),
        ("/expressions/evaluate", {"expr": 5}, 422, "expected text, got 5"),
        ("/expressions/evaluate", {"expr": "1 +"}, 422, "got the end"),
        ("/expressions/evaluate", {"expr": "evnt", "values": {"event": 1}}, 422, "did you mean 'event'?"),
        ("/expressions/evaluate", {"expr": "event.x", "values": {"event": {}}}, 422, "no such field"),
        ("/expressions/evaluate", {"expr": "x", "values": []}, 422, "expected an object"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_refused(
    tmp_path: Path, path: str, body: Any, status: int, part: str
) -> None:
    async def use(server: Served, _: Simulators) -> Answer:
        return await server.request("POST", path, json=body)

    refused = with_vendors(tmp_path, use)

    assert refused.status == status
    assert part in str(refused.body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"expr": "event.n * 2", "values": {"event": {"n": 21}}}, 42),
        ({"template": {"a": "{{ n }}", "b": "n is {{ n }}"}, "values": {"n": 1}}, {"a": 1, "b": "n is 1"}),
        ({"expr": "timestamp('2026-01-01T00:00:00Z')"}, "2026-01-01T00:00:00Z"),
    ],
)  # fmt: skip
def test_an_expression_is_evaluated(tmp_path: Path, body: Any, value: Any) -> None:
    async def use(server: Served) -> Answer:
        return await server.request("POST", "/expressions/evaluate", json=body)

    assert serve(tmp_path, use).body == {"value": value}

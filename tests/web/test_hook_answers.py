"""`?wait` on a hook's URL: the sender gets what came of it."""

import asyncio
import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest

from tests.make import make_document
from tests.running import eventually
from tests.server import Answer, Served, serve
from tests.web.hooked import make, post, push

ON_PUSH = {"type": "event", "event": "github.push"}
ADD = {"id": "add", "type": "transform", "output": {"ref": "{{ event.data.ref }}"}}
WAIT = {"id": "wait", "type": "delay", "for": "1h"}
FAIL = {"id": "fail", "type": "stop", "status": "failed", "message": "an inner secret"}


async def save(server: Served, **document: Any) -> None:
    answer = await server.request("POST", "/workflows", json=make_document(**document))
    assert answer.status == 201, answer.body


def test_the_sender_gets_the_output(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Answer]:
        await save(server, name="add", on=ON_PUSH, steps=[ADD])
        url = (await make(server))["url"]
        first = await push(server, f"{url}?wait=10s", X_GitHub_Delivery="d-1")
        again = await push(server, f"{url}?wait=10s", X_GitHub_Delivery="d-1")
        return first, again

    first, again = serve(tmp_path, use)

    assert (first.status, first.body) == (200, {"ref": "refs/heads/main"})
    assert (again.status, again.body) == (200, {"ref": "refs/heads/main"})


def test_a_failure_is_told_without_its_reason(tmp_path: Path) -> None:
    async def use(server: Served) -> Answer:
        await save(server, name="fail", on=ON_PUSH, steps=[FAIL])
        return await push(server, f"{(await make(server))['url']}?wait=10s")

    answer = serve(tmp_path, use)

    assert answer.status == 502
    assert answer.body["title"] == "Execution failed"
    assert "inner" not in str(answer.body)


def test_whoever_waits_too_short_gets_the_id(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Any]:
        await save(server, name="slow", on=ON_PUSH, steps=[WAIT])
        url = (await make(server))["url"]
        asked = asyncio.create_task(push(server, f"{url}?wait=10s"))
        await eventually(server.world.statuses)
        await server.world.engine.settled()
        while not asked.done():
            server.world.clock.advance(10_000)
            await asyncio.wait([asked], timeout=0.01)
        rows = (await server.request("GET", "/executions")).body["data"]
        return asked.result(), rows[0]["id"]

    answer, execution_id = serve(tmp_path, use)

    assert answer.status == 202
    assert answer.body["status"] == "accepted"
    assert answer.body["execution_id"] == execution_id


@pytest.mark.parametrize("on", [[], {"type": "event", "event": "another"}])
def test_where_nothing_begins_nobody_waits(tmp_path: Path, on: Any) -> None:
    async def use(server: Served) -> Answer:
        await save(server, name="add", on=on, steps=[ADD])
        return await push(server, f"{(await make(server))['url']}?wait=10s")

    answer = serve(tmp_path, use)

    assert answer.status == 202
    assert "execution_id" not in answer.body


def test_twilio_says_what_the_workflow_wrote(tmp_path: Path) -> None:
    said = "<Response><Message>Hi</Message></Response>"
    on = {"type": "event", "event": "twilio.message.received"}
    steps = [{"id": "say", "type": "transform", "output": said}]

    async def use(server: Served) -> Answer:
        await save(server, name="reply", on=on, steps=steps)
        url = (await make(server, name="sms", scheme="twilio", secret="12345"))["url"]
        asked = f"{url}?wait=10s"
        digest = hmac.new(b"12345", f"{asked}MessageSidSM1".encode(), hashlib.sha1).digest()
        headers = {
            "X-Twilio-Signature": base64.b64encode(digest).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return await post(server, asked, b"MessageSid=SM1", **headers)

    answer = serve(tmp_path, use)

    assert (answer.status, answer.body) == (200, said)
    assert answer.headers["Content-Type"].startswith("text/xml")


def test_a_wait_that_is_none_stores_nothing(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Any]:
        url = (await make(server))["url"]
        answer = await push(server, f"{url}?wait=soon")
        return answer, (await server.request("GET", "/events")).body["data"]

    answer, kept = serve(tmp_path, use)

    assert answer.status == 422
    assert answer.body["errors"][0]["path"] == "wait"
    assert kept == []

"""Events on which a pattern raised an exception, over HTTP; and patterns that are paused for it."""

from pathlib import Path
from typing import Any

from oncue.core.json_text import Json
from tests.fragile import TWICE, bug
from tests.server import Served, serve
from tests.web.test_dead_letters import listed, progress, redriving


async def pay(server: Served, *ids: str, bad: bool = False) -> None:
    for id_ in ids:
        event: Json = {"type": "order.paid", "id": id_, "subject": "ada", "data": {"bad": bad}}
        answer = await server.request("POST", "/events", json=event)
        assert answer.status == 202
        await server.world.engine.settled()


async def pattern(server: Served) -> Any:
    return (await server.request("GET", "/patterns/twice")).body


def test_they_are_shown_and_seen_again(tmp_path: Path) -> None:
    async def use(server: Served) -> None:
        await server.request("POST", "/patterns", json=TWICE)
        await pay(server, "one")
        await pay(server, "two", bad=True)
        (letter,) = await listed(server, "queue=events&pattern=twice")
        shown = await pattern(server)
        assert letter["pattern_id"] == shown["id"]
        assert (letter["pattern"], letter["state"]) == ("twice", "open")
        assert (letter["execution_id"], letter["redriven_as"]) == (None, None)
        offset = letter["event"]["offset"]
        assert letter["event"] == {"offset": offset, "id": "two", "type": "order.paid"}
        assert shown["stats"]["failures"] == [
            {"offset": offset, "reason": letter["error"], "dead_letter": letter["id"]}
        ]
        seen = (await server.request("GET", f"/events/@{offset}")).body["dispositions"]
        assert [(d["disposition"], d["error"]) for d in seen] == [
            ("dead_lettered", letter["error"])
        ]
        board = (await server.request("GET", "/monitoring/dashboard")).body
        assert board["queues"]["events"]["dead"] == 1

        flaw.is_there = False
        redrive = await redriving(server, filter={"queue": "events"})
        await server.world.settle_after(1_000)
        assert (await progress(server, redrive))["redriven"] == 1
        (letter,) = await listed(server)
        assert letter["state"] == "redriven"
        found = (await server.request("GET", "/patterns/twice/matches")).body["data"]
        assert [[e["id"] for e in match["events"]] for match in found] == [["one", "two"]]

    with bug() as flaw:
        serve(tmp_path, use)


def test_a_paused_pattern_says_so_and_goes_on_when_told(tmp_path: Path) -> None:
    async def use(server: Served) -> None:
        await server.request("POST", "/patterns", json=TWICE)
        assert (await pattern(server))["paused"] is None
        none = await server.request("POST", "/patterns/twice/resume")
        assert none.status == 409
        await pay(server, *[f"a{n}" for n in range(10)], bad=True)
        shown = await pattern(server)
        assert shown["enabled"] is False
        assert shown["paused"]["reason"].startswith("10 exceptions in a row, the last: ZeroDiv")
        board = (await server.request("GET", "/monitoring/dashboard")).body
        assert board["patterns"]["paused"] == ["twice"]
        metrics = (await server.request("GET", "/metrics")).body
        assert "oncue_patterns_paused_total 1.0" in metrics
        assert 'oncue_dead_letters_total{queue="events"} 10.0' in metrics

        letter = (await listed(server))[0]
        path = f"/dead-letters/{letter['id']}/redrive"
        refused = await server.request("POST", path)
        assert (refused.status, "resume it first" in refused.body["detail"]) == (409, True)
        redrive = await redriving(server, filter={"pattern": "twice"}, rate="1000/s")
        await server.world.settle_after(*[1] * 20)
        assert (await progress(server, redrive))["refused"] == 10
        assert len(await listed(server, "state=open")) == 10

        resumed = await server.request("POST", "/patterns/twice/resume")
        assert (resumed.status, resumed.body["paused"], resumed.body["enabled"]) == (
            200,
            None,
            True,
        )
        assert (await server.request("POST", path)).status == 202
        await pay(server, *[f"b{n}" for n in range(10)], bad=True)
        assert (await pattern(server))["paused"] is not None
        patched = await server.request("PATCH", "/patterns/twice", json={"enabled": True})
        assert (patched.status, patched.body["paused"]) == (200, None)

    with bug():
        serve(tmp_path, use)


def test_the_pattern_of_a_workflow_is_paused_and_resumed_too(tmp_path: Path) -> None:
    async def use(server: Served) -> None:
        steps: Json = [{"id": "hello", "type": "transform", "output": 1}]
        workflow: Json = {"name": "twice", "on": TWICE["pattern"], "steps": steps}
        await server.request("POST", "/workflows", json=workflow)
        await pay(server, *[f"a{n}" for n in range(10)], bad=True)
        assert (await pattern(server))["paused"] is not None
        await server.request("POST", "/patterns/twice/resume")
        await pay(server, "one", "two")
        rows = (await server.request("GET", "/executions")).body["data"]
        assert [row["status"] for row in rows] == ["completed"]

    with bug():
        serve(tmp_path, use)

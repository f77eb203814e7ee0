"""Bad input to every endpoint: the documented status, the places, and nothing stored."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from oncue.core.event import EventFilter
from oncue.core.key_values import Namespace
from oncue.ports import ExecutionFilter
from tests.installation import ACCOUNT
from tests.make import make_call, make_document
from tests.server import KEY, READER, Answer, Served, serve

YAML = {"Content-Type": "application/yaml"}
DEEP = "[" * 65 + "]" * 65


class Bad(NamedTuple):
    """A request, and how it must be answered: `places` are the paths of all problems."""

    request: str
    body: Any = None
    status: int = 422
    places: tuple[str, ...] | None = None
    headers: dict[str, str] | None = None
    key: str | None = KEY


def _flow(**changes: Any) -> dict[str, Any]:
    return make_document(name="bad", **changes)


def _step(**changes: Any) -> dict[str, Any]:
    return _flow(steps=[make_call("a", **changes)])


def _pattern(**changes: Any) -> dict[str, Any]:
    return {"name": "bad", "pattern": {"type": "event", "event": "a", **changes}}


def _not_json(place: str) -> list[Bad]:
    """What no endpoint with a body takes."""
    return [
        Bad(place, b"{", 400),
        Bad(place, b'{"a": NaN}', 400),
        Bad(place, b'{"a": 1, "a": 2}', 400),
        Bad(place, b"\xff\xfe", 400),
        Bad(place, DEEP.encode(), 400),
        Bad(place, b"{}", 415, headers={"Content-Type": "text/html"}),
        Bad(place, b"[1]", 422),
        Bad(place, b'"text"', 422),
    ]


NEEDS_BODY = (
    "POST /events",
    "POST /events/batch",
    "POST /patterns",
    "PATCH /patterns/watch",
    "POST /workflows",
    "POST /workflows/validate",
    "PATCH /workflows/greet",
    "POST /workflows/greet/rollback",
    "POST /workflows/greet/execute",
    "POST /workflows/greet/plan",
    "POST /workflows/greet/test-step",
    "POST /actions/note/run",
    "POST /expressions/evaluate",
    "PUT /kv/state/k",
    "POST /connections",
    "POST /secrets",
    "PUT /secrets/A",
    "POST /variables",
    "PUT /variables/A",
    "PATCH /connections/alerts",
    "POST /accounts",
    "PATCH /accounts/test",
    "POST /accounts/test/keys",
)
CE = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t"}
EVENTS = [
    Bad("POST /events", {}, places=("type",)),
    Bad("POST /events", {"type": ""}, places=("type",)),
    Bad("POST /events", {"type": "a b"}, places=("type",)),
    Bad("POST /events", {"type": 1}, places=("type",)),
    Bad("POST /events", {"type": "a" * 256}, places=("type",)),
    Bad("POST /events", {"type": "a", "id": ""}, places=("id",)),
    Bad("POST /events", {"type": "a", "id": 5}, places=("id",)),
    Bad("POST /events", {"type": "a", "id": "x" * 513}, places=("id",)),
    Bad("POST /events", {"type": "a", "source": ""}, places=("source",)),
    Bad("POST /events", {"type": "a", "subject": "x" * 513}, places=("subject",)),
    Bad("POST /events", {"type": "a", "time": "yesterday"}, places=("time",)),
    Bad("POST /events", {"type": "a", "time": "2026-01-01T00:00:00"}, places=("time",)),
    Bad("POST /events", {"type": "a", "time": "2026-02-30T00:00:00Z"}, places=("time",)),
    Bad("POST /events", {"type": "a", "Bad-Name": 1}, places=("Bad-Name",)),
    Bad("POST /events", {"type": 1, "id": 2, "time": 3}, places=("type", "id", "time")),
    Bad("POST /events", {"type": "a", "data": "x" * (256 << 10)}, 413),
    Bad("POST /events", {"type": "a"}, 415, headers={"Content-Type": "application/xml"}),
    Bad("POST /events", {"type": "a"}, headers={"Content-Type": "application/cloudevents+json"}),
    Bad("POST /events", b"", 422, headers={**CE, "ce-specversion": "0.3"}),
    Bad("POST /events", b"", 422, headers={k: v for k, v in CE.items() if k != "ce-type"}),
    Bad("POST /events", b"", 422, headers={**CE, "ce-time": "now"}),
    Bad("POST /events/batch", [], places=("",)),
    Bad("POST /events/batch", {"type": "a"}, places=("",)),
    Bad("POST /events/batch", [{"type": "a"}, {"type": ""}, 5], places=("[1].type", "[2]")),
    Bad("POST /events/batch", [{"type": "a"}] * 101, 413),
    Bad("POST /events/batch", [{"type": "a"}, {"type": "a", "data": "x" * (256 << 10)}], 413),
    Bad("GET /events?typ=a&subject=b&at=c", places=("typ", "at")),
    Bad("GET /events?limit=0", places=("limit",)),
    Bad("GET /events?limit=501", places=("limit",)),
    Bad("GET /events?limit=x", places=("limit",)),
    Bad("GET /events?cursor=@@", places=("cursor",)),
    Bad("GET /events?from=yesterday", places=("from",)),
    Bad("GET /events?from=1&to=2&type=%20", places=("type", "from", "to")),
    Bad("GET /events/nothing", status=404),
    Bad("GET /events/@0", status=404),
    Bad("GET /events/@99999999999999999999999", status=404),
    Bad("GET /events/stream?after=-1", places=("Last-Event-ID",)),
    Bad("DELETE /events", status=405),
]
PATTERNS = [
    Bad("POST /patterns", {}, places=("name", "pattern")),
    Bad("POST /patterns", {**_pattern(), "name": "No Name"}, places=("name",)),
    Bad("POST /patterns", {**_pattern(), "name": "test"}, places=("name",)),
    Bad("POST /patterns", {**_pattern(), "workflow": "nobody"}, places=("workflow",)),
    Bad("POST /patterns", {**_pattern(), "worfklow": "greet"}, places=("worfklow",)),
    Bad("POST /patterns", {**_pattern(), "input": "{{ event."}, places=("input",)),
    Bad("POST /patterns", _pattern(event=""), places=("pattern.event",)),
    Bad("POST /patterns", _pattern(event=[])),
    Bad("POST /patterns", _pattern(where="event.data.n >"), places=("pattern.where",)),
    Bad("POST /patterns", _pattern(where="evnt.data.n > 1"), places=("pattern.where",)),
    Bad("POST /patterns", _pattern(where="nope(1)"), places=("pattern.where",)),
    Bad("POST /patterns", _pattern(by="event.subject"), places=("pattern.by",)),
    Bad("POST /patterns", _pattern(by=["event."]), places=("pattern.by[0]",)),
    Bad("POST /patterns", _pattern(cooldown="soon"), 422),
    Bad("POST /patterns", _pattern(max_events=-1), places=("pattern.max_events",)),
    Bad("POST /patterns", _pattern(max_events=1_001), places=("pattern.max_events",)),
    Bad("POST /patterns", _pattern(conditions={"n": [{"numerc": [">", 1]}]}), 422),
    Bad("POST /patterns", {"name": "bad", "pattern": {"type": "nope"}}, 422),
    Bad("POST /patterns", {"name": "watch", "pattern": {"type": "event", "event": "a"}}, 409),
    Bad("GET /patterns/nobody", status=404),
    Bad("GET /patterns/nobody/matches", status=404),
    Bad("DELETE /patterns/nobody", status=404),
    Bad("DELETE /patterns/greet", status=409),
    Bad("PATCH /patterns/watch", {"pattern": None}, places=("pattern",)),
    Bad("PATCH /patterns/watch", {"title": "x"}, 412, headers={"If-Match": "9"}),
    Bad("PATCH /patterns/greet", {"title": "x"}, 409),
]
WORKFLOWS = [
    Bad("POST /workflows", {}, places=("name", "steps")),
    Bad("POST /workflows", _flow(steps=[]), places=("steps",)),
    Bad("POST /workflows", _flow(nmae="x"), places=("nmae",)),
    Bad("POST /workflows", {**_flow(), "name": "A B"}, places=("name",)),
    Bad("POST /workflows", {**_flow(), "name": "wf_1"}, places=("name",)),
    Bad("POST /workflows", _flow(on={"type": "event"}), 422),
    Bad("POST /workflows", _flow(timeout="long"), places=("timeout",)),
    Bad("POST /workflows", _flow(max_steps=0), places=("max_steps",)),
    Bad("POST /workflows", _flow(output="{{ nope }}"), places=("output",)),
    Bad("POST /workflows", _step(action="nte"), places=("steps[0].action",)),
    Bad("POST /workflows", _step(id="1a"), places=("steps[0].id",)),
    Bad("POST /workflows", _step(type="actoin"), places=("steps[0].type",)),
    Bad("POST /workflows", _step(timeout=5), places=("steps[0].timeout",)),
    Bad("POST /workflows", _step(retry={"attempts": 0}), places=("steps[0].retry.attempts",)),
    Bad("POST /workflows", _step(**{"if": "1 +"}), places=("steps[0].if",)),
    Bad("POST /workflows", _step(**{"with": {}}), places=("steps[0].with.text",)),
    Bad("POST /workflows", _step(on_error="ignore"), 422),
    Bad("POST /workflows", _step(cache={"ttl": "never"}), places=("steps[0].cache.ttl",)),
    Bad("POST /workflows", _flow(steps=[make_call("a"), make_call("a")]), places=("steps[1].id",)),
    Bad("POST /workflows", _flow(steps=[{"id": "d", "type": "delay"}]), 422),
    Bad(
        "POST /workflows",
        _flow(steps=[{"id": "d", "type": "delay", "for": "tomorrow"}]),
        places=("steps[0].for",),
    ),
    Bad("POST /workflows", _flow(steps=[{"id": "l", "type": "loop", "steps": []}]), 422),
    Bad("POST /workflows", _flow(steps=[{"id": "p", "type": "parallel", "branches": {}}]), 422),
    Bad("POST /workflows", _flow(steps=[{"id": "c", "type": "condition"}]), 422),
    Bad("POST /workflows", _flow(steps=[make_call(f"s{n}") for n in range(101)]), 422, ("steps",)),
    Bad("POST /workflows", make_document(), 409),
    Bad("POST /workflows", b"a: [1", 400, headers=YAML),
    Bad("POST /workflows", b"a: &x [*x]", 400, headers=YAML),
    Bad("POST /workflows", b"name: !!python/object:os.system x", 400, headers=YAML),
    Bad("POST /workflows", b"x" * (1 << 20) + b"y", 413),
    Bad("POST /workflows", _flow(), headers={"Idempotency-Key": "k" * 513}),
    Bad("GET /workflows/nobody", status=404),
    Bad("PATCH /workflows/nobody", {}, 404),
    Bad("PATCH /workflows/greet", {"steps": []}, places=("steps",)),
    Bad("PATCH /workflows/greet", {"title": "x"}, 412, headers={"If-Match": '"7"'}),
    Bad("DELETE /workflows/nobody", status=404),
    Bad("POST /workflows/greet/rollback", {}, places=("version",)),
    Bad("POST /workflows/greet/rollback", {"version": 9}, 404),
    Bad("POST /workflows/greet/rollback", {"version": 10**30}, 404),
    Bad("POST /workflows/greet/rollback", {"version": -1}, 404),
    Bad("POST /workflows/greet/execute", {"inptu": 1}, places=("inptu",)),
    Bad("POST /workflows/greet/execute", {"input": 1, "event_id": "x"}, places=("",)),
    Bad("POST /workflows/greet/execute", {"event_id": "x"}, 404),
    Bad("POST /workflows/greet/execute", {"event": {}}, places=("event.type",)),
    Bad("POST /workflows/greet/execute?wait=long", {}, places=("wait",)),
    Bad("POST /workflows/nobody/execute", {}, 404),
    Bad("POST /workflows/greet/plan", {"steps": []}, places=("steps",)),
    Bad("POST /workflows/greet/test-step", {"step": "nope"}, places=("step",)),
]
SECRET = "xoxb-planted-secret"


def _connection(**values: Any) -> dict[str, Any]:
    return {"name": "bad", "integration": "slack", "values": values}


CONNECTIONS = [
    Bad("POST /connections", {}, places=("name", "integration")),
    Bad("POST /connections", {**_connection(), "name": "A B"}, places=("name",)),
    Bad("POST /connections", {**_connection(), "name": "schemas"}, places=("name",)),
    Bad("POST /connections", {**_connection(), "name": "alerts"}, 409),
    Bad("POST /connections", {**_connection(), "integration": "slakc"}, places=("integration",)),
    Bad("POST /connections", {**_connection(), "integration": 5}, places=("integration",)),
    Bad("POST /connections", {**_connection(), "default": "yes"}, places=("default",)),
    Bad("POST /connections", {**_connection(), "bot_token": SECRET}, places=("bot_token",)),
    Bad("POST /connections", {**_connection(), "kind": "workflow"}, places=("kind",)),
    Bad("POST /connections", {**_connection(), "values": SECRET}, places=("values",)),
    Bad("POST /connections", _connection(bot_tokne=SECRET), places=("values.bot_tokne",)),
    Bad("POST /connections", _connection(bot_token=5), places=("values.bot_token",)),
    Bad("POST /connections", _connection(bot_token=[SECRET]), places=("values.bot_token",)),
    Bad("POST /connections", _connection(bot_token=""), places=("values.bot_token",)),
    Bad(
        "POST /connections",
        _connection(bot_token=f"{SECRET}\r\nX: y"),
        places=("values.bot_token",),
    ),
    Bad("POST /connections", _connection(bot_token="x" * 8_193), places=("values.bot_token",)),
    Bad("POST /connections", _connection(bot_token="••••5678"), places=("values.bot_token",)),
    Bad("POST /connections", _connection(webhook_url=SECRET), places=("values.webhook_url",)),
    Bad(
        "POST /connections",
        _connection(webhook_url="https://h:99999/x"),
        places=("values.webhook_url",),
    ),
    Bad("POST /connections", _connection(a=SECRET, b=SECRET), places=("values.a", "values.b")),
    Bad("GET /connections?limit=0", places=("limit",)),
    Bad("GET /actions?limit=5&name=log", places=("name",)),
    Bad("POST /patterns?dry_run=true", b"{}", places=("dry_run",)),
    Bad("GET /connections/nobody", status=404),
    Bad("PATCH /connections/nobody", {}, 404),
    Bad("PATCH /connections/alerts", {"integration": "linear"}, 422),
    Bad("PATCH /connections/alerts", {"name": None}, places=("name",)),
    Bad("PATCH /connections/alerts", {"values": {"bot_token": 5}}, places=("values.bot_token",)),
    Bad("PATCH /connections/alerts", {"default": True}, 412, headers={"If-Match": '"9"'}),
    Bad("DELETE /connections/nobody", status=404),
    Bad("DELETE /connections/alerts?force=perhaps", places=("force",)),
    Bad("POST /connections/nobody/test", status=404),
    Bad("POST /secrets", {}, places=("name",)),
    Bad("POST /secrets", {"name": "9A", "value": SECRET}, places=("name",)),
    Bad("POST /secrets", {"name": "rotate", "value": SECRET}, places=("name",)),
    Bad("POST /secrets", {"name": "a-b", "valeu": SECRET}, places=("name", "valeu")),
    Bad("POST /secrets", {"name": "A", "value": "abc"}, places=("value",)),
    Bad("POST /secrets", {"name": "A", "value": None}, places=("value",)),
    Bad("POST /secrets", {"name": "A", "value": [SECRET]}, places=("value",)),
    Bad("POST /secrets", {"name": "A", "value": "x" * 65_537}, places=("value",)),
    Bad("POST /secrets", {"name": "A", "value": SECRET, "kind": "v"}, places=("kind",)),
    Bad("PUT /secrets/A", [SECRET]),
    Bad("PUT /secrets/A", {"name": "B", "value": SECRET}, places=("name",)),
    Bad("PUT /secrets/a-b", {"value": SECRET}, places=("name",)),
    Bad("GET /secrets/A", status=404),
    Bad("PATCH /secrets/A", {"value": SECRET}, 404),
    Bad("DELETE /secrets/A", status=404),
    Bad("GET /secrets?cursor=%21", places=("cursor",)),
    Bad("GET /secrets", status=403, key=READER),
    Bad("POST /variables", {"name": "a"}, places=("value",)),
    Bad("POST /variables", {"name": "a b", "value": 1}, places=("name",)),
    Bad("POST /variables", {"name": "a", "value": "x" * 65_536}, places=("value",)),
    Bad("PUT /variables/a", {"value": 1, "more": 2}, places=("more",)),
    Bad("PATCH /variables/a", {"value": 1}, 404),
    Bad("DELETE /variables/a?force=1", places=("force",)),
    Bad("POST /variables", {"name": "a", "value": 1}, 403, key=READER),
    Bad("GET /connections", status=401, key=None),
    Bad("GET /connections", status=403, key=READER),
    Bad("POST /actions/note/run", {"connection": "nobody"}, places=("connection",)),
    Bad("POST /actions/note/run", {"connection": 5}, places=("connection",)),
    Bad("POST /workflows", _step(connection="nobody"), places=("steps[0].connection",)),
    Bad("POST /workflows", _step(connection="alerts"), places=("steps[0].connection",)),
    Bad("POST /workflows", _step(connection=5), places=("steps[0].connection",)),
]
# A cursor that reads like ours, of a row that no store could hold.
FAR = base64.urlsafe_b64encode(f"{'9' * 30}:x".encode()).decode().rstrip("=")
OTHERS = [
    *(
        Bad(f"GET {path}?cursor={FAR}", places=("cursor",))
        for path in ("/events", "/workflows", "/patterns", "/patterns/watch/matches", "/accounts")
    ),
    Bad(f"GET /executions?cursor={FAR}", places=("cursor",)),
    Bad(f"GET /monitoring/audit?cursor={FAR}", places=("cursor",)),
    Bad("GET /executions/nope", status=404),
    Bad("GET /executions/nope/stream", status=404),
    Bad("POST /executions/nope/signal", {"name": "in_doubt", "data": {}}, status=404),
    Bad("POST /executions/nope/signal", [], places=("",)),
    Bad("GET /executions?status=done", places=("status",)),
    Bad("GET /executions?from=x&to=y", places=("from", "to")),
    Bad("POST /executions/nope/cancel", status=404),
    Bad("POST /callbacks/acc/exe/token/step", {}, 404),
    Bad("GET /actions/nte", status=404),
    Bad("POST /actions/nte/run", {}, 404),
    Bad("POST /actions/note/run", {"wiht": {}}, places=("wiht",)),
    Bad("POST /actions/note/run", {"dry_run": "yes"}, places=("dry_run",)),
    Bad("POST /expressions/evaluate", {}, places=("",)),
    Bad("POST /expressions/evaluate", {"expr": "1 +"}, places=("expr",)),
    Bad("POST /expressions/evaluate", {"expr": 5}, places=("expr",)),
    Bad("POST /expressions/evaluate", {"expr": "1", "template": "x"}, places=("",)),
    Bad("POST /expressions/evaluate", {"expr": "a", "values": []}, places=("values",)),
    Bad("POST /expressions/evaluate", {"expr": "[1][5]"}, places=("expr",)),
    Bad("GET /kv/cash/k", status=404),
    Bad("GET /kv/state/k", status=404),
    Bad("PUT /kv/state/k", {"value": 1, "ttl": "-1s"}, places=("ttl",)),
    Bad("PUT /kv/state/k", {"value": 1}, 412, headers={"If-Match": "3"}),
    Bad("DELETE /kv/state/k", status=404),
    Bad("POST /accounts", {}, places=("name",)),
    Bad("POST /accounts", {"name": "test"}, places=("name",)),
    Bad("POST /accounts", {"name": "x", "quotas": {"max_workflows": -1}}, 422),
    Bad("POST /accounts", {"name": "x", "quotas": {"max": 1}}, places=("quotas.max",)),
    Bad("POST /accounts", {"name": "x", "query_bounds": {"timeout": "1h"}}, 422),
    Bad("GET /accounts/nobody", status=404),
    Bad("POST /accounts/test/keys", {"scopes": []}, places=("scopes",)),
    Bad("POST /accounts/test/keys", {"scopes": ["root"]}, places=("scopes[0]",)),
    Bad("DELETE /accounts/test/keys/nope", status=404),
    Bad("GET /monitoring/dashboard?range=long", places=("range",)),
    Bad("GET /monitoring/audit?limit=-1", places=("limit",)),
    Bad("GET /nothing", status=404),
    Bad("GET /workflows", status=401, key=None),
    Bad("GET /workflows", status=401, key="wrong"),
    Bad("GET /workflows", status=401, key=None, headers={"Authorization": "Basic eDp5"}),
    Bad("POST /workflows", {}, 403, key=READER),
    Bad("POST /events", {"type": "a"}, 403, key=READER),
    Bad("GET /accounts", status=403, key=READER),
    Bad("POST /accounts", {"name": "x"}, 403, key=READER),
]
TABLE = [
    *(bad for place in NEEDS_BODY for bad in _not_json(place)),
    *EVENTS,
    *PATTERNS,
    *WORKFLOWS,
    *CONNECTIONS,
    *OTHERS,
]


async def _ask(server: Served, bad: Bad) -> Answer:
    method, _, path = bad.request.partition(" ")
    body = bad.body if bad.body is None or isinstance(bad.body, bytes) else _encoded(bad.body)
    headers = {} if body is None else {"Content-Type": "application/json"}
    # A file, because aiohttp warns of large bodies that are bytes.
    content = None if body is None else io.BytesIO(body)
    return await server.request(
        method, path, data=content, headers={**headers, **(bad.headers or {})}, key=bad.key
    )


def _encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


def _differs(bad: Bad, answer: Answer) -> str | None:
    """Return how an answer is another one than documented."""
    place = f"{bad.request} {str(bad.body)[:80]}"
    if answer.status != bad.status:
        return f"{place}: expected {bad.status}, got {answer.status}: {answer.body}"
    if not answer.headers["Content-Type"].startswith("application/problem+json"):
        return f"{place}: expected a problem, got {answer.headers['Content-Type']}"
    if not answer.body["title"] or answer.body["status"] != bad.status:
        return f"{place}: expected title and status, got {answer.body}"
    found = [error["path"] for error in answer.body.get("errors", [])]
    if SECRET in str(answer.body):
        return f"{place}: expected no secret in the answer, got {answer.body}"
    if bad.places is not None and sorted(found) != sorted(bad.places):
        return f"{place}: expected problems at {bad.places}, got {answer.body['errors']}"
    if bad.status == 422 and not found:
        return f"{place}: expected places, got {answer.body}"
    return None


async def _stored(server: Served) -> list[Any]:
    parts = server.world.parts
    return [
        await parts.log.past.events(ACCOUNT, EventFilter(), 100),
        await parts.catalog.workflows(ACCOUNT, 100, None),
        await parts.patterns.all(ACCOUNT, 100, None),
        await parts.history.executions(ACCOUNT, ExecutionFilter(), 100),
        await parts.keys.scan(ACCOUNT, Namespace.STATE, "", None, 100),
        await parts.connected.store.all(ACCOUNT),
        await parts.accounts.all(100),
        await parts.accounts.keys(ACCOUNT),
    ]


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 120
    assert len({str(bad) for bad in TABLE}) == len(TABLE)


def test_bad_input_is_told_and_nothing_is_stored(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[list[str], Any, Any]:
        await server.request("POST", "/workflows", json=make_document())
        watch = {"name": "watch", "pattern": {"type": "event", "event": "a"}}
        await server.request("POST", "/patterns", json=watch)
        alerts = {"name": "alerts", "integration": "slack"}
        await server.request("POST", "/connections", json=alerts)
        before = await _stored(server)
        differences = [
            difference
            for bad in TABLE
            if (difference := _differs(bad, await _ask(server, bad))) is not None
        ]
        await server.world.engine.settled()
        return differences, before, await _stored(server)

    differences, before, after = serve(tmp_path, use)

    assert differences == []
    assert after == before


@pytest.mark.parametrize("path", ["/events", "/events/batch", "/workflows", "/kv/state/k"])
def test_a_body_without_end_is_not_read_to_it(tmp_path: Path, path: str) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(4_096):
            sent += 1 << 16
            yield b" " * (1 << 16)

    async def use(server: Served) -> int:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        method = "PUT" if path.startswith("/kv") else "POST"
        async with server.session.request(method, path, headers=headers, data=body()) as answer:
            return answer.status

    # The server may close the connection before all is sent.
    try:
        status = serve(tmp_path, use)
    except (ConnectionError, asyncio.IncompleteReadError, OSError):
        status = 413
    assert status == 413
    assert sent < 64 << 20

"""`/events` over real HTTP."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from oncue.web import event_stream
from oncue.web.context import Limits
from tests.server import Answer, Served, serve

CLOUD: dict[str, Any] = {"specversion": "1.0", "id": "e-1", "source": "/shop", "type": "order.made"}


def _event(offset: int, **changes: Any) -> dict[str, Any]:
    event = {
        "id": "e-1",
        "source": "/shop",
        "type": "order.made",
        "subject": None,
        "time": "2026-01-01T00:00:00.000Z",
        "data": None,
        "offset": offset,
        "received_at": "2026-01-01T00:00:00.000Z",
    }
    return event | changes


@pytest.mark.parametrize(
    ("headers", "content", "expected"),
    [
        pytest.param(
            {"Content-Type": "application/json"},
            {"id": "e-1", "source": "/shop", "type": "order.made", "data": {"n": 1}},
            {"data": {"n": 1}},
            id="plain JSON",
        ),
        pytest.param(
            {"Content-Type": "application/cloudevents+json; charset=utf-8"},
            CLOUD | {"subject": None, "data": {"n": 1}, "traceid": "t"},
            {"data": {"n": 1}, "traceid": "t"},
            id="structured, null is absent",
        ),
        pytest.param(
            {"Content-Type": "application/cloudevents+json"},
            CLOUD | {"data_base64": "aGk=", "datacontenttype": "image/png"},
            {"data_base64": "aGk=", "datacontenttype": "image/png"},
            id="structured, bytes",
        ),
        pytest.param(
            {f"ce-{name}": text for name, text in CLOUD.items()}
            | {"Content-Type": "application/json", "ce-subject": "S%C3%B8ren", "ce-time": "2025-01-01T00:00:00Z"},
            {"n": 1},
            {"data": {"n": 1}, "subject": "Søren", "time": "2025-01-01T00:00:00.000Z"},
            id="binary, JSON",
        ),
        pytest.param(
            {f"ce-{name}": text for name, text in CLOUD.items()}
            | {"Content-Type": "text/plain", "ce-traceid": "t"},
            b"hello",
            {"data": "hello", "datacontenttype": "text/plain", "traceid": "t"},
            id="binary, text",
        ),
        pytest.param(
            {f"ce-{name}": text for name, text in CLOUD.items()} | {"Content-Type": "image/png"},
            b"hi",
            {"data_base64": "aGk=", "datacontenttype": "image/png"},
            id="binary, bytes",
        ),
    ],
)  # fmt: skip
def test_an_event_is_taken_in_each_mode(
    tmp_path: Path, headers: dict[str, str], content: object, expected: dict[str, Any]
) -> None:
    async def use(server: Served) -> tuple[Answer, Answer]:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        posted = await server.request("POST", "/events", data=body, headers=headers)
        return posted, await server.request("GET", "/events/e-1")

    posted, found = serve(tmp_path, use)

    assert (posted.status, posted.body) == (202, {"id": "e-1", "status": "accepted", "offset": 1})
    assert found.body == _event(1, **expected, dispositions=[])


def test_a_batch_is_accepted_as_a_whole_with_its_duplicates(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        batch = [{"id": "1", "type": "a"}, {"id": "2", "type": "a"}, {"id": "1", "type": "a"}]
        cloud = json.dumps([CLOUD]).encode()
        kind = {"Content-Type": "application/cloudevents-batch+json"}
        return [
            await server.request("POST", "/events/batch", json=batch),
            await server.request("POST", "/events/batch", data=cloud, headers=kind),
            await server.request("POST", "/events", data=cloud, headers=kind),
        ]

    plain, cloud, again = serve(tmp_path, use)

    assert plain.status == 202
    assert plain.body == {
        "accepted": 2,
        "duplicates": 1,
        "events": [
            {"id": "1", "status": "accepted", "offset": 1},
            {"id": "2", "status": "accepted", "offset": 2},
            {"id": "1", "status": "duplicate", "offset": 1},
        ],
    }
    assert (cloud.body["accepted"], again.body["duplicates"]) == (1, 1)


def test_a_batch_with_a_bad_event_stores_nothing_and_names_all_problems(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[Answer, Answer]:
        batch = [{"type": "a"}, {"typ": "b"}, 7, {"type": "a", "time": "now", "id": ""}]
        refused = await server.request("POST", "/events/batch", json=batch)
        return refused, await server.request("GET", "/events")

    refused, listed = serve(tmp_path, use)

    assert refused.status == 422
    paths = [error["path"] for error in refused.body["errors"]]
    assert paths == ["[1].type", "[2]", "[3].id", "[3].time"]
    assert listed.body == {"data": [], "next_cursor": None}


def test_events_are_listed_newest_first_in_pages_and_filtered(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[list[list[str]], list[str]]:
        batch = [
            {"id": f"{n}", "type": ("order.made", "order.paid", "sign.up")[n % 3]} for n in range(7)
        ]
        await server.request("POST", "/events/batch", json=batch)
        pages, cursor = [], ""
        while cursor is not None:
            page = (await server.request("GET", f"/events?limit=3{cursor}")).body
            pages.append([event["id"] for event in page["data"]])
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        orders = await server.request("GET", "/events?type=order.*&limit=2")
        return pages, [event["id"] for event in orders.body["data"]]

    assert serve(tmp_path, use) == ([["6", "5", "4"], ["3", "2", "1"], ["0"]], ["6", "4"])


def test_one_event_is_found_by_id_source_and_offset(tmp_path: Path) -> None:
    async def use(server: Served) -> list[int | str]:
        for source in ("web", "app"):
            await server.request(
                "POST", "/events", json={"id": "a/b", "type": "a", "source": source}
            )
        paths = (
            "a/b",
            "a/b?source=web",
            "a/b?source=none",
            "@1",
            "@2",
            "@3",
            "@0",
            "@x",
            "@" + "9" * 30,
        )
        answers = [await server.request("GET", f"/events/{path}") for path in paths]
        return [a.body["source"] if a.status == 200 else a.status for a in answers]

    assert serve(tmp_path, use) == ["app", "web", 404, "web", "app", 404, 404, 404, 404]


async def _messages(
    server: Served, count: int, query: str = "", begun: asyncio.Event | None = None, last: str = ""
) -> list[Any]:
    """Return the first messages of the live tail; `begun` is set once it is open."""
    headers = {"Authorization": "Bearer key-of-the-test-account", "Last-Event-ID": last}
    found: list[Any] = []
    async with server.session.get(f"/events/stream{query}", headers=headers) as answer:
        assert answer.content_type == "text/event-stream"
        while len(found) < count:
            text = (await answer.content.readuntil(b"\n\n")).decode()
            if text.startswith(":"):
                if begun:
                    begun.set()
            else:
                id_, kind, data = (line.partition(": ")[2] for line in text.strip().splitlines())
                found.append((int(id_), kind, json.loads(data)))
    return found


def test_the_live_tail_shows_what_comes_and_resumes_after_an_offset(tmp_path: Path) -> None:
    async def use(server: Served) -> tuple[list[Any], list[Any]]:
        await server.request("POST", "/events", json={"id": "before", "type": "order.made"})
        begun = asyncio.Event()
        live = asyncio.create_task(_messages(server, 2, "?type=order.*", begun))
        await begun.wait()
        for kind in ("order.made", "sign.up", "order.paid"):
            await server.request("POST", "/events", json={"id": kind, "type": kind})
        resumed = await _messages(server, 2, last="2")
        return [m[:2] for m in await live], [(m[0], m[2]["id"]) for m in resumed]

    live, resumed = serve(tmp_path, use)

    assert live == [(2, "event"), (4, "event")]
    assert resumed == [(3, "sign.up"), (4, "order.paid")]


def test_a_reader_that_is_too_far_behind_is_told_of_its_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "MAX_BEHIND", 300)

    async def use(server: Served) -> list[Any]:
        for _ in range(4):
            await server.request("POST", "/events/batch", json=[{"type": "a"}] * 100)
        return [message[:2] for message in await _messages(server, 2, "?after=5")] + [
            (await _messages(server, 1, "?after=5"))[0][2]
        ]

    assert serve(tmp_path, use) == [(144, "gap"), (145, "event"), {"from": 6, "to": 144}]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "paths"),
    [
        pytest.param("POST", "/events", {"Content-Type": "text/plain"}, b"x", 415, None, id="text"),
        pytest.param("POST", "/events", {}, b"x" * 2_001, 413, None, id="too large"),
        pytest.param("POST", "/events/batch", {}, b"{}", 422, [""], id="no list"),
        pytest.param("POST", "/events/batch", {}, b"[]", 422, [""], id="an empty list"),
        pytest.param("POST", "/events/batch", {}, b"[1,2,3,4]", 413, None, id="too many"),
        pytest.param(
            "POST", "/events/batch", {},
            b'[{"type":"a"},{"type":"a","data":"%s"}]' % (b"x" * 2_000),
            413, None, id="a large one among small ones",
        ),
        pytest.param(
            "POST", "/events/batch", {}, b"[%s]" % b",".join([b'{"type":"%s"}' % (b"x" * 700)] * 4),
            413, None, id="too many large ones",
        ),
        pytest.param(
            "POST", "/events/batch", {},
            b'[{"type":"a","data":"%s"},{"type":"a","type":"a","data":"%s"}]' % (b"x" * 1_500, b"x" * 1_500),
            400, None, id="a member twice in a large batch",
        ),
        pytest.param(
            "POST", "/events/batch", {}, b'[{"type":"%s"' % (b"x" * 2_500), 400, None, id="a large batch cut off",
        ),
        pytest.param(
            "POST", "/events/batch", {}, b'{"type":"%s"}' % (b"x" * 2_500), 422, [""], id="large, and no list",
        ),
        pytest.param(
            "POST", "/events", {"Content-Type": "application/cloudevents+json"},
            b'{"type":"a"}', 422, ["specversion", "id", "source"], id="a CloudEvent without",
        ),
        pytest.param(
            "POST", "/events", {"ce-specversion": "0.3", "ce-type": "a", "ce-data": "1"},
            b"{}", 422, ["ce-data"], id="data in a header",
        ),
        pytest.param(
            "POST", "/events", {"ce-specversion": "0.3", "ce-type": "a", "ce-id": "1", "ce-source": "s"},
            b"{}", 422, ["specversion"], id="an old version",
        ),
        pytest.param(
            "POST", "/events", {"ce-specversion": "1.0", "ce-type": "a"},
            b"{", 400, None, id="binary mode, not JSON",
        ),
        pytest.param("GET", "/events?from=now&type=a%20b", {}, None, 422, ["type", "from"], id="a bad filter"),
        pytest.param("GET", "/events?limit=0", {}, None, 422, ["limit"], id="no limit"),
        pytest.param("GET", "/events?cursor=%C3%A4", {}, None, 422, ["cursor"], id="no cursor"),
        pytest.param("GET", "/events/stream?after=x", {}, None, 422, ["Last-Event-ID"], id="no offset"),
        pytest.param("PUT", "/events", {}, None, 405, None, id="no such method"),
        pytest.param("DELETE", "/events/e-1", {}, None, 405, None, id="events stay"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_and_nothing_stored(
    tmp_path: Path,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | None,
    status: int,
    paths: list[str] | None,
) -> None:
    async def use(server: Served) -> tuple[Answer, int]:
        answer = await server.request(method, path, data=body, headers=headers)
        return answer, server.world.log.head("acc_test")

    answer, head = serve(tmp_path, use, Limits(event_bytes=2_000, batch_events=3))

    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    if paths is not None:
        assert [error["path"] for error in answer.body["errors"]] == paths
    assert head == 0

"""Patterns with `every` over real HTTP: what cannot be asked is told when it is saved."""

from pathlib import Path
from typing import Any

import pytest

from oncue.engine import poll_trials
from tests.make import make_document
from tests.server import Answer, Served, serve


def _pattern(query: str, **fields: Any) -> dict[str, Any]:
    return {"name": "polled", "pattern": {"type": "sql", "every": "1m", "query": query, **fields}}


def test_a_query_is_asked_when_it_is_saved(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        bodies = [
            _pattern("SELECT typ FROM events"),
            _pattern("SELECT type FROM events", identity=["typ"]),
            _pattern(
                "SELECT * FROM events MATCH_RECOGNIZE (ORDER BY tim MEASURES A.id AS x PATTERN (A))"
            ),
            _pattern("SELECT type, count(*) AS n FROM events GROUP BY ALL", identity=["type"]),
        ]
        return [await server.request("POST", "/patterns", json=body) for body in bodies]

    wrong, unnamed, misspelt, right = serve(tmp_path, use)

    assert (wrong.status, wrong.body["errors"][0]["path"]) == (422, "pattern.query")
    assert "type" in wrong.body["errors"][0]["message"]
    assert unnamed.status == 422
    assert unnamed.body["errors"] == [
        {
            "path": "pattern.identity[0]",
            "message": "expected a column of the query (type), got 'typ'; did you mean 'type'?",
        }
    ]
    assert (misspelt.status, misspelt.body["errors"][0]["path"]) == (422, "pattern.query")
    assert misspelt.body["errors"][0]["message"].startswith("line 1, column 48: expected a column")
    assert right.status == 201


WRONG: dict[str, Any] = {"type": "sql", "every": "1m", "query": "SELECT typ FROM events"}
RIGHT: dict[str, Any] = {**WRONG, "query": "SELECT type FROM events"}
UNNAMED: dict[str, Any] = {**RIGHT, "identity": ["typ"]}
EVENT: dict[str, Any] = {"type": "event", "event": "paid"}


def test_the_queries_of_a_workflow_are_asked_when_it_is_saved(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        async def post(name: str, on: Any, path: str = "/workflows") -> Answer:
            return await server.request("POST", path, json=make_document(name=name, on=on))

        right = await post("right", [EVENT, RIGHT])
        change = {"on": [EVENT, RIGHT, UNNAMED]}
        return [
            await post("wrong", WRONG),
            await post("wrong", [WRONG, EVENT, UNNAMED]),
            await post("wrong", WRONG, "/workflows/validate"),
            right,
            await server.request("PATCH", f"/workflows/{right.body['id']}", json=change),
        ]

    answers = serve(tmp_path, use)

    assert [_paths(answer) for answer in answers] == [
        ["on.query"],
        ["on[0].query", "on[2].identity[0]"],
        ["on.query"],
        [],
        ["on[2].identity[0]"],
    ]


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_the_queries_of_documents_are_asked_when_they_are_applied(
    tmp_path: Path, query: str
) -> None:
    documents = [
        {"kind": "pattern", "name": "one", "pattern": WRONG},
        {"kind": "pattern", "name": "off", "enabled": False, "pattern": WRONG},
        {"kind": "workflow", **make_document(name="two", on=[EVENT, UNNAMED])},
        {"kind": "pattern", "name": "three", "pattern": RIGHT},
    ]

    async def use(server: Served) -> tuple[Answer, Answer]:
        refused = await server.request("POST", f"/apply{query}", json=documents)
        return refused, await server.request("GET", "/export")

    refused, left = serve(tmp_path, use)

    assert _paths(refused) == ["[0].pattern.query", "[2].on[1].identity[0]"]
    assert left.body["documents"] == []


def test_queries_that_no_time_is_left_for_are_saved_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll_trials, "MAX_S", 0)
    documents = [{"kind": "pattern", "name": "one", "pattern": WRONG}]

    async def use(server: Served) -> Answer:
        return await server.request("POST", "/apply", json=documents)

    [change] = serve(tmp_path, use).body["changes"]

    assert change["change"] == "created"
    assert [warning["path"] for warning in change["warnings"]] == ["pattern.query"]


def test_what_is_asked_already_is_not_tried_again(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        # What was right when it was saved may be wrong now.
        query = "SELECT CASE WHEN count(*) > 0 THEN error('too many') END FROM events WHERE type = 'paid'"
        document = _pattern(query)
        saved = await server.request("POST", "/patterns", json=document)
        await server.request("POST", "/events", json={"type": "paid"})
        patches: list[dict[str, Any]] = [
            {"description": "of payments"},
            {"pattern": {"every": "2m"}},
            {"enabled": False},
            {"enabled": True},
        ]
        changes = [
            await server.request("PATCH", "/patterns/polled", json=patch) for patch in patches
        ]
        return [saved, *changes]

    assert [answer.status for answer in serve(tmp_path, use)] == [201, 200, 422, 200, 422]


def _paths(answer: Answer) -> list[str]:
    assert answer.status in (200, 201, 422), answer
    return [error["path"] for error in answer.body.get("errors", ())]


def test_new_rows_are_matches_with_their_poll_as_evidence(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        sent = {"type": "paid", "subject": "ada", "data": {"n": 1}}
        await server.request("POST", "/events", json=sent)
        query = "SELECT subject AS user FROM events WHERE type = 'paid'"
        created = await server.request("POST", "/patterns", json=_pattern(query, identity=["user"]))
        assert created.status == 201
        await server.world.engine.settled()
        listed = await server.request("GET", "/patterns/polled/matches")
        about = listed.body["data"][0]["events"][0]["id"]
        return listed, await server.request("GET", f"/patterns/polled/explain?event={about}")

    listed, explained = serve(tmp_path, use)
    [match] = listed.body["data"]

    assert (match["kind"], match["key"], match["values"]) == (
        "matched",
        {"user": "ada"},
        {"user": "ada"},
    )
    [event] = match["events"]
    assert (event["source"], event["type"]) == ("oncue", "query.polled")
    assert (event["data"]["rows"], event["data"]["up_to"]) == ([["ada"]], 2)
    assert (explained.status, explained.body["disposition"], explained.body["key"]) == (
        200,
        "matched",
        {},
    )


def test_a_pattern_tells_of_its_last_poll_and_the_next(tmp_path: Path) -> None:
    query = "SELECT CASE WHEN count(*) > 1 THEN error('too many') ELSE 'few' END AS n FROM events"

    async def use(server: Served) -> list[Any]:
        async def shown() -> Any:
            await server.world.engine.settled()
            return (await server.request("GET", "/patterns/polled")).body

        async def minute() -> None:
            await server.world.settle_after(60_000)

        await server.request("POST", "/patterns", json=_pattern(query + " WHERE type = 'paid'"))
        first = await shown()
        for _ in range(2):
            await server.request("POST", "/events", json={"type": "paid"})
        await minute()
        await minute()
        failed = await shown()
        metrics = (await server.request("GET", "/metrics")).body
        await server.request("PATCH", "/patterns/polled", json={"enabled": False})
        return [first["stats"], failed["stats"], metrics, (await shown())["stats"]]

    first, failed, metrics, off = serve(tmp_path, use)

    assert first["poll"] == {
        "due_at": "2026-01-01T00:00:00.000Z",
        "at": "2026-01-01T00:00:00.000Z",
        "rows": 1,
        "truncated": False,
        "elapsed_ms": first["poll"]["elapsed_ms"],
        "error": None,
        "failed_in_row": 0,
    }
    assert first["next_poll_at"] == "2026-01-01T00:01:00.000Z"
    assert "too many" in failed["poll"]["error"]
    assert failed["poll"]["failed_in_row"] == 2
    assert 'oncue_polls_total{outcome="failed"} 2.0' in metrics
    assert 'oncue_polls_total{outcome="polled"} 1.0' in metrics
    assert (off.get("poll"), off["next_poll_at"]) == (None, None)


def test_that_rows_were_cut_off_is_told(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        query = "SELECT range AS n FROM range(1001)"
        await server.request("POST", "/patterns", json=_pattern(query))
        await server.world.engine.settled()
        return (await server.request("GET", "/patterns/polled")).body

    shown = serve(tmp_path, use)

    assert shown["stats"]["polls_truncated"] == 1
    [warning] = shown["warnings"]
    assert warning["path"] == "pattern.query"
    assert "the last poll read 1000" in warning["message"]


def test_a_backtest_asks_nothing_and_finds_what_was_polled(tmp_path: Path) -> None:
    query = "SELECT subject AS user FROM events WHERE type = 'paid'"
    pattern = _pattern(query, identity=["user"])

    async def use(server: Served) -> list[Answer]:
        async def test(document: Any) -> Answer:
            return await server.request("POST", "/patterns/test", json={"pattern": document})

        await server.request("POST", "/events", json={"type": "paid", "subject": "ada"})
        before = await test(pattern["pattern"])
        await server.request("POST", "/patterns", json=pattern)
        await server.world.engine.settled()
        return [before, await test(pattern["pattern"]), await test(WRONG)]

    before, after, wrong = serve(tmp_path, use)

    assert (before.body["match_count"], after.body["match_count"]) == (0, 1)
    assert [one["path"] for one in before.body["warnings"]] == ["pattern.every"]
    assert _paths(wrong) == ["pattern.query"]

"""Patterns with `every` over real HTTP: what cannot be asked is told when it is saved."""

from pathlib import Path
from typing import Any

from tests.server import Answer, Served, serve


def _pattern(query: str, **fields: Any) -> dict[str, Any]:
    return {"name": "polled", "pattern": {"type": "sql", "every": "1m", "query": query, **fields}}


def test_a_query_is_asked_when_it_is_saved(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Answer]:
        bodies = [
            _pattern("SELECT typ FROM events"),
            _pattern("SELECT type FROM events", identity=["typ"]),
            _pattern("SELECT type, count(*) AS n FROM events GROUP BY ALL", identity=["type"]),
        ]
        return [await server.request("POST", "/patterns", json=body) for body in bodies]

    wrong, unnamed, right = serve(tmp_path, use)

    assert (wrong.status, wrong.body["errors"][0]["path"]) == (422, "pattern.query")
    assert "type" in wrong.body["errors"][0]["message"]
    assert unnamed.status == 422
    assert unnamed.body["errors"] == [
        {
            "path": "pattern.identity[0]",
            "message": "expected a column of the query (type), got 'typ'; did you mean 'type'?",
        }
    ]
    assert right.status == 201


def test_new_rows_are_matches_with_their_poll_as_evidence(tmp_path: Path) -> None:
    async def use(server: Served) -> Any:
        sent = {"type": "paid", "subject": "ada", "data": {"n": 1}}
        await server.request("POST", "/events", json=sent)
        query = "SELECT subject AS user FROM events WHERE type = 'paid'"
        created = await server.request("POST", "/patterns", json=_pattern(query, identity=["user"]))
        assert created.status == 201
        await server.world.engine.settled()
        return await server.request("GET", "/patterns/polled/matches")

    [match] = serve(tmp_path, use).body["data"]

    assert (match["kind"], match["key"], match["values"]) == (
        "matched",
        {"user": "ada"},
        {"user": "ada"},
    )
    [event] = match["events"]
    assert (event["source"], event["type"]) == ("oncue", "query.polled")
    assert (event["data"]["rows"], event["data"]["up_to"]) == ([["ada"]], 2)

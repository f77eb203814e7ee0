"""Each statement of the tutorial of SQL gives the same rows over stored events, in a backtest, and live."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from oncue.core.instants import format_instant
from oncue.core.json_text import Json, encode_json
from tests.architecture.rules import ROOT
from tests.installation import ACCOUNT
from tests.server import Served, served

PAGE = (ROOT / "docs/tutorial/sql.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
QUERIES = [text for language, text in BLOCKS if language == "sql"]
(SCRIPT,) = [text for language, text in BLOCKS if language == "python"]
(LIVE,) = [yaml.safe_load(text) for language, text in BLOCKS if language == "yaml"]
MINUTE_MS = 60_000
Rows = list[str]


def happenings() -> Iterator[tuple[float, Json]]:
    """Yield what the script of the page sends, and in which second."""
    script: dict[str, Any] = {"__name__": "shop"}
    exec(SCRIPT, script)
    yield from script["happenings"]()


def pattern(query: str) -> dict[str, Json]:
    return {**LIVE["pattern"], "query": query}


async def asked(server: Served, query: str) -> Rows:
    answer = await server.request("POST", "/events/query", json={"sql": query})
    assert answer.status == 200, answer.body
    names = [column["name"] for column in answer.body["columns"]]
    return plain([dict(zip(names, row, strict=True)) for row in answer.body["rows"]])


async def backtested(server: Served, query: str) -> Rows:
    since_ms = server.world.clock.now_ms() - 20 * MINUTE_MS
    body = {"pattern": pattern(query), "from": format_instant(since_ms)}
    answer = await server.request("POST", "/patterns/test", json=body)
    assert answer.status == 200, answer.body
    return plain([match["values"] for match in answer.body["matches"]])


async def live(server: Served, name: str) -> Rows:
    answer = await server.request("GET", f"/patterns/{name}/matches?limit=500")
    assert answer.status == 200, answer.body
    return plain([match["values"] for match in answer.body["data"]])


def plain(rows: list[dict[str, Json]]) -> Rows:
    """Return rows as JSON in an order of their own, 2.0 as 2: streams and queries have different ones."""
    return sorted(
        encode_json({name: _number(value) for name, value in row.items()}).decode() for row in rows
    )


def _number(value: Json) -> Json:
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Rows, Rows, Rows]]:
    """The rows of each query: over stored events, in a backtest, and live."""
    return asyncio.run(_found(tmp_path_factory.mktemp("shop")))


async def _found(folder: Path) -> list[tuple[Rows, Rows, Rows]]:
    async with served(folder) as server:
        # How fast the machine is matters nowhere here.
        patient: Json = {"name": "shop", "query_bounds": {"timeout": "60s"}}
        bounded = await server.request("PATCH", f"/accounts/{ACCOUNT}", json=patient)
        assert bounded.status == 200, bounded.body
        for number, query in enumerate(QUERIES, 1):
            document: Json = {"name": f"query-{number}", "pattern": pattern(query)}
            saved = await server.request("POST", "/patterns", json=document)
            assert saved.status == 201, saved.body
        start_ms = server.world.clock.now_ms() // MINUTE_MS * MINUTE_MS + MINUTE_MS
        for second, event in happenings():
            await server.world.go_to(start_ms + round(second * 1_000))
            sent = await server.request("POST", "/events", json=event)
            assert sent.status == 202, sent.body
        await server.world.go_to(start_ms + 10 * MINUTE_MS)
        return [
            (
                await asked(server, query),
                await backtested(server, query),
                await live(server, f"query-{number}"),
            )
            for number, query in enumerate(QUERIES, 1)
        ]


def test_there_are_twelve() -> None:
    assert len(QUERIES) == 12


@pytest.mark.parametrize("number", range(1, len(QUERIES) + 1))
def test_a_query_gives_the_same_rows_everywhere(
    found: list[tuple[Rows, Rows, Rows]], number: int
) -> None:
    stored, tried, streamed = found[number - 1]

    assert stored
    assert tried == stored
    assert streamed == stored


def test_the_pattern_of_the_page_is_its_third_query() -> None:
    assert LIVE["pattern"]["query"] == QUERIES[2]

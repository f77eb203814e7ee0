"""What the queries of an account may take, as the operator sets it."""

from pathlib import Path
from typing import Any

import pytest

from tests.installation import ACCOUNT
from tests.server import KEY, READER, Answer, Served, serve

ENDLESS = "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t"
UNSET = {"timeout": None, "memory_mb": None, "max_bytes": None}


async def bound(server: Served, key: str = KEY, **bounds: Any) -> Answer:
    change = {"name": "shop", "query_bounds": bounds or None}
    return await server.request("PATCH", f"/accounts/{ACCOUNT}", json=change, key=key)


async def told(server: Served, sql: str) -> str:
    answer = await server.request("POST", "/events/query", json={"sql": sql})
    return str(answer.body["errors"][0]["message"] if answer.status == 422 else answer.body["rows"])


def test_an_account_has_bounds_of_its_own_that_are_shown_and_given_back(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Any]:
        opened = {"name": "acme", "query_bounds": {"timeout": "90s", "max_bytes": 2_048}}
        made = (await server.request("POST", "/accounts", json=opened)).body
        changed = {"query_bounds": {"timeout": "1.5s", "memory_mb": 128}}
        answers = [
            made,
            (await server.request("PATCH", "/accounts/acme", json=changed)).body,
            (await server.request("GET", "/account", key=made["api_key"])).body,
            (await server.request("PATCH", "/accounts/acme", json={"query_bounds": None})).body,
        ]
        return [answer["query_bounds"] for answer in answers]

    first, second, own, last = serve(tmp_path, use)

    assert first == {"timeout": "90s", "memory_mb": None, "max_bytes": 2_048}
    assert second == own == {"timeout": "1500ms", "memory_mb": 128, "max_bytes": 2_048}
    assert last == UNSET


def test_they_hold_from_the_next_query_on(tmp_path: Path) -> None:
    large = "SELECT repeat('x', 5_000)"
    wide = "SELECT count(*) > 0 FROM (SELECT DISTINCT i FROM range(1_500_000) r(i))"

    async def use(server: Served) -> list[str]:
        before = [await told(server, large), await told(server, wide)]
        await bound(server, timeout="500ms", memory_mb=64, max_bytes=4_096)
        inside = [await told(server, ENDLESS)]
        await bound(server, timeout="1m")
        inside += [await told(server, sql) for sql in (wide, large)]
        await bound(server)
        return [*before, *inside, await told(server, large)]

    first, second, time, memory, size, again = serve(tmp_path, use)

    assert (first, second) == (again, "[[True]]")
    assert time == "over time: no answer within 500 ms"
    assert memory.startswith("over memory: ")
    assert size == "over size: expected at most 4096 bytes of rows, got more"


def test_polled_patterns_and_actions_are_bounded_as_queries_are(tmp_path: Path) -> None:
    pattern = {
        "name": "slow",
        "pattern": {"type": "sql", "query": ENDLESS, "every": "15m"},
    }

    async def use(server: Served) -> tuple[Answer, Answer]:
        await bound(server, timeout="500ms")
        return (
            await server.request("POST", "/patterns", json=pattern),
            await server.request("GET", "/account"),
        )

    refused, own = serve(tmp_path, use)

    assert refused.status == 422
    assert refused.body["errors"] == [
        {"path": "pattern.query", "message": "over time: no answer within 500 ms"}
    ]
    assert own.body["query_bounds"]["timeout"] == "500ms"


@pytest.mark.parametrize(
    ("bounds", "path", "words"),
    [
        ({"timeout": "0s"}, "timeout", "expected a duration of 100ms to 10m, got '0d'"),
        ({"timeout": "11m"}, "timeout", "expected a duration of 100ms to 10m, got '11m'"),
        ({"timeout": 5}, "timeout", "expected a duration such as '24h', got 5"),
        ({"memory_mb": 0}, "memory_mb", "expected a number of at least 64, got 0"),
        ({"memory_mb": 1 << 20}, "memory_mb", "expected a number of at most 65536, got 1048576"),
        ({"memory_mb": "512"}, "memory_mb", "expected an integer, got '512'"),
        ({"max_bytes": -1}, "max_bytes", "expected a number of at least 1024, got -1"),
        ({"max_bytes": 1 << 40}, "max_bytes", "expected a number of at most 268435456"),
        ({"time_out": "5s"}, "time_out", "got 'time_out'; did you mean 'timeout'?"),
    ],
)
def test_bounds_beyond_what_any_account_may_have_are_refused(
    tmp_path: Path, bounds: dict[str, Any], path: str, words: str
) -> None:
    async def use(server: Served) -> tuple[Answer, Answer]:
        return await bound(server, **bounds), await server.request("GET", "/account")

    refused, own = serve(tmp_path, use)

    assert refused.status == 422
    assert [error["path"] for error in refused.body["errors"]] == [f"query_bounds.{path}"]
    assert words in refused.body["errors"][0]["message"]
    assert own.body["query_bounds"] == UNSET


def test_nobody_but_the_operator_sets_them(tmp_path: Path) -> None:
    async def use(server: Served) -> int:
        return (await bound(server, key=READER, timeout="5m")).status

    assert serve(tmp_path, use) == 403

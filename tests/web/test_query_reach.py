"""What a question may reach for, and take: its own events, and its share."""

import asyncio
from pathlib import Path

import pytest

from oncue.ports import Account, ApiKey
from oncue.web.auth import hash_key
from tests.installation import ACCOUNT
from tests.make import make_incoming
from tests.server import Answer, Served, serve
from tests.store.logs import archive_all
from tests.web.asked import EVENTS, ask

ATTACKS = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/**')",
    "SELECT * FROM read_parquet('https://example.com/x.parquet')",
    "SELECT * FROM read_ndjson('../**')",
    "COPY events TO '/tmp/stolen'",
    "EXPLAIN ANALYZE COPY events TO '/tmp/stolen'",
    "ATTACH '/tmp/x.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "SET memory_limit = '100GB'",
    "RESET memory_limit",
    "DELETE FROM recent",
    "CREATE TABLE x AS SELECT 1",
    "EXPORT DATABASE '/tmp/stolen'",
    "SELECT repeat('x', 4000000000)",
    "SELECT list(range(10000000)) FROM range(100)",
    "SELECT string_split(repeat('a,', 500000000), ',')",
    *(
        f"SELECT * FROM {source} MATCH_RECOGNIZE (MEASURES 1 AS x PATTERN (A))"
        for source in (
            "read_csv('/etc/passwd')",
            "'/etc/passwd'",
            "(SELECT * FROM read_text('/etc/passwd'))",
            "(SELECT 1; DROP TABLE recent; SELECT 2)",
            "(SELECT 1) AS a; ATTACH '/tmp/x.db'; SELECT * FROM events",
            "(COPY events TO '/tmp/stolen')",
            "(DELETE FROM recent RETURNING *)",
            "(SELECT E'\\') AS x, (SELECT ') ; ATTACH ''/tmp/x.db'' ; --')",
        )
    ),
    *(
        f"SELECT * FROM events MATCH_RECOGNIZE (MEASURES {measure} AS x PATTERN (A))"
        for measure in (
            "(SELECT max(content) FROM read_text('/etc/passwd'))",
            "read_text('/etc/passwd')",
            "1; ATTACH '/tmp/x.db'; SELECT 1",
            "getenv('HOME')",
        )
    ),
    'SELECT * FROM events MATCH_RECOGNIZE (MEASURES 1 AS "x""; DROP TABLE recent; --" PATTERN (A))'
    " WHERE read_text('/etc/passwd') IS NOT NULL",
    "SELECT * FROM events MATCH_RECOGNIZE (MEASURES 1 AS x PATTERN (A)); SET memory_limit = '9GB'",
    "COPY (SELECT * FROM events MATCH_RECOGNIZE (MEASURES 1 AS x PATTERN (A))) TO '/tmp/stolen'",
    "SELECT * FROM (SELECT list(range(10000000)) AS l FROM range(100))"
    " MATCH_RECOGNIZE (MEASURES A.l AS x PATTERN (A))",
    "SELECT * FROM events MATCH_RECOGNIZE (MEASURES COUNT(*) AS x PATTERN ((A{1000}){1000}))",
    "SELECT * FROM events MATCH_RECOGNIZE (" + "(" * 5_000,
    f"SELECT * FROM events MATCH_RECOGNIZE (PATTERN ({'(' * 5_000}A{')' * 5_000}))",
    f"SELECT * FROM {'(' * 5_000}events{')' * 5_000} MATCH_RECOGNIZE (PATTERN (A))",
]


def test_nothing_but_events_can_be_read_and_nothing_written(tmp_path: Path) -> None:
    answers = ask(tmp_path, *[{"sql": sql} for sql in ATTACKS], {"sql": "SELECT 1"})

    refused, after = answers[:-1], answers[-1]
    assert {answer.status for answer in refused} == {422}
    assert after.body["rows"] == [[1]]
    assert str(tmp_path) not in str([answer.body for answer in refused])


def test_what_takes_too_long_is_killed_and_others_go_on(tmp_path: Path) -> None:
    endless = (
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t"
    )
    deep = "WITH " + ", ".join(
        f"c{n} AS (SELECT * FROM c{n - 1} UNION ALL SELECT * FROM c{n - 1})"
        if n
        else "c0 AS (SELECT 1 AS x)"
        for n in range(40)
    )

    async def use(server: Served) -> list[Answer]:
        bounds = {"name": "shop", "query_bounds": {"timeout": "1s"}}
        await server.request("PATCH", f"/accounts/{ACCOUNT}", json=bounds)
        bad = [
            server.request("POST", "/events/query", json={"sql": sql})
            for sql in (endless, f"{deep} SELECT count(*) FROM c39")
        ]
        accepted = server.request("POST", "/events", json={"type": "ping"})
        return await asyncio.gather(*bad, accepted)

    one, other, accepted = serve(tmp_path, use)

    assert (one.status, other.status, accepted.status) == (422, 422, 202)
    assert "over time: no answer within 1000 ms" in one.body["errors"][0]["message"]
    assert "over " in other.body["errors"][0]["message"]


def test_an_account_sees_its_own_events_alone(tmp_path: Path) -> None:
    async def use(server: Served) -> Answer:
        await server.request("POST", "/events/batch", json=EVENTS)
        accounts = server.world.parts.accounts
        await accounts.add(Account("acc_other", "other", 0))
        key = ApiKey("key_other", "acc_other", hash_key("other"), frozenset(("admin",)), 0)
        await accounts.put_api_key("acc_other", key)
        headers = {"Authorization": "Bearer other"}
        return await server.request(
            "POST", "/events/query", json={"sql": "SELECT * FROM events"}, headers=headers
        )

    assert serve(tmp_path, use).body["rows"] == []


@pytest.mark.parametrize("sql", ["SELECT * FROM read_parquet('{path}')", "SELECT * FROM '{path}'"])
def test_the_archive_of_another_account_is_out_of_reach(tmp_path: Path, sql: str) -> None:
    async def use(server: Served) -> list[Answer]:
        await server.request("POST", "/events/batch", json=EVENTS)
        await server.world.log.append("acc_other", [make_incoming()])
        await archive_all(server.world.log, full=1)
        paths = list((tmp_path / "archive" / "acc_other").glob("*.parquet"))
        assert len(paths) == 1
        return [
            await server.request("POST", "/events/query", json={"sql": sql.format(path=path)})
            for path in (
                *paths,
                paths[0].with_name("*"),
                f"../../archive/acc_other/{paths[0].name}",
                "/proc/self/cwd/../*/*.parquet",
            )
        ]

    answers = serve(tmp_path, use)

    assert {answer.status for answer in answers} == {422}


def test_nobody_who_asks_without_end_keeps_others_out(tmp_path: Path) -> None:
    endless = {"sql": "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"}

    async def use(server: Served) -> tuple[list[Answer], Answer, Answer, list[bool]]:
        opened = {"name": "hog", "query_bounds": {"timeout": "3s"}}
        hog = (await server.request("POST", "/accounts", json=opened)).body["api_key"]
        asked = [
            asyncio.create_task(server.request("POST", "/events/query", json=endless, key=hog))
            for _ in range(20)
        ]
        refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        accepted = await server.request("POST", "/events", json=EVENTS[0])
        mine = await server.request("POST", "/events/query", json={"sql": "FROM events"})
        others = [task.done() for task in asked]
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        return [task.result() for task in refused], accepted, mine, others

    refused, accepted, mine, others = serve(tmp_path, use)

    assert {answer.status for answer in refused} == {503}
    assert refused[0].headers["Retry-After"] == "1"
    assert "at most 16 queries of an account at once" in refused[0].body["detail"]
    assert (accepted.status, mine.status, mine.body.get("row_count")) == (202, 200, 1)
    assert not all(others)


def test_a_query_that_nobody_waits_for_any_more_ends(tmp_path: Path) -> None:
    endless = {"sql": "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"}

    async def use(server: Served) -> Answer:
        bounds = {"name": "shop", "query_bounds": {"timeout": "10m"}}
        await server.request("PATCH", f"/accounts/{ACCOUNT}", json=bounds)
        asked = [
            asyncio.create_task(server.request("POST", "/events/query", json=endless))
            for _ in range(17)
        ]
        # The one too many is refused once all others are there.
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        for task in asked:
            task.cancel()
        while True:
            answer = await server.request("POST", "/events/query", json={"sql": "SELECT 1"})
            if answer.status != 503:
                return answer

    assert serve(tmp_path, use).body["rows"] == [[1]]

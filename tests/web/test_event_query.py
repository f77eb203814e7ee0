"""`POST /events/query` over real HTTP."""

import asyncio
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from oncue.core.json_text import Json, encode_json
from oncue.ports import Account, ApiKey
from oncue.web.auth import hash_key
from tests.installation import ACCOUNT
from tests.make import make_incoming
from tests.server import Answer, Served, serve
from tests.store.logs import archive_all

EVENTS: list[dict[str, Json]] = [
    {"type": "order.paid", "subject": "c-1", "data": {"amount": 10, "plan": "pro", "ok": True}},
    {"type": "order.paid", "subject": "c-2", "data": {"amount": 2.5, "plan": "free", "ok": False}},
    {"type": "order.paid", "subject": "c-1", "data": {"amount": "much", "plan": 7, "ok": "yes"}},
    {"type": "ping", "correlationid": "k", "data": [1, {"x": "ä"}]},
]


def ask(
    folder: Path,
    *bodies: Any,
    accept: str = "application/json",
    archived: int = 0,
    events: Sequence[Json] = EVENTS,
) -> list[Answer]:
    async def use(server: Served) -> list[Answer]:
        sent = await server.request("POST", "/events/batch", json=events[:archived] or events)
        assert sent.status == 202
        if archived:
            await archive_all(server.world.log, full=1)
            await server.request("POST", "/events/batch", json=events[archived:])
        headers = {"Accept": accept}
        return [
            await server.request("POST", "/events/query", json=body, headers=headers)
            for body in bodies
        ]

    return serve(folder, use)


def rows(folder: Path, *queries: str, **options: Any) -> list[Any]:
    answers = ask(folder, *[{"sql": sql} for sql in queries], **options)
    return [answer.body.get("rows", answer.body) for answer in answers]


def test_a_question_is_answered_with_columns_and_rows(tmp_path: Path) -> None:
    (answer,) = ask(
        tmp_path, {"sql": "SELECT type, count(*) AS n FROM events GROUP BY type ORDER BY n"}
    )

    assert answer.status == 200
    assert answer.body["columns"] == [
        {"name": "type", "type": "VARCHAR"},
        {"name": "n", "type": "BIGINT"},
    ]
    assert answer.body["rows"] == [["ping", 1], ["order.paid", 3]]
    assert (answer.body["row_count"], answer.body["truncated"]) == (2, False)
    assert answer.body["elapsed_ms"] > 0


def test_events_as_large_as_they_may_be_are_asked_within_the_memory(tmp_path: Path) -> None:
    large = [{"type": "file", "data": {"text": "x" * 250_000}} for _ in range(100)]

    async def use(server: Served) -> Answer:
        headers = {"Content-Type": "application/json"}
        body = BytesIO(encode_json(large))
        await server.request("POST", "/events/batch", data=body, headers=headers)
        sql = "SELECT count(*), min(length(data.text)) FROM events"
        return await server.request("POST", "/events/query", json={"sql": sql})

    answer = serve(tmp_path, use)

    assert answer.body.get("rows") == [[100, 250_000]], answer.body


@pytest.mark.parametrize("archived", [0, 2, 3])
def test_a_path_is_a_scalar_of_its_own_type_and_null_where_it_does_not_fit(
    tmp_path: Path, archived: int
) -> None:
    found = rows(
        tmp_path,
        'SELECT data.amount FROM events ORDER BY "offset"',
        "SELECT sum(data.amount), avg(data['amount']), sum(data->>'$.amount') FROM events",
        "SELECT subject FROM events WHERE data.amount > 3",
        "SELECT subject FROM events WHERE data.plan = 'free'",
        "SELECT count(*) FROM events WHERE data.ok",
        "SELECT data.plan, count(*) FROM events WHERE type = 'order.paid' GROUP BY 1 ORDER BY 2, 1",
        "SELECT data[1].x, extensions.correlationid FROM events WHERE type = 'ping'",
        "SELECT data FROM events WHERE type = 'ping'",
        'SELECT upper(data.plan) FROM events ORDER BY "offset" LIMIT 3',
        archived=archived,
    )

    assert found == [
        [[10], [2.5], ["much"], [None]],
        [[12.5, 6.25, 12.5]],
        [["c-1"]],
        [["c-2"]],
        [[1]],
        [[7, 1], ["free", 1], ["pro", 1]],
        [["ä", "k"]],
        [[[1, {"x": "ä"}]]],
        [["PRO"], ["FREE"], [None]],
    ]


def test_what_is_made_of_whole_numbers_is_one_unless_it_is_divided(tmp_path: Path) -> None:
    values: list[Json] = [10, 4, 6.0]
    made = "sum(v), sum(v) * 2 - count(*), avg(v), sum(v) / 2, round(sum(v) * 1.5), sum(v) * 0.5"
    found = rows(
        tmp_path,
        f"SELECT {made} FROM (SELECT data.v AS v FROM events)",
        f"WITH e AS (SELECT data.v AS v FROM events) SELECT {made} FROM e WHERE v < 0.5",
        "SELECT data.v * 2, data.v * 1.5, -data.v FROM events WHERE data.v = 4",
        "SELECT sum(data.v) + 0.5, sum(data.v) AS s FROM events GROUP BY type HAVING s > 3",
        events=[{"type": "n", "data": {"v": value}} for value in values],
    )

    assert repr(found) == repr(
        [
            [[20, 37, 20 / 3, 10.0, 30, 10.0]],
            [[None] * 6],
            [[8, 6.0, -4]],
            [[20.5, 20]],
        ]
    )


def test_the_data_folder_may_be_told_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert rows(Path(), "SELECT count(*) FROM events") == [[[4]]]


def test_what_is_divided_by_zero_is_null(tmp_path: Path) -> None:
    divided = (
        "v / 0, v // 0, v % 0, n / 0, n // 0, n % 0, v / 2, n // 2, n % 2, INTERVAL '1' HOUR / 2"
    )
    found = rows(
        tmp_path,
        f"SELECT {divided} FROM (SELECT data.v AS v, 7 AS n FROM events)",
        "SELECT count(*) FROM events WHERE data.v / 0 > 1 OR data.v % 0 > 1",
        "SELECT sum(data.v) / count(*) FROM events",
        events=[{"type": "n", "data": {"v": 5}}],
    )

    assert found == [[[None] * 6 + [2.5, 3, 1, "1800s"]], [[0]], [[5]]]


WINDOWED = [
    {"type": "hit", "time": f"2026-11-23T12:00:{second:02}Z", "data": {"k": key, "v": value}}
    for second, key, value in [(1, "a", 1), (4, "b", 2), (11, "a", 4), (13, "a", 8), (30, "a", 16)]
]


@pytest.mark.parametrize("archived", [0, 3])
def test_windows_are_those_of_streams(tmp_path: Path, archived: int) -> None:
    table = "TABLE events, DESCRIPTOR(time), INTERVAL"
    found = rows(
        tmp_path,
        f"SELECT window_start, window_time, sum(data.v) AS s FROM TABLE(TUMBLE({table} '10' SECOND))"
        " WHERE type = 'hit' GROUP BY window_start, window_end ORDER BY 1",
        "SELECT HOP_END(time, INTERVAL '10' SECOND, INTERVAL '20' SECOND) AS e, count(*) FROM events"
        " WHERE data.k = 'a' GROUP BY HOP(time, INTERVAL '10' SECOND, INTERVAL '20' SECOND)"
        " QUALIFY row_number() OVER (ORDER BY e) < 3 ORDER BY e",
        "WITH s AS (SELECT * FROM TABLE(SESSION(TABLE events PARTITION BY data.k, DESCRIPTOR(time),"
        " INTERVAL '10' SECOND)) WHERE data.v < 16) SELECT data.k, window_start, window_end,"
        " count(*) FROM s JOIN (SELECT 'a' AS name) n ON s.data.k = n.name GROUP BY ALL ORDER BY 2",
        archived=archived,
        events=WINDOWED,
    )

    assert found == [
        [
            ["2026-11-23T12:00:00.000Z", "2026-11-23T12:00:09.999Z", 3],
            ["2026-11-23T12:00:10.000Z", "2026-11-23T12:00:19.999Z", 12],
            ["2026-11-23T12:00:30.000Z", "2026-11-23T12:00:39.999Z", 16],
        ],
        [["2026-11-23T12:00:10.000Z", 1], ["2026-11-23T12:00:20.000Z", 3]],
        [
            ["a", "2026-11-23T12:00:01.000Z", "2026-11-23T12:00:11.000Z", 1],
            ["a", "2026-11-23T12:00:11.000Z", "2026-11-23T12:00:23.000Z", 2],
        ],
    ]


def test_the_fields_of_each_type_are_told(tmp_path: Path) -> None:
    async def use(server: Served) -> Answer:
        await server.request("POST", "/events/batch", json=EVENTS)
        return await server.request("GET", "/events/schema")

    orders, ping = serve(tmp_path, use).body["types"]

    assert (orders["type"], orders["count"], ping["type"]) == ("order.paid", 3, "ping")
    assert orders["fields"] == [
        {"path": "data.amount", "kind": "mixed"},
        {"path": "data.plan", "kind": "mixed"},
        {"path": "data.ok", "kind": "mixed"},
    ]
    assert orders["sample"] == {"amount": "much", "plan": 7, "ok": "yes"}
    assert ping["fields"] == [
        {"path": "data", "kind": "list"},
        {"path": "extensions.correlationid", "kind": "text"},
    ]


def test_editors_are_told_what_to_offer(tmp_path: Path) -> None:
    async def use(server: Served) -> Answer:
        return await server.request("GET", "/events/completion")

    offered = serve(tmp_path, use).body
    functions = {each["name"]: each for each in offered["functions"]}

    assert [column["name"] for column in offered["columns"]] == (
        ["id", "source", "type", "subject", "time", "received_at", "offset", "data", "extensions"]
    )
    assert offered["columns"][4]["type"] == "TIMESTAMP WITH TIME ZONE"
    assert {"select", "qualify", "over"} <= {*offered["keywords"]}
    assert functions["date_trunc"]["parameters"] == ["part", "timestamp"]
    streaming = ("sum", "starts_with", "coalesce", "round", "TUMBLE", "PREV", "CLASSIFIER")
    asked_only = ("date_trunc", "list_filter", "median", "lag", "regexp_matches")
    assert all(functions[name]["streams"] for name in streaming)
    assert not any(functions[name]["streams"] for name in asked_only)
    assert not {"read_csv", "glob", "getenv", "oncue_number"} & {*functions}


def test_matches_of_row_patterns_are_rows(tmp_path: Path) -> None:
    row_pattern = """MATCH_RECOGNIZE (PARTITION BY type ORDER BY time, "offset"
        MEASURES A.data.amount AS a, B.data.amount AS b PATTERN (A B)
        DEFINE B AS B.data.amount < A.data.amount)"""
    answers = ask(
        tmp_path,
        {"sql": f"SELECT type, a, b FROM events {row_pattern}"},
        {
            "sql": f"SELECT a FROM (SELECT * FROM events WHERE type = ?) {row_pattern}",
            "params": ["x"],
        },
        {"sql": f"SELECT b FROM events {row_pattern}\nWHERE c"},
        archived=2,
    )

    assert [answer.body.get("rows") for answer in answers] == [
        [["order.paid", 10, 2.5]],
        [],
        None,
    ]
    assert 'Referenced column "c" not found' in answers[2].body["errors"][0]["message"]
    assert "LINE 4: WHERE c" in answers[2].body["errors"][0]["message"]


def test_values_are_bound(tmp_path: Path) -> None:
    place = "SELECT count(*) FROM events WHERE subject = "
    answers = ask(
        tmp_path,
        {"sql": f"{place}?", "params": ["c-1"]},
        {"sql": f"{place}$who", "params": {"who": "c-2"}},
        {"sql": f"{place}?", "params": ["' OR 1=1 --"]},
        {"sql": "SELECT ?", "params": [10**30]},
    )

    assert [answer.body["rows"] for answer in answers] == [[[2]], [[1]], [[0]], [[10**30]]]


def test_more_rows_than_the_limit_are_cut_off(tmp_path: Path) -> None:
    (answer,) = ask(tmp_path, {"sql": "SELECT 1 FROM events", "limit": 2})

    assert (answer.body["row_count"], answer.body["truncated"]) == (2, True)


def test_the_type_that_is_wanted_most_is_given(tmp_path: Path) -> None:
    wanted = {
        "text/csv;q=0.5, application/json": "application/json",
        "application/json; q=0.1, text/csv; charset=utf-8": "text/csv; charset=utf-8",
        "application/json;q=0, */*": "text/csv; charset=utf-8",
        "text/html, */*;q=0.8": "application/json",
        "application/*": "application/json",
        "text/csv;q=0, image/png": "application/problem+json",
    }

    async def use(server: Served) -> list[Answer]:
        body: Json = {"sql": "SELECT 1"}
        return [
            await server.request("POST", "/events/query", json=body, headers={"Accept": accept})
            for accept in wanted
        ]

    answers = serve(tmp_path, use)

    assert [answer.headers["Content-Type"] for answer in answers] == [*wanted.values()]


@pytest.mark.parametrize(
    ("accept", "text"),
    [
        ("text/csv", 'subject,data\r\nc-1,"{""amount"":10'),
        ("application/x-ndjson", '{"subject":"c-1","data":{"amount":10'),
    ],
)
def test_rows_come_as_they_are_wanted(tmp_path: Path, accept: str, text: str) -> None:
    sql = 'SELECT subject, data FROM events ORDER BY "offset" LIMIT 1'
    (answer,) = ask(tmp_path, {"sql": sql}, accept=accept)

    assert answer.headers["Content-Type"].startswith(accept)
    assert answer.headers["x-row-count"] == "1"
    assert str(answer.body).startswith(text)


def test_columns_of_one_name_are_all_in_a_line(tmp_path: Path) -> None:
    sql = "SELECT data.amount, data.amount, 1 AS amount_1 FROM events LIMIT 1"
    (answer,) = ask(tmp_path, {"sql": sql}, accept="application/x-ndjson")

    assert answer.body == '{"amount":10,"amount_1":10,"amount_1_1":1}\n'


def test_what_a_name_is_of_is_a_number_too(tmp_path: Path) -> None:
    sql = (
        "WITH t AS (SELECT data.amount AS n FROM events) SELECT sum(n), n > 9.99 FROM t GROUP BY n"
    )
    (answer,) = ask(tmp_path, {"sql": f"{sql} HAVING n < 11 ORDER BY n"})

    assert answer.body["rows"] == [[2.5, False], [10, True]]
    assert [column["name"] for column in answer.body["columns"]] == ["sum(n)", "(n > 9.99)"]


def test_values_of_all_types_are_shown(tmp_path: Path) -> None:
    shown: dict[str, Json] = {
        "INTERVAL '400 days 0.5 seconds'": "34560000.5s",
        "'nan'::DOUBLE": None,
        "[1.5, 2]::DECIMAL(3, 1)[]": [1.5, 2],
        "9007199254740993::HUGEINT": 9007199254740993,
        "MAP {'a': DATE '2026-11-23'}": {"a": "2026-11-23"},
        "'\\xC3\\xA4'::BLOB": "w6Q=",
        "{'d': '[1]'::JSON, 'l': ['{}'::JSON, NULL], 'n': NULL::JSON}": {
            "d": [1],
            "l": [{}, None],
            "n": None,
        },
        "MAP {1: {'d': '[1]'::JSON}}": {"1": {"d": [1]}},
        "['1'::JSON::VARIANT]": [1],
    }

    assert rows(tmp_path, f"SELECT {', '.join(shown)}") == [[[*shown.values()]]]


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        pytest.param({}, "sql", "expected a value", id="nothing"),
        pytest.param({"sql": "SELECT 1", "limit": 0}, "limit", "1", id="no limit"),
        pytest.param({"sql": "SELECT 1", "sqll": 1}, "sqll", "sql", id="a name"),
        pytest.param({"sql": "SELEC 1"}, "sql", 'near "SELEC"', id="no SQL"),
        pytest.param({"sql": "SELECT tpye FROM events"}, "sql", '"type"', id="a column"),
        pytest.param({"sql": "SELECT 1; SELECT 2"}, "sql", "one statement", id="two"),
        pytest.param(
            {"sql": "PIVOT events ON type USING count(*)"}, "sql", "IN ('a'", id="a pivot"
        ),
        pytest.param({"sql": ""}, "sql", "1", id="empty"),
        pytest.param(
            {"sql": "SELECT 1 FROM\n TABLE(HUP(TABLE events, DESCRIPTOR(time)))"},
            "sql",
            "line 2, column 8: expected TUMBLE, HOP, CUMULATE or SESSION, got 'HUP'; did you mean 'HOP'?",
            id="a window",
        ),
        pytest.param(
            {"sql": "SELECT tpye FROM events GROUP BY TUMBLE(time, INTERVAL '1' HOUR), data.x"},
            "sql",
            '"type"',
            id="a column beside a window",
        ),
    ],
)
def test_bad_questions_are_told(tmp_path: Path, body: Json, path: str, words: str) -> None:
    (answer,) = ask(tmp_path, body)

    assert answer.status == 422
    assert [error["path"] for error in answer.body["errors"]] == [path]
    assert words in answer.body["errors"][0]["message"]


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


def test_a_list_and_an_event_of_the_archive_are_answered(tmp_path: Path) -> None:
    async def use(server: Served) -> list[Any]:
        await server.request("POST", "/events/batch", json=EVENTS[:2])
        listed = await server.request("GET", "/events")
        await archive_all(server.world.log, full=1)
        server.world.clock.advance(8 * 86_400_000)
        log = server.world.log
        needed = {account: log.head(account) for account in log.segments.appender.numbers}
        await log.segments.drop(0, needed)
        assert all(
            log.segments.first(log.segments.appender.numbers[a]) == log.head(a) + 1 for a in needed
        )
        again = await server.request("GET", "/events")
        one = await server.request("GET", "/events/@1")
        return [listed.body["data"], again.body["data"], one.body["data"]]

    hot, archived, first = serve(tmp_path, use)

    assert archived == hot
    assert first == EVENTS[0]["data"]

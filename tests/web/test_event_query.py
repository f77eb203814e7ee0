"""`POST /events/query` over real HTTP: what a question means, and what is wrong with it."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from oncue.core.json_text import Json, encode_json
from tests.server import Answer, Served, serve
from tests.store.logs import archive_all
from tests.web.asked import EVENTS, ask, rows


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
    streaming = ("sum", "starts_with", "coalesce", "round", "concat_ws", "TUMBLE", "CLASSIFIER")
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


def test_what_a_name_is_of_is_a_number_too(tmp_path: Path) -> None:
    sql = (
        "WITH t AS (SELECT data.amount AS n FROM events) SELECT sum(n), n > 9.99 FROM t GROUP BY n"
    )
    (answer,) = ask(tmp_path, {"sql": f"{sql} HAVING n < 11 ORDER BY n"})

    assert answer.body["rows"] == [[2.5, False], [10, True]]
    assert [column["name"] for column in answer.body["columns"]] == ["sum(n)", "(n > 9.99)"]


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

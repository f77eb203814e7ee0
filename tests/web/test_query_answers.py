"""The forms in which the rows of a question are answered."""

from pathlib import Path

import pytest

from oncue.core.json_text import Json
from tests.server import Answer, Served, serve
from tests.web.asked import ask, rows


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

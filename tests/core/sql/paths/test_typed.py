"""Paths into documents, put into the function of what they are taken for."""

import pytest

from oncue.core.json_text import Json
from oncue.core.sql.paths.typed import with_typed_paths, written_name

COLUMN = 'oncue_value(data, \'$."a"\') AS "a"'


def number(path: str = '$."a"') -> str:
    return f"oncue_number(data, '{path}')"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param("data.a", '$."a"', id="a field"),
        pytest.param("data['a']", '$."a"', id="a field in brackets"),
        pytest.param("data->>'$.a'", '$."a"', id="an arrow"),
        pytest.param("data->>'a'", '$."a"', id="an arrow and a name"),
        pytest.param("(data->'a')->>'b'", '$."a"."b"', id="arrows"),
        pytest.param("data.a.b.c.d.e", '$."a"."b"."c"."d"."e"', id="far in"),
        pytest.param("data.a[0].b", '$."a"[0]."b"', id="the first of a list"),
        pytest.param("data['a b']['1']", '$."a b"."1"', id="names that are none"),
        pytest.param("data.a[-1]", '$."a"[#-1]', id="the last of a list"),
        pytest.param("data->'a'->0", '$."a"[0]', id="an arrow and an index"),
        pytest.param("((data.a).b)['c']", '$."a"."b"."c"', id="parentheses"),
        pytest.param("data.select.order", '$."select"."order"', id="keywords"),
        pytest.param("data['a\"b']", '$."a\\"b"', id="a quote"),
        pytest.param("data['it''s']", "$.\"it''s\"", id="an apostrophe"),
        pytest.param("data.ä['日 本']", '$."ä"."日 本"', id="letters of all scripts"),
        pytest.param("data->>'a.b'", '$."a.b"', id="an arrow and a dot"),
        pytest.param("data /* in */ . a", '$."a"', id="comments"),
    ],
)
def test_each_way_to_write_a_path_is_one(path: str, place: str) -> None:
    typed = with_typed_paths(f"SELECT 1 FROM events WHERE {path} > 5")

    assert typed == f"SELECT 1 FROM events WHERE {number(place)} > 5"


@pytest.mark.parametrize(
    ("clause", "kind"),
    [
        ("data.a > 5", "number"),
        ("5 <= data.a", "number"),
        ("data.a BETWEEN 1 AND 2", "number"),
        ("data.a IN (1, 2)", "number"),
        ("-data.a < 0", "number"),
        ("data.a = -1", "number"),
        ("abs(data.a) > 1", "number"),
        ("data.a % 2 = 0", "number"),
        ('data.a > "offset"', "number"),
        ("data.a = 'x'", "text"),
        ("data.a LIKE 'x%'", "text"),
        ("upper(data.a) = 'X'", "text"),
        ("data.a = subject", "text"),
        ("starts_with(data.a, 'x')", "text"),
        ("data.a", "truth"),
        ("NOT data.a", "truth"),
        ("data.a AND type = 'x'", "truth"),
        ("data.a = TRUE", "truth"),
        ("data.a > now() - INTERVAL '1' HOUR", "time"),
        ("time < data.a", "time"),
        ("CAST(data.a AS INT) = 1", "cast_whole"),
        ("CAST(data.a AS VARCHAR) = '1'", "plain"),
        ("data.a // 2 = 1", "whole"),
        ("data.a = 9007199254740993", "whole"),
        ("data.a IS TRUE", "truth"),
        ("list_contains(data.a, 1)", "numbers"),
        ("'x' IN data.a", "list"),
        ("json_array_length(data.a) > 1", "json"),
        ("date_trunc('day', data.a) = time", "time"),
        ("left(type, data.a) = 'x'", "whole"),
        ("data.a.upper() = 'X'", "text"),
        ("CASE data.a WHEN 'x' THEN TRUE END", "text"),
        ("CASE WHEN data.a THEN TRUE END", "truth"),
        ("coalesce(data.a, 0) > 1", "number"),
        ("(data.a) > 5", "number"),
        ("data.a IS NULL", "value"),
        ("data.a = data.b", "value"),
    ],
)
def test_what_is_done_with_a_path_tells_what_it_is(clause: str, kind: str) -> None:
    typed = with_typed_paths(f"SELECT 1 FROM events WHERE {clause}")

    assert f"oncue_{kind}(data, '$.\"a\"')" in typed


@pytest.mark.parametrize(
    ("params", "kind"),
    [([1], "number"), (["x"], "text"), ([True], "truth"), ([None], "value"), ([], "value")],
)
def test_a_bound_value_tells_too(params: list[Json], kind: str) -> None:
    for mark in ("?", "$1"):
        typed = with_typed_paths(f"SELECT 1 FROM events WHERE data.a = {mark}", params)

        assert typed == f"SELECT 1 FROM events WHERE oncue_{kind}(data, '$.\"a\"') = $1"


def test_aggregates_take_numbers_and_columns_have_the_name_of_their_path() -> None:
    sql = "SELECT data.a, sum(data.b), max(data.c) AS most FROM events GROUP BY data.a"

    assert with_typed_paths(sql) == (
        f"SELECT {COLUMN}, sum(oncue_number(data, '$.\"b\"')), "
        "max(oncue_value(data, '$.\"c\"')) AS most FROM events GROUP BY oncue_value(data, '$.\"a\"')"
    )


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT * FROM events WHERE type = 'x'", id="no path"),
        pytest.param("SELECT data FROM events", id="the whole document"),
        pytest.param(
            "WITH data AS (SELECT 1 AS a) SELECT data.a FROM data", id="a table of that name"
        ),
        pytest.param("SELECT 'data.a', $$data.a$$ -- data.a", id="no words"),
        pytest.param("SELECT data->>'$.a[*]', data.a[1:2], x.y.data.a FROM t", id="no one place"),
        pytest.param("SELEC data.a FROM", id="no SQL"),
        pytest.param("SELECT data.a FROM " + "(" * 5_000, id="far too deep"),
    ],
)
def test_what_is_no_path_stays_as_it_is(sql: str) -> None:
    assert with_typed_paths(sql) == sql


def test_a_path_may_name_its_table() -> None:
    typed = with_typed_paths("SELECT 1 FROM events AS e WHERE e.data.a > 5")

    assert "oncue_number(e.data, '$.\"a\"') > 5" in typed


@pytest.mark.parametrize(
    "words",
    [
        "reduce([1, 2, 3], lambda x, y: x + y, 10)",
        "[x ** 2 FOR x IN [1, 2] IF x > 1]",
        "{'a': 1, \"b\": e'\\t', c: $q$it's$q$}",
        "1_000 // 7, 0x1F, .5, INTERVAL '3 days', DATE '2026-11-23'",
        "* EXCLUDE (data) REPLACE (upper(type) AS type)",
        "COLUMNS(lambda c: c LIKE 't%')",
        "count(*) FILTER (type = 'x'), Sum ( \"offset\" )",
    ],
)
def test_all_other_words_stay_as_they_were_written(words: str) -> None:
    sql = "SELECT {}, ({}) FROM events  USING SAMPLE 10% -- {}"
    path, other = "upper(data.a)", "upper(oncue_text(data, '$.\"a\"'))"

    assert with_typed_paths(sql.format(words, path, "data.a")) == sql.format(words, other, "data.a")


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ('sum(oncue_number("data", \'$."a"\'))', "sum(data.a)"),
        ('max(oncue_value(e."data", \'$."a"[#-1]."b c"\'))', "max(e.data.a[-1]['b c'])"),
        ("(oncue_number(v) * 2)", "(v * 2)"),
        ("upper(oncue_text(\"data\", '$.\"it''s\"'))", "upper(data['it''s'])"),
        ("plain", "plain"),
    ],
)
def test_a_column_is_called_as_its_path_is_written(given: str, written: str) -> None:
    assert written_name(given) == written

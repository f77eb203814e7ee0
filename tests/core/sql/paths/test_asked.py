"""
Paths asked of DuckDB: what is done with them gives what it gives of columns of their type.

Each statement is asked twice: of documents, with paths, and of a table that has columns.
"""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from oncue.core.json_text import Json
from oncue.core.sql.paths.kinds import MACROS
from oncue.core.sql.paths.typed import with_typed_paths
from oncue.core.sql.windows.rewriting import with_windows

PATHS = {
    "v": "data.v",
    "n": "data['n']",
    "s": "data->>'$.s'",
    "b": "data.b",
    "k": "data.k",
    "d": "data.d",
    "x": "data.o.x",
    "l": "data.list[0]",
}
TYPES = "v DOUBLE, n BIGINT, s VARCHAR, b BOOLEAN, k VARCHAR, d TIMESTAMPTZ, x DOUBLE, l DOUBLE"
MIXED: list[Json] = [9.99, 10, 100, 9.5, 0.4, -3, -2.5, None]


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        shared = 'id VARCHAR, "offset" BIGINT, time TIMESTAMPTZ'
        database.execute(f"CREATE TABLE documents({shared}, data JSON)")
        database.execute(f"CREATE TABLE typed({shared}, {TYPES})")
        for kind, forms in MACROS.items():
            database.execute(f"CREATE MACRO {kind.value}{', '.join(forms)}")
        for place in range(60):
            _insert(database, place)
        yield database


def _insert(database: duckdb.DuckDBPyConnection, place: int) -> None:
    chosen = random.Random(place)
    v, n = chosen.choice([*MIXED, place, place / 4]), chosen.randrange(50)
    s, b = chosen.choice(["a", "b", "Abc", "9", None]), chosen.choice([True, False, None])
    k, x, first = chosen.choice("pqr"), chosen.choice([1, 2.5, 7]), chosen.choice([3, 4.5])
    d = f"2026-11-{chosen.randrange(10, 28)}T1{chosen.randrange(10)}:00:00Z"
    whole = {"v": v, "n": n, "s": s, "b": b, "k": k, "d": d, "o": {"x": x}, "list": [first, 1]}
    data = {name: value for name, value in whole.items() if value is not None or place % 2}
    key = [f"e{place:02}", place, f"2026-11-{1 + place // 4:02}T06:32:00Z"]
    database.execute("INSERT INTO documents VALUES (?, ?, ?, ?)", [*key, json.dumps(data)])
    database.execute(
        "INSERT INTO typed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [*key, v, n, s, b, k, d, x, first],
    )


def _rows(database: duckdb.DuckDBPyConnection, sql: str, params: list[Json]) -> list[Any]:
    found = database.execute(sql, params or None).fetchall()
    rows = [[_alike(value) for value in row] for row in found]
    return rows if sql.endswith("ORDER BY ALL") else sorted(rows, key=repr)


def _alike(value: Any) -> Any:
    if isinstance(value, list):
        return [_alike(each) for each in value]
    return round(float(value), 6) if isinstance(value, int | float) else value


def check(database: duckdb.DuckDBPyConnection, statement: str, *params: Json) -> None:
    with_paths = re.sub(r"<(\w+)>", lambda name: PATHS[name[1]], statement)
    with_columns = re.sub(r"<(\w+)>", r"\1", statement)
    typed = with_typed_paths(with_windows(with_paths.replace("EVENTS", "documents")), params)

    found = _rows(database, typed, [*params])

    expected = with_windows(with_columns.replace("EVENTS", "typed"))
    assert found == _rows(database, expected, [*params]), typed


@pytest.mark.parametrize(
    "expression",
    """
    <v> * 2
    -<v> + 1 - 0.5
    <n> // 7
    <n> % 7 + (<n> & 3)
    <v> ** 2
    round(<v>, 1)
    <v> > 9.6
    <v> BETWEEN 9 AND 10
    <v> NOT IN (10, 9.99)
    <v> IS NULL
    <v> IS DISTINCT FROM 10
    <v> > <n>
    <n> = 10
    <s> = 'a'
    <s> ILIKE 'A%'
    <s> ~ '^a'
    <s>.upper()
    length(<s>)
    <s> || '-' || <n>
    concat(<s>, <n>)
    left(<s>, <n>)
    <s> = <k>
    NOT <b> AND <v> > 3
    <b> IS NOT TRUE
    CASE WHEN <b> THEN <v> ELSE 0 END * 2
    CASE WHEN <b> THEN <v> END
    CASE <s> WHEN 'a' THEN 1 WHEN 'b' THEN 2 ELSE 3 END
    if(<v> > 3, <s>, 'none')
    coalesce(<v>, <n>) * 2
    nullif(<v>, 10)
    greatest(<v>, <n>, 5)
    <d> > '2026-11-15'
    <d> > TIMESTAMPTZ '2026-11-15'
    <d>::DATE
    date_trunc('day', <d>)
    extract(day FROM <d>)
    <d> + INTERVAL 1 DAY
    strftime(<d>, '%Y')
    <v>::INT
    <v>::DECIMAL(10, 2)
    <n>::VARCHAR
    <x> * <l>
    sqrt(abs(<v>)) + ln(<n> + 1)
    <v> IN (SELECT max(<v>) FROM EVENTS)
    <v> > (SELECT avg(<v>) FROM EVENTS)
    <v> = ANY (SELECT <l> FROM EVENTS)
    <s> = ANY (['a', 'b'])
    [<v>, <n>]
    <v> - lag(<v>) OVER (ORDER BY "offset")
    sum(<v>) OVER (PARTITION BY <k> ORDER BY "offset" ROWS 2 PRECEDING)
    row_number() OVER (PARTITION BY <k> ORDER BY <v> DESC, id)
    <v> > avg(<v>) OVER (PARTITION BY <k>)
    last_value(<v> IGNORE NULLS) OVER (ORDER BY "offset")
    """.strip().splitlines(),
)
def test_expressions(database: duckdb.DuckDBPyConnection, expression: str) -> None:
    check(database, f"SELECT {expression} AS value FROM EVENTS")
    # The same of names that an inner query gives to the paths.
    named = ", ".join(f"<{name}> AS {name}" for name in PATHS)
    inner = f'(SELECT id, "offset", {named} FROM EVENTS)'
    if "EVENTS" not in expression:
        unquoted = re.sub(r"<(\w+)>", r"\1", expression)
        check(database, f"SELECT {unquoted} AS value FROM {inner}")


@pytest.mark.parametrize(
    "aggregate",
    """
    sum(<v>)
    avg(DISTINCT <v>)
    min(<v>)
    max(<v>) - min(<v>)
    max(<s>)
    count(DISTINCT <v>)
    max(<v>) FILTER (WHERE <v> < 50 AND <b>)
    quantile_cont(<v>, [0.25, 0.5])
    percentile_cont(0.5) WITHIN GROUP (ORDER BY <v>)
    stddev(<v>) + corr(<v>, <n>)
    median(<v>)
    list(<v> ORDER BY <n>, id)
    string_agg(DISTINCT <k>, ',' ORDER BY <k>)
    bool_and(<b>)
    count_if(<v> > 3)
    arg_max(id, <v>)
    arg_max(<v>, "offset")
    sum(CASE <k> WHEN 'p' THEN <v> END)
    sum(coalesce(<v>, 0)) / count(*)
    sum(<v>::INT)
    coalesce(max(<v>), 0) * 2
    """.strip().splitlines(),
)
def test_aggregates(database: duckdb.DuckDBPyConnection, aggregate: str) -> None:
    check(database, f"SELECT {aggregate} AS value FROM EVENTS")
    check(database, f"SELECT <k> AS k, {aggregate} AS value FROM EVENTS GROUP BY <k> ORDER BY ALL")
    check(database, f"SELECT sum(n) FROM (SELECT max(<n>) AS n, {aggregate} AS x FROM EVENTS)")


@pytest.mark.parametrize(
    "statement",
    """
    SELECT <v> AS v FROM EVENTS ORDER BY ALL
    SELECT <k> AS k, count(*) FROM EVENTS GROUP BY <k> HAVING <k> <> 'p' AND max(<v>) > 9.99
    SELECT <v> AS a, count(*) FROM EVENTS GROUP BY a HAVING a > 9.6 ORDER BY ALL
    SELECT <v> AS a, count(*) FROM EVENTS GROUP BY 1 HAVING <v> > 9.6 ORDER BY ALL
    SELECT upper(<k>) AS a, count(*) FROM EVENTS GROUP BY <k> ORDER BY ALL
    SELECT <v> / 10 AS a, count(*) FROM EVENTS GROUP BY <v> / 10 HAVING <v> / 10 > 0.2 ORDER BY ALL
    SELECT DISTINCT ON (<k>) <k> AS k, id FROM EVENTS ORDER BY <k>, <v> DESC NULLS LAST, id
    SELECT <v> AS a, a * 2 AS b FROM EVENTS WHERE a > 9.6
    SELECT sum(a), round(max(a), 1), count(*) FILTER (a > 5) FROM (SELECT <v> AS a FROM EVENTS)
    SELECT sum(t.b) FROM (SELECT <v> FROM EVENTS) AS t(b) WHERE t.b > 3.2
    WITH t AS (SELECT <k> AS k, <v> AS a FROM EVENTS) SELECT k, avg(a) FROM t GROUP BY k ORDER BY ALL
    WITH t(a) AS (SELECT <v> FROM EVENTS), u AS (SELECT *, a + 1 AS b FROM t) SELECT sum(b) FROM u
    WITH t AS (SELECT <v> AS a FROM EVENTS), m AS (SELECT avg(a) AS m FROM t) SELECT a FROM t, m WHERE a > m
    WITH t AS (SELECT <v> AS a FROM EVENTS) SELECT count(*) FROM t AS p JOIN t AS q ON p.a < q.a
    WITH t AS (SELECT <v> AS a FROM EVENTS) SELECT count(*) FROM t AS p JOIN t AS q USING (a)
    SELECT sum(a) FROM (SELECT <v> AS a FROM EVENTS UNION ALL SELECT <n> FROM EVENTS)
    SELECT avg(m) FROM (SELECT max(<v>) AS m FROM EVENTS GROUP BY <k>) WHERE m > 20
    SELECT sum(a) FROM (SELECT lag(<v>) OVER (ORDER BY "offset") AS a FROM EVENTS)
    SELECT id FROM EVENTS QUALIFY <v> = max(<v>) OVER (PARTITION BY <k>)
    PIVOT (SELECT <k> AS k, <v> AS a FROM EVENTS) ON k USING sum(a)
    SELECT sum(r.a) FROM (SELECT {'a': <v>} AS r FROM EVENTS)
    SELECT sum(a) FROM (SELECT COLUMNS(lambda c: c <> 'b') FROM (SELECT <v> AS a, <n> AS b FROM EVENTS))
    SELECT k, sum(a) FROM (SELECT <k> AS k, <v> AS a, time FROM EVENTS) GROUP BY k, TUMBLE(time, INTERVAL '1' DAY)
    SELECT sum(a) FROM EVENTS, LATERAL (SELECT <v> AS a)
    SELECT count(*) AS id FROM EVENTS WHERE id > 'e1' AND <n> >= 0
    FROM EVENTS SELECT sum(<v>) WHERE <b>
    SELECT id FROM EVENTS WHERE <k> IN (SELECT <s> FROM EVENTS) OR <v> IN (SELECT <n> FROM EVENTS)
    """.strip().splitlines(),
)
def test_statements(database: duckdb.DuckDBPyConnection, statement: str) -> None:
    check(database, statement.strip())


def test_bound_values(database: duckdb.DuckDBPyConnection) -> None:
    check(database, "SELECT id FROM EVENTS WHERE <s> = ? AND <v> > ? LIMIT ?", "a", 3.3, 100)


def _of(database: duckdb.DuckDBPyConnection, sql: str, *values: str) -> Any:
    documents = ", ".join(f"('{{\"v\":{value}}}'::JSON)" for value in values)
    typed = with_typed_paths(f"WITH events(data) AS (VALUES {documents}) {sql}")
    return database.execute(typed).fetchall()


def test_numbers_are_compared_as_numbers_however_they_are_written(
    database: duckdb.DuckDBPyConnection,
) -> None:
    numbers = ["10", "9.5", "100", "1.0", "1", "1e2"]

    assert _of(database, "SELECT min(data.v), max(data.v) FROM events", *numbers) == [(1, 100)]
    assert _of(database, "SELECT DISTINCT data.v FROM events ORDER BY data.v DESC", *numbers) == [
        *((100,), (10,), (9.5,), (1,))
    ]


def test_large_whole_numbers_are_told_apart(database: duckdb.DuckDBPyConnection) -> None:
    ids = ["9007199254740992", "9007199254740993", "18446744073709551615"]

    assert _of(database, "SELECT data.v FROM events GROUP BY data.v ORDER BY 1", *ids) == [
        (int(each),) for each in ids
    ]
    found = _of(database, "SELECT count(*) FROM events WHERE data.v = 9007199254740993", *ids)
    assert found == [(1,)]


def test_what_cannot_be_cast_is_null(database: duckdb.DuckDBPyConnection) -> None:
    values = ['"x"', '"12"', "2.5", "[1]", '"2026-11-23T06:32:00Z"', "true"]
    casts = (
        "data.v::INT, data.v::DECIMAL(4, 1), data.v::DATE::VARCHAR, data.v::BOOL, data.v::VARCHAR"
    )

    assert _of(database, f"SELECT {casts} FROM events", *values) == [
        (None, None, None, None, "x"),
        (12, 12, None, None, "12"),
        (2, 2.5, None, None, "2.5"),
        (None, None, None, None, "[1]"),
        (None, None, "2026-11-23", None, "2026-11-23T06:32:00Z"),
        (None, None, None, True, "true"),
    ]


def test_lists_are_lists(database: duckdb.DuckDBPyConnection) -> None:
    lists = ['["a", "b"]', '"text"', "[10, 9.5, 1]", '[{"n": 2.5}, {"n": 0.5}]', "null"]
    asked = (
        "len(data.v), 'a' IN data.v, list_contains(data.v, 1), list_sum(data.v), list_max(data.v)"
    )

    assert _of(database, f"SELECT {asked} FROM events", *lists) == [
        (2, True, False, None, "b"),
        (4, None, None, None, None),
        (3, False, True, 20.5, 10),
        (2, False, False, None, {"n": 2.5}),
        (None, None, None, None, None),
    ]
    sums = "SELECT sum(i.n) FROM events, unnest(data.v) AS t(i)"
    assert _of(database, sums, lists[3]) == [(3,)]

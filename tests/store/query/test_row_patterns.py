"""MATCH_RECOGNIZE in a question: what it may read, what stands around it, what it gives."""

import pytest

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.json_text import Json
from tests.make import make_event
from tests.querying import Asked

PRICES: list[tuple[str, Json]] = [
    ("a", 3), ("b", 5), ("a", 2), ("b", 4.5), ("a", 1), ("a", None), ("b", "low"), ("b", 1), ("a", 2),
]  # fmt: skip
FALL = """MATCH_RECOGNIZE (
  PARTITION BY data.user ORDER BY time
  MEASURES A.data.v AS top, LAST(B.data.v) AS bottom, COUNT(*) AS n, A.time AS began
  PATTERN (A B+) DEFINE B AS B.data.v < PREV(B.data.v))"""


def prices() -> list[Event]:
    return [
        make_event(
            offset=n,
            id=f"e-{n}",
            type="price",
            subject=f"s-{user}",
            time_ms=n * 1_000,
            data={"user": user, "v": value, "at": {"place": [n, user]}},
        )
        for n, (user, value) in enumerate(PRICES, 1)
    ]


def rows(sql: str, params: list[Json] | dict[str, Json] | None = None) -> list[list[Json]]:
    return Asked(prices()).ask(sql, params).rows


def refused(sql: str, params: list[Json] | dict[str, Json] | None = None) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        Asked(prices()).ask(sql, params)
    return [problem.message for problem in caught.value.problems]


def test_matches_are_rows_with_types() -> None:
    found = Asked(prices()).ask(f"SELECT * FROM events {FALL} ORDER BY began")

    assert found.types == {
        "user": "VARCHAR",
        "top": "BIGINT",
        "bottom": "DOUBLE",
        "n": "BIGINT",
        "began": "TIMESTAMP WITH TIME ZONE",
    }
    assert found.rows == [
        ["a", 3, 1, 3, "1970-01-01T00:00:01.000Z"],
        ["b", 5, 4.5, 2, "1970-01-01T00:00:02.000Z"],
    ]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        pytest.param(
            f"SELECT n, count(*), sum(top) FROM events {FALL} AS m GROUP BY n ORDER BY n",
            [[2, 1, 5], [3, 1, 3]],
            id="grouped",
        ),
        pytest.param(
            f"SELECT m.user, e.id FROM events {FALL} AS m JOIN events AS e"
            " ON e.data.user = m.user AND e.time = m.began ORDER BY m.user LIMIT 1",
            [["a", "e-1"]],
            id="joined",
        ),
        pytest.param(
            f"WITH w AS (SELECT 'a' AS k), f AS (SELECT user, n FROM events {FALL})"
            " SELECT n FROM f, w WHERE user = k",
            [[3]],
            id="in a table of WITH",
        ),
        pytest.param(
            "WITH w AS (SELECT time, data.user AS u FROM events),"
            " x (k, v) AS (SELECT * FROM w WHERE u = 'a')"
            " SELECT * FROM (SELECT * FROM (SELECT * FROM x) MATCH_RECOGNIZE ("
            "ORDER BY k MEASURES COUNT(*) AS n PATTERN (A+)))",
            [[5]],
            id="over tables of WITH",
        ),
        pytest.param(
            f"SELECT * FROM (SELECT * FROM events {FALL} AS inner_one) MATCH_RECOGNIZE ("
            "ORDER BY began MEASURES SUM(n) AS n, LAST(user) AS user PATTERN (A+))",
            [[5, "b"]],
            id="over another",
        ),
        pytest.param(
            f"SELECT x.n + y.n FROM events {FALL} x, events {FALL} AS y"
            " WHERE x.user = 'a' AND y.user = 'b'",
            [[5]],
            id="two",
        ),
        pytest.param(
            "SELECT * FROM (SELECT data.user AS u, count(*) AS n FROM events GROUP BY 1)"
            " MATCH_RECOGNIZE (ORDER BY n DESC, u MEASURES FIRST(u) AS u, SUM(n) AS n PATTERN (A+))",
            [["a", 9]],
            id="over groups",
        ),
        pytest.param(
            "SELECT * FROM (VALUES (2, 'y'), (1, 'x')) t(k, name)"
            " MATCH_RECOGNIZE (ORDER BY k MEASURES FIRST(name) AS f, NEXT(A.name) AS g PATTERN (^ A))",
            [["x", "y"]],
            id="over values",
        ),
        pytest.param(
            "SELECT count(*), max(k) FROM range(5) AS r(k) MATCH_RECOGNIZE ("
            "ORDER BY k ALL ROWS PER MATCH PATTERN (A B? $))",
            [[2, 4]],
            id="over a function of tables",
        ),
        pytest.param(
            "FROM events MATCH_RECOGNIZE (ORDER BY time MEASURES A.id AS i PATTERN (^ A)) SELECT i",
            [["e-1"]],
            id="FROM first",
        ),
        pytest.param(
            "SELECT 'MATCH_RECOGNIZE (' AS t /* MATCH_RECOGNIZE ( */ -- MATCH_RECOGNIZE (",
            [["MATCH_RECOGNIZE ("]],
            id="none",
        ),
    ],
)
def test_around_it_and_before_it_stands_any_query(sql: str, expected: list[Json]) -> None:
    assert rows(sql) == expected


def test_order_may_be_any_and_equal_rows_stay_as_they_came() -> None:
    seen = "MEASURES id AS id ALL ROWS PER MATCH PATTERN (A+)"

    def order(by: str) -> list[Json]:
        statement = f"SELECT id FROM events MATCH_RECOGNIZE ({by} {seen})"
        return [row[0] for row in rows(statement)]

    ids = [f"e-{n}" for n in range(1, 10)]
    assert order("") == ids
    assert order("ORDER BY time DESC") == ids[::-1]
    assert order("ORDER BY type") == ids
    # Numbers before texts before NULL, as in a stream; and the other way round.
    by_value = ["e-5", "e-8", "e-3", "e-9", "e-1", "e-4", "e-2", "e-7", "e-6"]
    assert order("ORDER BY data.v") == by_value
    assert order("ORDER BY data.v DESC, time DESC") == by_value[::-1]


def test_within_is_measured_by_the_first_column_of_the_order() -> None:
    sql = (
        "SELECT n FROM events MATCH_RECOGNIZE (ORDER BY time {} MEASURES COUNT(*) AS n"
        " PATTERN (A+) WITHIN INTERVAL '3' SECOND)"
    )

    assert rows(sql.format("")) == rows(sql.format("DESC")) == [[3], [3], [3]]
    assert refused(sql.format("").replace("time", "id")) == [
        "line 1, column 22: expected ORDER BY a column of instants beside WITHIN, such as time"
    ]


def test_values_are_whatever_they_are() -> None:
    found = Asked(prices()).ask(
        "SELECT v, data, place, absent, data.at.place[0] AS first, seen.place[1] AS second"
        " FROM events MATCH_RECOGNIZE (ORDER BY time MEASURES A.data.v AS v, A.data.at AS seen,"
        " A.data.at.place AS place, A.data.none AS absent ALL ROWS PER MATCH PATTERN (A))"
    )

    assert found.types["data"] == "JSON"
    assert [row[0] for row in found.rows] == [value for _, value in PRICES]
    assert found.rows[2] == [
        2, {"user": "a", "v": 2, "at": {"place": [3, "a"]}}, [3, "a"], None, 3, 3,
    ]  # fmt: skip


def test_whole_numbers_stay_whole() -> None:
    sql = (
        "SELECT x + 1 AS y FROM (SELECT time, data.v AS v FROM events WHERE data.v = 3)"
        " MATCH_RECOGNIZE (ORDER BY time MEASURES A.v AS x PATTERN (A))"
    )

    assert Asked(prices()).ask(sql).types == {"y": "BIGINT"}


def test_a_column_without_values_can_be_asked_all_the_same() -> None:
    sql = (
        "SELECT sum(x), max(upper(y)), count(*) FILTER (z = 'b'), min(x + 1) FROM events"
        " MATCH_RECOGNIZE (ORDER BY time MEASURES A.data.none AS x, A.data.v AS y,"
        " A.data.v AS z PATTERN (A) DEFINE A AS {})"
    )

    assert rows(sql.format("false")) == [[None, None, 0, None]]
    assert rows(sql.format("A.id = 'e-6'")) == [[None, None, 0, None]]


def test_all_rows_and_empty_matches() -> None:
    sql = (
        "SELECT id, n, c FROM events MATCH_RECOGNIZE (PARTITION BY data.user ORDER BY time"
        " MEASURES MATCH_NUMBER() AS n, CLASSIFIER() AS c ALL ROWS PER MATCH {} PATTERN ({})"
        " DEFINE B AS B.data.v > 4) WHERE data.user = 'b' ORDER BY time"
    )

    assert rows(sql.format("", "B*")) == [
        ["e-2", 1, "B"], ["e-4", 1, "B"], ["e-7", 2, None], ["e-8", 3, None],
    ]  # fmt: skip
    assert len(rows(sql.format("OMIT EMPTY MATCHES", "B*"))) == 2
    assert rows(sql.format("WITH UNMATCHED ROWS", "B+"))[2:] == [
        ["e-7", None, None],
        ["e-8", None, None],
    ]


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        pytest.param(
            "SELECT id, ? FROM (SELECT * FROM events WHERE subject = ?) MATCH_RECOGNIZE ("
            "ORDER BY time MEASURES A.id AS id, ? AS given PATTERN (A? B)"
            " DEFINE A AS false, B AS B.data.v > ?) AS m WHERE given = ? LIMIT 1",
            [7, "s-b", "it's", 4, "it's"],
            id="in turn",
        ),
        pytest.param(
            "SELECT id, $2 FROM (SELECT * FROM events WHERE subject = $1) MATCH_RECOGNIZE ("
            "ORDER BY time MEASURES B.id AS id, $3 AS given PATTERN (A? B $?)"
            " DEFINE A AS false, B AS B.data.v > $4) AS m WHERE given = $3 LIMIT 1",
            ["s-b", 7, "it's", 4],
            id="by number",
        ),
        pytest.param(
            "SELECT id, $n FROM (SELECT * FROM events WHERE subject = $who) MATCH_RECOGNIZE ("
            "ORDER BY time MEASURES B.id AS id, $given AS given PATTERN (A? B $?)"
            " DEFINE A AS false, B AS B.data.v > $v) AS m WHERE given = $given LIMIT 1",
            {"who": "s-b", "n": 7, "given": "it's", "v": 4},
            id="by name",
        ),
    ],
)
def test_values_are_bound_everywhere(sql: str, params: list[Json] | dict[str, Json]) -> None:
    assert rows(sql.replace("A.id AS id", "B.id AS id"), params) == [["e-2", 7]]


@pytest.mark.parametrize(
    ("sql", "params", "expected"),
    [
        pytest.param(
            "SELECT * FROM events\nMATCH_RECOGNIZE (ORDER BY tim MEASURES 1 AS x PATTERN (A))",
            None,
            ["line 2, column 27: expected a column of events", "did you mean 'time'?"],
            id="a column",
        ),
        pytest.param(
            "SELECT *\nFROM (SELECT tpye\n  FROM events)\nMATCH_RECOGNIZE (PATTERN (A))",
            None,
            ['"type"', "LINE 2:"],
            id="a column of the source",
        ),
        pytest.param(
            f"SELECT boton\nFROM events {FALL}\nWHERE true",
            None,
            ['column "boton" not found', '"user"', "LINE 1:"],
            id="a column of the result",
        ),
        pytest.param(
            f"SELECT n\nFROM events {FALL}\nWHERE nn > 1", None, ["LINE 6:"], id="a line behind it"
        ),
        pytest.param(
            "SELECT * FROM events WHERE id = '1' MATCH_RECOGNIZE (PATTERN (A))",
            None,
            ["line 1, column 22: expected one table or one query", "'WHERE'"],
            id="no table",
        ),
        pytest.param(
            "SELECT * MATCH_RECOGNIZE (PATTERN (A))",
            None,
            ["line 1, column 10: expected FROM before MATCH_RECOGNIZE"],
            id="nothing to read",
        ),
        pytest.param(
            "SELECT * FROM events MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS A.data.v > ?)",
            None,
            ["line 1, column 63: expected a value for $1 in `params`, got none"],
            id="no value",
        ),
        pytest.param(
            "SELECT count(*) FROM events MATCH_RECOGNIZE (ORDER BY time PATTERN (A))",
            None,
            ["line 1, column 29: expected MEASURES, or PARTITION BY"],
            id="no column",
        ),
        pytest.param(
            f"SELECT * FROM events {FALL}", [1], ["Expected 0, got 1"], id="a value too many"
        ),
        pytest.param(
            "SELECT * FROM events MATCH_RECOGNIZE (PARTITION BY id AFTER MATCH SKIP TO FIRST B"
            " PATTERN (A B?))",
            None,
            ["line 1, column 55: expected each match to have a row of B behind its first one"],
            id="nowhere to go on",
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_place(
    sql: str, params: list[Json] | None, expected: list[str]
) -> None:
    (message,) = refused(sql, params)

    assert [each for each in expected if each not in message] == [], message


def test_all_problems_of_a_clause_are_told() -> None:
    found = refused(
        "SELECT * FROM events MATCH_RECOGNIZE (ORDER BY time MEASURES A.dta.v AS x, frist(A.id) AS y"
        " PATTERN (A) DEFINE B AS true)"
    )

    assert len(found) == 3


def test_what_takes_too_many_threads_is_refused_and_not_told_in_part() -> None:
    events = [make_event(offset=n, id=str(n), time_ms=n, data={"v": n}) for n in range(40)]
    sql = (
        "SELECT * FROM events MATCH_RECOGNIZE (ORDER BY time MEASURES COUNT(*) AS n"
        " PATTERN ((A | B)+ C) DEFINE C AS SUM(A.data.v) = -1)"
    )

    with pytest.raises(InvalidInput, match="line 1, column 22: over threads: expected a match"):
        Asked(events).ask(sql)


@pytest.mark.parametrize("pattern", ["(A+)+ B", "(A | A B)* C"])
def test_patterns_with_many_ways_take_one_look_at_each_row(pattern: str) -> None:
    events = [make_event(offset=n, id=str(n), time_ms=n, data={"v": 1}) for n in range(5_000)]
    sql = (
        "SELECT * FROM events MATCH_RECOGNIZE (ORDER BY time MEASURES COUNT(*) AS n"
        f" PATTERN ({pattern} | B C A) DEFINE A AS A.data.v = 1, B AS B.data.v = 2, C AS C.data.v = 2)"
    )

    assert Asked(events).ask(sql).rows == []

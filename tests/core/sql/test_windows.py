"""Windows as streams have them, rewritten for DuckDB; what they give is in tests/core/pattern/select."""

import pytest

from oncue.core.errors import InvalidInput
from oncue.core.sql.windows.rewriting import with_windows

TUMBLE = "TABLE(TUMBLE(TABLE events, DESCRIPTOR(time), INTERVAL '1' HOUR))"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM events GROUP BY type",
        "SELECT session, hop FROM (SELECT 1 AS session, 2 AS hop)",
        "WITH session(a) AS (SELECT 1) SELECT a FROM session",
        "SELECT * FROM table(range(3))",
        r"SELECT $$ TUMBLE( \ $$",
        "SELEC TUMBLE(",
        "",
    ],
)
def test_what_has_no_windows_stays_as_it_is(sql: str) -> None:
    assert with_windows(sql) == sql


def test_all_around_a_window_stays_where_it_was() -> None:
    sql = f"SELECT ?, -- TUMBLE(\n  'it''s' FROM {TUMBLE}\nWHERE type = ? /* x */ LIMIT 3"
    rewritten = with_windows(sql)

    assert rewritten.startswith("SELECT $1, -- TUMBLE(\n  'it''s' FROM (SELECT *, ")
    assert rewritten.endswith(" FROM events)) AS events\nWHERE type = $2 /* x */ LIMIT 3")


@pytest.mark.parametrize(
    ("sql", "place", "words"),
    [
        pytest.param(
            f"SELECT 1 FROM {TUMBLE.replace('TUMBLE', 'TUMBEL')}",
            21,
            "did you mean 'TUMBLE'?",
            id="another name",
        ),
        pytest.param(
            f"SELECT 1 FROM {TUMBLE.replace('(time', '(tme')}",
            53,
            "expected an instant such as time, got 'tme'; did you mean 'time'?",
            id="another column",
        ),
        pytest.param(
            f"SELECT 1 FROM {TUMBLE.replace('HOUR', 'MONTH')}",
            60,
            "expected an interval such as INTERVAL '5' MINUTE, up to weeks, got INTERVAL 1 MONTH",
            id="no fixed length",
        ),
        pytest.param(
            f"SELECT 1 FROM {TUMBLE.replace('TABLE events', 'events')}",
            28,
            "expected 'TABLE', got 'events'",
            id="no TABLE",
        ),
        pytest.param(
            f"SELECT 1 FROM {TUMBLE.replace(', DESCRIPTOR(time)', '')}",
            42,
            "expected 'DESCRIPTOR', got 'INTERVAL'",
            id="no column",
        ),
        pytest.param(
            f"SELECT 1 FROM {TUMBLE.replace('TUMBLE', 'HOP')}",
            15,
            "expected the slide, the size, and perhaps an offset of HOP, got 1 intervals",
            id="too few intervals",
        ),
        pytest.param(f"SELECT 1 FROM {TUMBLE[:-2]}", 77, "expected ')', got the end", id="cut off"),
        pytest.param(
            "SELECT 1 FROM events GROUP BY TUMBLE(time)",
            31,
            "expected the size, and perhaps an offset of TUMBLE, got 0 intervals",
            id="no interval",
        ),
        pytest.param(
            "SELECT 1 FROM events e JOIN events f USING (id) GROUP BY HOP(time, INTERVAL '1' HOUR, INTERVAL '2' HOUR)",
            24,
            "expected one table in FROM beside HOP in GROUP BY, got 'JOIN'",
            id="a join",
        ),
        pytest.param(
            f"SELECT 1 FROM {TUMBLE} GROUP BY TUMBLE(time, INTERVAL '1' HOUR)",
            89,
            "expected windows in FROM or in GROUP BY, got both",
            id="twice",
        ),
        pytest.param(
            "SELECT 1 FROM events GROUP BY TUMBLE(time, INTERVAL '1' HOUR), TUMBLE(time, INTERVAL '2' HOUR)",
            64,
            "expected one window in GROUP BY, got 2",
            id="two",
        ),
        pytest.param(
            "SELECT TUMBLE_START(time, INTERVAL '1' HOUR) FROM events",
            8,
            "expected GROUP BY TUMBLE(…) beside TUMBLE_START",
            id="a bound alone",
        ),
        pytest.param(
            "SELECT TUMBLE_END(time, INTERVAL '2' HOUR) FROM events GROUP BY TUMBLE(time, INTERVAL '1' HOUR)",
            8,
            "expected the same windows in GROUP BY beside TUMBLE_END",
            id="a bound of others",
        ),
        pytest.param(
            "SELECT TUMBLE(time, INTERVAL '1' HOUR) FROM events",
            8,
            "expected TUMBLE in GROUP BY, or FROM TABLE(TUMBLE(TABLE …, …))",
            id="elsewhere",
        ),
        pytest.param(
            "SELECT 1 GROUP BY TUMBLE(time, INTERVAL '1' HOUR)",
            19,
            "expected FROM a table beside TUMBLE, got none",
            id="no table",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(sql: str, place: int, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        with_windows(sql)

    (problem,) = refused.value.problems
    assert words in problem.message
    assert problem.message.startswith(f"line 1, column {place}: ")

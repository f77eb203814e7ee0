"""What cannot be streamed is refused when it is saved: where, why, and what to write instead."""

import re
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from tests.core.pattern.rows.driving import row_pattern


def _refused(query: str, **fields: Json) -> list[tuple[str, str]]:
    document: Json = {"name": "rows", "pattern": {"type": "sql", "query": query, **fields}}
    with pytest.raises(InvalidInput) as caught:
        parse_pattern(document)
    return [(problem.path, problem.message) for problem in caught.value.problems]


def _clause(text: str) -> str:
    return f"SELECT * FROM events MATCH_RECOGNIZE (ORDER BY time {text})"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        pytest.param(
            row_pattern(f"{'(' * 5_000}A{')' * 5_000}"),
            "expected a pattern that is less deep",
            id="depth",
        ),
        (
            row_pattern("A").replace("FROM events", "FROM events WHERE type = 'x'"),
            "line 1, column 22: expected WHERE inside of the query",
        ),
        (row_pattern("A").replace("ORDER BY time", ""), "expected ORDER BY time, got none"),
        (row_pattern("A").replace("time", "data.n"), "expected ORDER BY time, got 'data.n'"),
        (
            row_pattern("A").replace("FROM events", "FROM (SELECT type FROM events)"),
            "got 'time', and FROM (SELECT …) that gives no time",
        ),
        (row_pattern("A").replace("time", "time DESC"), "ascending, got DESC"),
        (row_pattern("A B$"), "expected a pattern without '$': a stream has no last row"),
        (row_pattern("^A"), "expected a pattern without '^': a stream has no first row"),
        (row_pattern("A+", "A AS NEXT(A.data.v) > 1"), "expected WITHIN beside NEXT in DEFINE"),
        (row_pattern("A", measures="NEXT(A.data.v) AS n"), "beside NEXT in MEASURES"),
        (row_pattern("A", "A AS FINAL LAST(data.v) > 1"), "expected RUNNING in DEFINE"),
        (row_pattern("A B", "C AS true"), "expected a variable of the pattern (A, B), got C"),
        (row_pattern("A", "A AS A.data.v > 'x' + 1"), "expected a number, got a text"),
        (row_pattern("A", "A AS A.type > 1"), "expected a text, got a number"),
        (row_pattern("A", "A AS data.v"), ""),
        (row_pattern("A", "A AS lowr(data.v) = 'x'"), "got lowr(); did you mean 'lower'?"),
        (row_pattern("A", "A AS PREVV(data.v) = 1"), "got prevv(); did you mean 'prev'?"),
        (row_pattern("A", "A AS subjct = 'x'"), "got 'subjct'; did you mean 'subject'?"),
        (row_pattern("A", "A AS FIRST(A.data.v + B.data.v) > 1"), "expected a column of events"),
        (row_pattern("A B", "A AS FIRST(A.data.v + B.data.v) > 1"), "columns of one variable"),
        (row_pattern("A", "A AS LAST(SUM(data.v)) > 1"), "got SUM inside of another function"),
        (row_pattern("A", "A AS MEDIAN(data.v) > 1"), "expected COUNT, SUM, AVG, MIN or MAX"),
        (row_pattern("A", "A AS LAST(data.v, -1) > 1"), "expected a number of rows from 0"),
        (row_pattern("A{3,2}"), "expected repetitions such as {2,5}"),
        (row_pattern("(A{1000}){1000}"), "expected a smaller pattern"),
        (row_pattern("A", skip="AFTER MATCH SKIP TO B"), "in AFTER MATCH SKIP, got B"),
        (
            row_pattern("A", subset="SUBSET U = (A, B)"),
            "expected a variable of the pattern in SUBSET",
        ),
        (row_pattern("A", within="'1' MONTH"), "expected a time above zero"),
        (row_pattern("A") + " GROUP BY n", "expected one window in GROUP BY"),
        (row_pattern("A") + " ORDER BY n", "got ORDER BY after a stream"),
        (row_pattern("A") + " LIMIT 1", "got LIMIT: a stream has no end"),
        (row_pattern("A") + " JOIN events AS e ON true", "got JOIN: a stream is read alone"),
        (row_pattern("A").replace("FROM events", "FROM orders"), "expected events, or (SELECT"),
        (row_pattern("A").replace("SELECT *", "SELECT m"), "gives (n), got 'm'"),
        (_clause("PATTERN (A"), "expected ')'"),
        (_clause("MEASURES 1 AS n DEFINE A AS true"), "expected PATTERN (…), got 'DEFINE'"),
        (_clause("PATTERN (A) DEFINE A AS (1 +"), "expected"),
        (_clause("PATTERN (A) DEFINE A AS data.v ? 1"), "expected"),
        (row_pattern("{- A -}", rows="ALL ROWS PER MATCH WITH UNMATCHED ROWS"), "no exclusion"),
        ("SELECT 'unended", "line 1, column 8: expected SQL"),
    ],
)
def test_a_statement_is_refused(query: str, told: str) -> None:
    if not told:
        parse_pattern({"name": "rows", "pattern": {"type": "sql", "query": query}})
        return
    problems = _refused(query)

    assert all(path == "pattern.query" for path, _ in problems)
    assert told in problems[0][1]
    assert problems[0][1].startswith("line 1, column ")


def test_all_that_is_wrong_in_definitions_and_measures_is_told_at_once() -> None:
    query = "SELECT *\nFROM events MATCH_RECOGNIZE (ORDER BY time\nMEASURES lowr(type) AS x\n"
    problems = _refused(query + "PATTERN (A B)\nDEFINE A AS type > 1, B AS B.nothing = 1)")

    assert [message.partition(":")[0] for _, message in problems] == [
        "line 5, column 13",
        "line 5, column 28",
        "line 3, column 15",
    ]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"by": ["event.subject"]}, "pattern.by"),
        ({"keys": ["a"]}, "pattern.keys"),
        ({"emit": "early"}, "pattern.emit"),
        ({"rearm": "every"}, "pattern.rearm"),
        ({"late": {"allowed": "1m"}}, "pattern.late"),
    ],
)
def test_what_a_statement_says_itself_is_refused_beside_it(
    fields: dict[str, Json], path: str
) -> None:
    assert path in [each for each, _ in _refused(row_pattern("A"), **fields)]


def test_a_cooldown_would_keep_back_the_further_rows_of_a_match() -> None:
    query = row_pattern("A", rows="ALL ROWS PER MATCH")

    assert [path for path, _ in _refused(query, cooldown="1m")] == ["pattern.cooldown"]


BEGIN: Final = row_pattern(
    "A (B | C)* {- D -}", "B AS SUM(B.data.v) > PREV(A.data.v) AND type LIKE 'a%'",
    measures="FINAL LAST(B.data.v, 1) AS v, CLASSIFIER() AS c", rows="ALL ROWS PER MATCH",
    skip="AFTER MATCH SKIP TO LAST B", subset="SUBSET U = (A, B)", within="'1' HOUR",
)  # fmt: skip
WORDS: Final = re.findall(r"\w+|'[^']*'|\S", BEGIN)
MORE: Final = [
    *("1e999", "NULL", "CASE", "WHEN", "THEN", "END", "CAST", "AS", "INT", "DATE", "IN", "LIKE"),
    *("IS", "FINAL", "RUNNING", "NEXT", "FIRST", "COUNT", "MIN", "PERMUTE", "[0]", "->>", "'$.x'"),
    *(
        "::",
        "||",
        "?",
        ":p",
        "$1",
        "@",
        "`b`",
        '"q"',
        "--",
        "/*",
        "\\",
        "é",
        "FILTER",
        "OVER",
        "EXISTS",
    ),
]


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(WORDS) - 1), st.sampled_from([*WORDS, *MORE, ""])), max_size=3
    )
)
def test_whatever_is_written_is_a_pattern_or_refused(changes: list[tuple[int, str]]) -> None:
    words = list(WORDS)
    for place, word in changes:
        words[place] = word
    document: Json = {"name": "rows", "pattern": {"type": "sql", "query": " ".join(words)}}

    refused: set[str] = set()
    try:
        parse_pattern(document)
    except InvalidInput as exc:
        refused = {problem.path for problem in exc.problems}

    assert refused <= {"pattern.query"}

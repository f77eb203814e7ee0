"""MATCH_ROWTIME(): the time of the last row of a match, as an instant."""

import pytest

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from tests.core.pattern.rows.driving import compiled, make_rows, row_pattern, run

AT = "1970-01-01T00:00:0{}.000Z"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("ONE ROW PER MATCH", [AT.format(2), AT.format(4)]),
        ("ALL ROWS PER MATCH", [*[AT.format(2)] * 2, *[AT.format(4)] * 2]),
        (
            "ALL ROWS PER MATCH WITH UNMATCHED ROWS",
            [None, *[AT.format(2)] * 2, *[AT.format(4)] * 2, None],
        ),
    ],
)
def test_it_is_the_time_of_the_last_row_in_each_row_of_a_match(
    rows: str, expected: list[Json]
) -> None:
    query = row_pattern("A B", "A AS v < PREV(v)", rows=rows, measures="MATCH_ROWTIME() AS t")
    source = "FROM (SELECT time, data.v AS v FROM events)"
    selected = query.replace("SELECT *", "SELECT t").replace("FROM events", source)

    assert [hit.values["t"] for hit in run(selected, make_rows([9, 8, 9, 8, 9, 9]))] == expected


def test_rows_that_are_not_shown_belong_to_it() -> None:
    query = row_pattern("A {- B -}", rows="ALL ROWS PER MATCH", measures="MATCH_ROWTIME(time) AS t")

    (hit,) = run(query.replace("SELECT *", "SELECT t"), make_rows([1, 1]))

    assert hit.values == {"t": AT.format(1)}


def test_a_match_without_rows_has_none() -> None:
    (hit,) = run(row_pattern("A*", "A AS false", measures="MATCH_ROWTIME() AS t"), make_rows([1]))

    assert hit.values == {"t": None}


def test_it_is_compared_as_an_instant() -> None:
    measures = "MATCH_ROWTIME() AS t, MATCH_ROWTIME() - INTERVAL '1' SECOND AS before"
    query = row_pattern("A", measures=measures) + " WHERE t > '1970-01-01T00:00:00Z'"

    (hit,) = run(query, make_rows([1, 1]))

    assert hit.values == {"t": AT.format(1), "before": AT.format(0)}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (row_pattern("A", "A AS MATCH_ROWTIME() > time"), "in DEFINE a match has no end yet"),
        (row_pattern("A", measures="MATCH_PROCTIME() AS t"), "event time alone decides"),
        (row_pattern("A", measures="MATCH_ROWTIME(data.v) AS t"), "expected the column of ORDER"),
        (row_pattern("A", measures="MATCH_ROWTIME(1) AS t"), "expected the column of ORDER BY"),
        (row_pattern("A", measures="MATCH_ROWTIME() + 1 AS t"), "expected a"),
        (row_pattern("A", measures="MATCH_ROWTME() AS t"), "did you mean 'match_rowtime'?"),
    ],
)
def test_what_it_is_not_is_told(query: str, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        compiled(query)

    assert told in refused.value.problems[0].message

"""Row patterns on a stream: when a match is decided, what it gives, and what it may cost."""

from collections.abc import Callable

import pytest

from oncue.core.json_text import Json
from oncue.core.pattern.operator import Hit
from oncue.core.pattern.rows.attempt import Attempt
from oncue.core.pattern.rows.partition import STEPS_PER_ROW
from oncue.core.pattern.rows.plain import PlainAttempt
from tests.core.pattern.rows.driving import Driver, make_rows, row_pattern, run
from tests.make import make_event

FALL = "B AS B.data.v < PREV(B.data.v), C AS C.data.v > PREV(C.data.v)"


def _bound(hits: list[Hit]) -> list[dict[str, list[int]]]:
    return [{name: list(offsets) for name, offsets in hit.bindings} for hit in hits]


@pytest.mark.parametrize(
    ("pattern", "define", "decided_at"),
    [
        pytest.param("A B", "B AS B.data.v > 1", 1, id="by its last row"),
        pytest.param("A B+", "B AS B.data.v > 1", 3, id="by the row that breaks a greedy tail"),
        pytest.param("A B+?", "B AS B.data.v > 1", 1, id="by the first row of a reluctant tail"),
        pytest.param("A B{,2}", "B AS B.data.v > 1", 2, id="by the last row that a tail may have"),
        pytest.param("A B? C?", "", 2, id="by the last row of an optional tail"),
        pytest.param("A (B | B B C)", "", 1, id="by the preferred of two ways"),
        pytest.param("A (B B C | B)", "", 3, id="by the end of a way that is preferred to it"),
    ],
)
def test_a_match_is_told_once_nothing_preferred_can_come(
    pattern: str, define: str, decided_at: int
) -> None:
    driver = Driver(row_pattern(pattern, define))

    found = [driver.admit(event) for event in make_rows([1, 2, 3, 0])]

    assert [place for place, hits in enumerate(found) if hits][:1] == [decided_at]


def test_within_is_exclusive_and_ends_a_tail_without_a_further_row() -> None:
    driver = Driver(row_pattern("A B+", within="'2' SECOND"))
    open_ = [hit for event in make_rows([1, 1]) for hit in driver.admit(event)]

    assert (open_, driver.advance(1_999)) == ([], [])
    assert _bound(driver.advance(2_000)) == [{"A": [0], "B": [1]}]
    assert _bound(run(row_pattern("A B", within="'1' SECOND"), make_rows([1, 1, 1]))) == []


def test_without_within_a_match_has_a_day() -> None:
    driver = Driver(row_pattern("A B+"))
    for event in make_rows([1, 1]):
        driver.admit(event)

    assert driver.advance(86_399_999) == []
    assert driver.operator.deadline() == 86_400_000
    assert _bound(driver.advance(86_400_000)) == [{"A": [0], "B": [1]}]


def test_each_key_is_searched_by_itself() -> None:
    events = [
        make_event(offset=n, type="row", time_ms=n, subject=subject, data={"v": n})
        for n, subject in enumerate("xyxy")
    ]

    found = run(row_pattern("A B", partition="PARTITION BY subject"), events)

    assert [(hit.key, hit.values["subject"]) for hit in found] == [('["x"]', "x"), ('["y"]', "y")]
    assert _bound(found) == [{"A": [0], "B": [2]}, {"A": [1], "B": [3]}]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("ONE ROW PER MATCH", [[1, "C", 6, 6]]),
        ("ALL ROWS PER MATCH", [[1, "A", 3, 6], [1, "B", 4, 6], [1, "C", 6, 6]]),
        (
            "ALL ROWS PER MATCH WITH UNMATCHED ROWS",
            [[1, "A", 3, 6], [1, "B", 4, 6], [1, "C", 6, 6], [None] * 4],
        ),
    ],
)
def test_rows_are_running_and_final(rows: str, expected: list[list[Json]]) -> None:
    measures = (
        "MATCH_NUMBER() AS n, CLASSIFIER() AS c, SUM(data.v) AS so_far, FINAL SUM(data.v) AS whole"
    )
    query = row_pattern("A B C", FALL, rows=rows, measures=measures)
    selected = query.replace("SELECT *", "SELECT n, c, so_far, whole")

    found = run(selected, make_rows([3, 1, 2, 0]))

    assert [list(hit.values.values()) for hit in found] == expected
    assert [hit.row for hit in found] == [0, 1, 2, 0][: len(found)]


def test_the_source_chooses_and_names_and_the_result_is_filtered() -> None:
    query = (
        "SELECT m.low * 2 AS twice FROM (SELECT time, data.v AS price FROM events"
        " WHERE type = 'row' AND data.v IS NOT NULL) AS t MATCH_RECOGNIZE (ORDER BY t.time"
        " MEASURES LAST(B.price) AS low PATTERN (A B) DEFINE B AS B.price < A.price) AS m"
        " WHERE m.low > 1"
    )

    found = run(query, make_rows([9, None, 4, 3, 1]))

    assert [hit.values for hit in found] == [{"twice": 8}]


def test_time_is_time_behind_the_name_of_its_table() -> None:
    source = "(SELECT e.time, e.data FROM events AS e) AS r"
    query = row_pattern("A B", "B AS B.data.v > A.data.v").replace("FROM events", f"FROM {source}")

    assert len(run(query, make_rows([1, 2]))) == 1


def test_rows_of_one_instant_are_ordered_by_what_follows_time() -> None:
    query = row_pattern("A B C", measures="A.data.v AS a, C.data.v AS c")
    query = query.replace("ORDER BY time", "ORDER BY time, data.v DESC")
    events = make_rows([1, 3, 2], step_ms=0)

    driver = Driver(query)
    before = [hit for event in events for hit in driver.admit(event)]

    assert (before, [hit.values for hit in driver.advance(1)]) == ([], [{"a": 3, "c": 1}])


def test_a_place_to_skip_to_that_is_missing_is_counted() -> None:
    driver = Driver(row_pattern("A B?", "B AS false", skip="AFTER MATCH SKIP TO B"))

    found = [hit for event in make_rows([1, 1]) for hit in driver.admit(event)]

    assert _bound(found + driver.advance()) == [{"A": [0]}, {"A": [1]}]
    assert driver.operator.counts["skip_targets_missed"] == 2


@pytest.mark.parametrize(
    ("pattern", "define"),
    [
        ("(A | B)+ C", "C AS SUM(A.data.v) > 9000"),
        ("(A | B)+ C", "C AS A.data.v + B.data.v > 9000"),
        ("(A | B)+ C", "C AS PREV(CLASSIFIER()) = 'C'"),
    ],
)
def test_what_a_pattern_may_cost_is_bounded(pattern: str, define: str) -> None:
    driver = Driver(row_pattern(pattern, define), limits={"max_partials_per_key": 20})

    for event in make_rows([1] * 1_000, step_ms=1):
        assert driver.admit(event) == []

    assert len(driver.operator.states()["keys"].rows()[0][3][-1]) <= 1_000  # type: ignore[index,arg-type]  # the rows as they are saved
    assert driver.advance() == []
    assert driver.operator.counts["starts_dropped"] > 0


@pytest.mark.parametrize(
    ("pattern", "define"),
    [
        ("A+ B", "B AS B.data.v > 9"),
        ("(A+)+ B", "B AS B.data.v > 9"),
        ("(A | A B)* C", "C AS C.data.v > 9"),
        ("(A* A*)* B C{2,9}", "B AS B.data.v > 9"),
    ],
)
def test_what_looks_at_one_row_alone_is_cheap_however_many_rows_are_open(
    pattern: str, define: str
) -> None:
    driver = Driver(row_pattern(pattern, define))

    found = [hit for event in make_rows([1] * 3_000, step_ms=1) for hit in driver.admit(event)]

    assert found + driver.advance(86_400_000 + 3_000) == []
    assert driver.operator.deadline() is None
    assert driver.operator.counts == {}


@pytest.mark.parametrize(
    ("pattern", "define"),
    [
        ("(A* A*)* B", "B AS B.data.v > 9"),
        ("(A? A?){50} B", "B AS B.data.v > 9"),
        ("(A{1,30}){1,30} B", "B AS B.data.v > 9"),
        ("PERMUTE(A, B, C, D, E) F", "F AS F.data.v > 9"),
        ("(A | B)* C", "A AS SUM(A.data.v) < 9000, B AS SUM(B.data.v) < 9000, C AS C.data.v > 9"),
        ("(A | B)* C", "A AS COUNT(DISTINCT B.data.v) < 9000, C AS C.data.v > 9"),
        ("A+ B+ C", "B AS B.data.v >= AVG(A.data.v), C AS SUM(A.data.v) < COUNT(B.*)"),
    ],
)
def test_no_pattern_takes_more_steps_than_rows_bring(
    monkeypatch: pytest.MonkeyPatch, pattern: str, define: str
) -> None:
    steps: list[int] = []
    for type_ in (Attempt, PlainAttempt):
        monkeypatch.setattr(type_, "take", _counting(type_.take, steps))
    driver = Driver(row_pattern(pattern, define))

    for event in make_rows([1] * 400, step_ms=1):
        driver.admit(event)

    # A search that failed may be gone through once more from its next row.
    assert sum(steps) <= 2 * STEPS_PER_ROW * 400
    assert sum(steps) < STEPS_PER_ROW * 200 or driver.operator.counts["starts_dropped"] > 0


def _counting(take: Callable[..., None], steps: list[int]) -> Callable[..., None]:
    def counted(attempt: Attempt | PlainAttempt, *given: object) -> None:
        steps.append(len(attempt.threads))
        take(attempt, *given)

    return counted


def test_a_match_over_many_rows_is_found_however_many_ways_there_are() -> None:
    values = [1] * 3_000 + [10]

    found = run(row_pattern("(A+)+ B", "B AS B.data.v > 9"), make_rows(values, step_ms=1))

    assert [hit.event_count for hit in found] == [3_001]


def test_no_more_is_remembered_of_a_key_than_its_open_rows() -> None:
    driver = Driver(row_pattern("A B+", "B AS B.data.v > PREV(B.data.v)"))
    for event in make_rows([1, 2] * 500, step_ms=1):
        driver.admit(event)

    ((_, partition),) = driver.operator.states()["keys"].items()

    assert len(partition.rows) <= 8
    assert len(partition.known) <= 4


def test_what_is_remembered_is_told() -> None:
    driver = Driver(row_pattern("A B+"))
    for event in make_rows([1, 1]):
        driver.admit(event)

    told = driver.operator.describe("")

    assert (told["rows"], told["since"], told["until"]) == (
        2,
        "1970-01-01T00:00:00.000Z",
        "1970-01-02T00:00:00.000Z",
    )

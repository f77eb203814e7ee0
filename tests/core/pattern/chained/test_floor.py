"""How far matches are decided is never said too soon, and never taken back."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.pattern.operator import Arrival
from oncue.core.pattern.rows.open_rows import OpenRows
from tests.core.pattern.rows.driving import compiled, pattern_of, row_pattern
from tests.core.pattern.rows.naive import DEFINITIONS
from tests.core.pattern.rows.test_enumeration import NAMES, SKIPS, patterns
from tests.make import make_event

STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 500, 1_000, 2_000]),
        st.sampled_from([0, 0, 0, 0, 700, 3_000]),
        st.sampled_from([0, 1, 2, 3, None]),
        st.booleans(),
    ),
    max_size=14,
)


DEFINED = "A AS data.v = 0, B AS data.v >= 1, C AS data.v >= 2"


@pytest.mark.parametrize(
    ("pattern", "skip", "rows", "expected"),
    [
        pytest.param("A B", "", [(1, 0)], None, id="what is open takes a row that is to come"),
        pytest.param("A B+", "", [(1, 0), (2, 1), (3, 1)], 3, id="the best so far"),
        pytest.param(
            "A B B A | B B",
            "",
            [(1, 0), (2, 1), (3, 1)],
            3,
            id="what begins later, and is found if nothing comes of what is open",
        ),
        pytest.param(
            "A B+ | C C",
            "AFTER MATCH SKIP TO NEXT ROW",
            [(1, 0), (2, 2), (3, 2), (4, 2)],
            3,
            id="what begins inside of a match",
        ),
        pytest.param(
            "A B (B B)* | B", "", [(1, 0), (5, 1), (3, 1)], 3, id="a row behind one of a fast clock"
        ),
        pytest.param("A B", "", [(1, 0), (2, 1), (3, 1)], None, id="nothing is open"),
    ],
)
def test_it_is_the_earliest_last_row_of_what_may_be_found(
    pattern: str, skip: str, rows: list[tuple[int, int]], expected: int | None
) -> None:
    query = row_pattern(pattern, DEFINED if "C" in pattern else DEFINED.partition(", C")[0])
    query = query.replace("PATTERN", f"{skip} PATTERN")
    operator = OpenRows(compiled(query).plan, pattern_of(query).limits)

    for offset, (time_s, value) in enumerate(rows):
        event = make_event(offset=offset, time_ms=time_s * 1_000, data={"v": value})
        operator.take(Arrival("", 1, event, {}, offset))

    assert operator.floor_ms == (None if expected is None else expected * 1_000)


@settings(max_examples=400, deadline=None)
@given(
    inner=patterns,
    definitions=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(DEFINITIONS))),
    steps=STEPS,
    skip=st.sampled_from(sorted(SKIPS)),
    within_s=st.sampled_from([1, 2, 3, 5, 100]),
    ahead=st.booleans(),
    ties=st.booleans(),
)
def test_no_match_is_decided_later_whose_last_row_is_before_it(
    *,
    inner: str,
    definitions: Mapping[str, str],
    steps: Sequence[tuple[int, int, int | None, bool]],
    skip: str,
    within_s: int,
    ahead: bool,
    ties: bool,
) -> None:
    define = ", ".join(
        f"{name} AS {of.replace('X.', f'{name}.')}" for name, of in definitions.items()
    )
    query = row_pattern(
        f"{inner} | A B C",
        define,
        skip=skip,
        within=f"'{within_s}' SECOND",
        subset="SUBSET U = (A, B)",
        measures=f"MATCH_ROWTIME() AS t, {'NEXT(data.v)' if ahead else '1'} AS n",
    )
    if ties:
        query = query.replace("ORDER BY time", "ORDER BY time, data.v DESC")
    rows, limits = compiled(query), pattern_of(query).limits
    operator = OpenRows(rows.plan, limits)
    watermark_ms = told_ms = 0

    def reach(watermark_ms: int) -> int:
        floor_ms = operator.floor_ms
        return watermark_ms if floor_ms is None else min(watermark_ms, floor_ms)

    for offset, (later_ms, fast_ms, value, advances) in enumerate(steps):
        watermark_ms += later_ms
        decided = []
        if advances:
            decided += [outcome for _, outcome in operator.pass_time(watermark_ms)]
        else:
            while (due_ms := operator.deadline()) is not None and due_ms <= watermark_ms:
                decided += [outcome for _, outcome in operator.pass_time(due_ms)]
            event = make_event(
                offset=offset, type="row", time_ms=watermark_ms + fast_ms, data={"v": value}
            )
            decided += operator.take(Arrival("", 1, event, {}, watermark_ms))
        for outcome in decided:
            for row in rows.plan.output.match_rows(outcome):
                assert row.time_ms >= told_ms
        assert reach(watermark_ms) >= told_ms
        told_ms = reach(watermark_ms)

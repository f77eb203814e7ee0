"""The incremental matcher against an enumeration of all ways over all rows."""

from collections.abc import Mapping
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.pattern.operator import Hit
from oncue.core.sql.row_pattern.clause import SkipTo
from oncue.core.sql.row_pattern.pattern import parse_pattern
from oncue.core.sql.text import Statement, Words
from tests.core.pattern.rows.driving import Driver, make_rows, row_pattern
from tests.core.pattern.rows.naive import DEFINITIONS, Naive

NAMES: Final = ("A", "B", "C")
QUANTIFIERS: Final = (
    "",
    "",
    "*",
    "+",
    "?",
    "{2}",
    "{1,2}",
    "{,2}",
    "{2,}",
    "*?",
    "+?",
    "??",
    "{1,3}?",
)
SKIPS: Final[Mapping[str, tuple[SkipTo, frozenset[str]]]] = {
    "": (SkipTo.PAST_LAST_ROW, frozenset()),
    "AFTER MATCH SKIP TO NEXT ROW": (SkipTo.NEXT_ROW, frozenset()),
    "AFTER MATCH SKIP TO FIRST B": (SkipTo.FIRST, frozenset("B")),
    "AFTER MATCH SKIP TO LAST U": (SkipTo.LAST, frozenset("AB")),
}

atoms = st.tuples(st.sampled_from(NAMES), st.sampled_from(QUANTIFIERS)).map("".join)
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(" ".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} | {two[1]})"),
        st.tuples(inner, st.sampled_from(QUANTIFIERS)).map(lambda two: f"({two[0]}){two[1]}"),
        st.tuples(inner, inner).map(lambda two: f"PERMUTE({two[0]}, {two[1]})"),
        st.just("()"),
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(
    inner=patterns,
    definitions=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(DEFINITIONS))),
    values=st.lists(st.sampled_from([0, 1, 2, 3, None]), max_size=9),
    skip=st.sampled_from(sorted(SKIPS)),
    within_s=st.sampled_from([1, 2, 3, 5, 100]),
    restarts=st.sets(st.integers(0, 9)),
)
def test_the_preferred_match_is_found_whatever_the_restarts(
    inner: str,
    definitions: Mapping[str, str],
    values: list[int | None],
    skip: str,
    within_s: int,
    restarts: set[int],
) -> None:
    # All variables are in the pattern, so that all may be defined and skipped to.
    text = f"{inner} | A B C"
    define = ", ".join(
        f"{name} AS {of.replace('X.', f'{name}.')}" for name, of in definitions.items()
    )
    driver = Driver(
        row_pattern(
            text, define, skip=skip, within=f"'{within_s}' SECOND", subset="SUBSET U = (A, B)"
        )
    )
    events = make_rows(values)
    found: list[Hit] = []
    for place, event in enumerate(events):
        if place in restarts:
            driver.restart()
        found += driver.admit(event)
    found += driver.advance()

    statement = Statement(f"({text})", "query")
    node = parse_pattern(Words(statement, statement.words, 0))
    naive = Naive(node, definitions, *SKIPS[skip], within_s * 1_000)
    times = [event.time_ms for event in events]
    assert [_told(hit) for hit in found] == [
        (number, _bound(start, path)) for number, start, path in naive.matches(values, times)
    ]


@settings(max_examples=200, deadline=None)
@given(
    inner=patterns,
    definitions=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(DEFINITIONS))),
    values=st.lists(st.sampled_from([0, 1, 2, 3, None]), max_size=12),
    within_s=st.sampled_from([1, 2, 3, 5, 100]),
    restarts=st.sets(st.integers(0, 12)),
    most=st.sampled_from([1, 2, 3]),
)
def test_what_is_dropped_is_the_same_whatever_the_restarts(
    inner: str,
    definitions: Mapping[str, str],
    values: list[int | None],
    within_s: int,
    restarts: set[int],
    most: int,
) -> None:
    define = ", ".join(
        f"{name} AS {of.replace('X.', f'{name}.')}" for name, of in definitions.items()
    )
    query = row_pattern(
        f"{inner} | A B C", define, within=f"'{within_s}' SECOND", subset="SUBSET U = (A, B)"
    )

    def found(restarts: set[int]) -> tuple[list[Hit], Mapping[str, int]]:
        driver = Driver(query, limits={"max_partials_per_key": most})
        hits: list[Hit] = []
        for place, event in enumerate(make_rows(values)):
            if place in restarts:
                driver.restart()
            hits += driver.admit(event)
        return hits + driver.advance(), driver.operator.counts

    assert found(restarts) == found(set())


def _told(hit: Hit) -> tuple[object, dict[str, list[int]]]:
    return hit.values["n"], {name: list(offsets) for name, offsets in hit.bindings}


def _bound(start: int, path: tuple[str, ...]) -> dict[str, list[int]]:
    bound: dict[str, list[int]] = {} if path else {"": [start]}
    for place, name in enumerate(path):
        bound.setdefault(name, []).append(start + place)
    return bound

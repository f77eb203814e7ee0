"""Measures, against fractions."""

import math
import sys
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.pattern.threshold.measures import measure_named
from oncue.core.pattern.threshold.numbers import exact, finite, rounded
from oncue.core.pattern.threshold.values import canonical
from tests.core.pattern.threshold.naive import measured

NAMES = ["count", "rate", "sum", "avg", "min", "max", "last", "p50", "p77", "p99", "distinct"]
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64).map(lambda x: x + 0.0)


def marks(values: list[float]) -> list[tuple[int, int, float]]:
    return [(number // 2, number, value) for number, value in enumerate(values)]


@settings(max_examples=150)
@given(name=st.sampled_from(NAMES), data=st.data(), values=st.lists(FLOATS, max_size=12))
def test_what_is_taken_away_leaves_nothing_behind(
    name: str, data: st.DataObject, values: list[float]
) -> None:
    measure = measure_named(name)
    gone = data.draw(st.sets(st.sampled_from(range(12)), max_size=12))
    sliding, closing, other = measure.sliding(), measure.closing(), measure.closing()
    placed = marks(values)
    for mark in data.draw(st.permutations(placed)):
        sliding.add(mark)
    left = [mark for mark in placed if mark[1] not in gone]
    for mark in placed:
        if mark not in left:
            sliding.remove(mark)
    for mark in data.draw(st.permutations(left)):
        (closing if mark[1] % 3 else other).add(mark)
    closing.absorb(other)
    again = measure.closing()
    again.load(closing.dump())

    if name in ("sum", "avg"):
        total = sum((Fraction(mark[2]) for mark in left), Fraction(0))
        parts = len(left) if name == "avg" else 1
        expected = None if not parts else nearest(total / parts)
    else:
        expected = measured(name, left, 7)
    for each in (sliding, closing, again):
        assert each.value(len(left), 7) == expected


def nearest(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return sys.float_info.max if number > 0 else -sys.float_info.max


def test_a_sum_beyond_all_floats_is_the_largest_of_them() -> None:
    largest = sys.float_info.max

    assert rounded(exact(largest) + exact(largest)) == largest
    assert rounded(-2 * exact(largest)) == -largest
    assert rounded(2 * exact(largest), 2) == largest


@pytest.mark.parametrize("number", [0.1, -5e-324, 1e308, 2.0**52 + 1, 0.0])
def test_a_float_is_so_many_units(number: float) -> None:
    assert rounded(exact(number)) == number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0), (2.5, 2.5), (-0.0, 0.0), (True, None), ("1", None), (None, None),
        (10**400, None), (math.inf, None), (math.nan, None), ([1], None),
    ],
)  # fmt: skip
def test_what_is_a_number(value: object, expected: float | None) -> None:
    found = finite(value)

    assert found == expected
    assert str(found) == str(expected)


def test_a_long_value_is_told_apart_by_what_it_says() -> None:
    long = "x" * 500

    assert canonical(long) == canonical("x" * 500) != canonical(long + "y")
    assert len(canonical(long)) < 80
    assert canonical({"a": [1.0, 2], "b": None}) == canonical({"b": None, "a": [1, 2.0]})

"""
Which of many ranges hold a number?

One-sided ranges are a sorted array and a slice of it. Two-sided ones are a table:

    bounds   1      3      7+     9+          a: 1 to 7, b: 3 to 9
    table  ∅ │  a   │ a b  │  b   │ ∅         7+ is the double after 7

so an answer is one search and one look. Ranges that overlap much would fill the table with
their square; those go into a tree: each node keeps the ranges around its middle, sorted by
either end, and leaves the others to its two sides. It holds each range twice, and a number
is looked for in as many nodes as it has levels.

Invariant: what holds a number is found. A neighbour may be found as well.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, nextafter
from typing import Final, TypeAlias

Find: TypeAlias = Callable[[float, list[int]], None]

# So much of the table for each range is as much memory as the tree takes.
_MAX_SHARE: Final = 16
_MAX_LEAF: Final = 8


@dataclass(frozen=True, slots=True)
class Span:
    """A range, both ends included, and whose it is."""

    least: float
    most: float
    number: int


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of spans: the numbers for a value stand in the row after the bounds it reaches."""

    bounds: tuple[float, ...]
    numbers: tuple[tuple[int, ...], ...]


def arrange(spans: Sequence[Span]) -> Rows | Find:
    """Return a table of spans, or what adds the numbers of those that hold a number to a list."""
    # `x > 5 && x < 3` holds none, and has no place in a table or tree.
    spans = [span for span in spans if span.least <= span.most]
    ends = [nextafter(span.most, inf) for span in spans]
    bounds = sorted({*ends, *(span.least for span in spans)})
    places = [
        (bisect_right(bounds, span.least), bisect_right(bounds, end), span.number)
        for span, end in zip(spans, ends, strict=True)
    ]
    if sum(last - first for first, last, _ in places) > _MAX_SHARE * len(spans):
        return _tree(spans)
    table: list[list[int]] = [[] for _ in range(len(bounds) + 1)]
    for first, last, number in places:
        for place in range(first, last):
            table[place].append(number)
    return Rows(tuple(bounds), tuple(map(tuple, table)))


@dataclass(slots=True)
class _Node:
    middle: float
    by_least: tuple[float, ...]
    least_numbers: tuple[int, ...]
    by_most: tuple[float, ...]
    most_numbers: tuple[int, ...]
    below: "_Node | None"
    above: "_Node | None"


def _tree(spans: Sequence[Span]) -> Find:
    root = _grow(spans)

    def find(value: float, out: list[int]) -> None:
        node = root
        while node is not None:
            if value <= node.middle:
                out += node.least_numbers[: bisect_right(node.by_least, value)]
                node = node.below
            else:
                out += node.most_numbers[bisect_left(node.by_most, value) :]
                node = node.above

    return find


def _grow(spans: Sequence[Span]) -> _Node | None:
    if not spans:
        return None
    ends = sorted(end for span in spans for end in (span.least, span.most))
    middle = ends[len(ends) // 2]
    below = [span for span in spans if span.most < middle]
    above = [span for span in spans if span.least > middle]
    if len(spans) <= _MAX_LEAF:
        below, above, here = [], [], list(spans)
    else:
        here = [span for span in spans if span.least <= middle <= span.most]
    by_least = sorted(here, key=lambda span: span.least)
    by_most = sorted(here, key=lambda span: span.most)
    return _Node(
        middle,
        tuple(span.least for span in by_least),
        tuple(span.number for span in by_least),
        tuple(span.most for span in by_most),
        tuple(span.number for span in by_most),
        _grow(below),
        _grow(above),
    )

"""
Row patterns by enumeration: all ways in the order of preference, over all rows, until one is a match.

Definitions are functions of what a row pattern's are in SQL, `DEFINITIONS` has both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final, TypeAlias

from oncue.core.sql.row_pattern.clause import SkipTo
from oncue.core.sql.row_pattern.pattern import (
    Anchor,
    Choice,
    Exclusion,
    Node,
    Permutation,
    Repetition,
    Variable,
)
from oncue.core.sql.row_pattern.pattern import Sequence as Parts
from oncue.core.sql.values import negation

Path: TypeAlias = tuple[str, ...]
"""The variables of the rows from the start on."""


@dataclass(frozen=True)
class Seen:
    """What a definition looks at: the rows, where the match begins, and the path to the current row."""

    rows: Sequence[int | None]
    start: int
    path: Path
    number: int

    @property
    def at(self) -> int:
        return self.start + len(self.path) - 1

    @property
    def current(self) -> int | None:
        return self.rows[self.at]

    def of(self, *names: str) -> list[int]:
        """The values of the rows of some variables that have one."""
        return [
            value
            for place, name in enumerate(self.path)
            if name in names and (value := self.rows[self.start + place]) is not None
        ]

    def places(self, name: str) -> list[int]:
        return [self.start + place for place, each in enumerate(self.path) if each == name]


Holds: TypeAlias = Callable[[Seen, str], bool | None]


def _above(left: int | float | None, right: int | float | None) -> bool | None:
    return None if left is None or right is None else left > right


def _previous(seen: Seen) -> int | None:
    return seen.rows[seen.at - 1] if seen.at else None


def _second_last_a(seen: Seen) -> int | None:
    places = seen.places("A")
    return seen.rows[places[-2]] if len(places) > 1 else None


def _first_a(seen: Seen) -> int | None:
    places = seen.places("A")
    return seen.rows[places[0]] if places else None


def _mean(values: Sequence[int]) -> float | None:
    return sum(values) / len(values) if values else None


DEFINITIONS: Final[Mapping[str, Holds]] = {
    "X.data.v > 1": lambda seen, _: _above(seen.current, 1),
    "data.v <= 1": lambda seen, _: None if seen.current is None else seen.current <= 1,
    "X.data.v > PREV(X.data.v)": lambda seen, _: _above(seen.current, _previous(seen)),
    "X.data.v IS NULL OR PREV(data.v) IS NULL": lambda seen, _: (
        seen.current is None or _previous(seen) is None
    ),
    "NOT X.data.v > LAST(A.data.v, 1)": lambda seen, _: negation(
        _above(seen.current, _second_last_a(seen))
    ),
    "SUM(X.data.v) < 4": lambda seen, name: _above(
        4, sum(values) if (values := seen.of(name)) else None
    ),
    "COUNT(*) <= 3": lambda seen, _: len(seen.path) <= 3,
    "X.data.v > AVG(A.data.v) OR COUNT(DISTINCT B.data.v) > 1": lambda seen, _: (
        (_above(seen.current, _mean(seen.of("A"))) or False) or len(set(seen.of("B"))) > 1
    ),
    "X.data.v <> FIRST(A.data.v)": lambda seen, _: (
        None if seen.current is None or (first := _first_a(seen)) is None else seen.current != first
    ),
    "MOD(MATCH_NUMBER(), 2) = 1 OR data.v > 1": lambda seen, _: (
        seen.number % 2 == 1 or (_above(seen.current, 1) or False)
    ),
    "PREV(CLASSIFIER()) = 'A' OR COUNT(A.*) = 0": lambda seen, _: (
        seen.path[-2:-1] == ("A",) or not seen.places("A")
    ),
    "MAX(U.data.v) > 1": lambda seen, _: _above(max(seen.of("A", "B"), default=None), 1),
}


@dataclass(frozen=True)
class Naive:
    """A row pattern over rows: their values, and their times."""

    pattern: Node
    definitions: Mapping[str, str]
    skip: SkipTo
    skip_names: frozenset[str]
    within_ms: int

    def matches(
        self, rows: Sequence[int | None], times_ms: Sequence[int]
    ) -> Iterator[tuple[int, int, Path]]:
        """Yield number, start and path of each match."""
        start, number = 0, 0
        while start < len(rows):
            end = next(
                (
                    i
                    for i in range(start, len(rows))
                    if times_ms[i] >= times_ms[start] + self.within_ms
                ),
                len(rows),
            )
            empty = Seen(rows[:end], start, (), number + 1)
            found = next(self._ways(self.pattern, empty), None)
            if found is None:
                start += 1
                continue
            number += 1
            yield number, start, found
            start = self._next(start, found)

    def _next(self, start: int, path: Path) -> int:
        places = [place for place, name in enumerate(path) if name in self.skip_names]
        match self.skip:
            case SkipTo.PAST_LAST_ROW:
                return start + max(len(path), 1)
            case SkipTo.NEXT_ROW:
                return start + 1
            case SkipTo.FIRST:
                return start + max(places[0] if places else 1, 1)
            case SkipTo.LAST:
                return start + max(places[-1] if places else 1, 1)

    def _ways(self, node: Node, seen: Seen) -> Iterator[Path]:
        match node:
            case Variable():
                longer = Seen(seen.rows, seen.start, (*seen.path, node.name), seen.number)
                if longer.at < len(seen.rows) and self._holds(node.name, longer):
                    yield longer.path
            case Exclusion():
                yield from self._ways(node.inner, seen)
            case Choice():
                for part in node.parts:
                    yield from self._ways(part, seen)
            case Parts() | Permutation():
                is_fixed = isinstance(node, Parts)
                for order in [node.parts] if is_fixed else permutations(node.parts):
                    yield from self._chain(order, seen)
            case Repetition():
                yield from self._repeated(node, seen, 0)
            case Anchor():
                raise AssertionError("the patterns that are drawn have no anchors")

    def _holds(self, name: str, seen: Seen) -> bool:
        definition = self.definitions.get(name)
        return definition is None or DEFINITIONS[definition](seen, name) is True

    def _chain(self, parts: Sequence[Node], seen: Seen) -> Iterator[Path]:
        if not parts:
            yield seen.path
            return
        for path in self._ways(parts[0], seen):
            yield from self._chain(parts[1:], Seen(seen.rows, seen.start, path, seen.number))

    def _repeated(self, node: Repetition, seen: Seen, count: int) -> Iterator[Path]:
        if not node.is_greedy and count >= node.least:
            yield seen.path
        if node.most is None or count < node.most:
            for path in self._ways(node.inner, seen):
                # Beyond the least number, a repetition without a row is none (§7.2.8).
                if len(path) > len(seen.path) or count < node.least:
                    longer = Seen(seen.rows, seen.start, path, seen.number)
                    yield from self._repeated(node, longer, count + 1)
        if node.is_greedy and count >= node.least:
            yield seen.path

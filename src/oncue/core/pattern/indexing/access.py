"""
By what an index finds a selector: what must hold of every event that it admits.

Each access is necessary. Where it has several ways, one of them holds: `$or`, or values of
different sorts in a list. What is found this way is a candidate and no more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, nextafter
from typing import Final, TypeAlias

from oncue.core.expression import Checked
from oncue.core.expression.conjuncts import (
    Conjunct,
    Equals,
    Missing,
    StartsWith,
    Within,
    conjuncts,
    key_of,
)
from oncue.core.expression.tree import (
    Element,
    Field,
    Invoke,
    ListOf,
    Literal,
    Logic,
    MapOf,
    Node,
    Root,
    children,
)
from oncue.core.pattern.conditions import AnyOf, Clause, Conditions, Either, Members, Of, ValueTest
from oncue.core.pattern.operators import Begins, Is, Numeric, Wildcard

Path: TypeAlias = tuple[str, ...]
"""`data`, `attributes` or another field of an event, and the names below it."""

MAX_WAYS: Final = 16
# A double holds every whole number up to here; beyond it, bounds are taken one step wider.
MAX_EXACT: Final = 2.0**53
_HELD: Final = frozenset(("data", "id", "source", "subject", "type"))


@dataclass(frozen=True, slots=True)
class Access:
    """
    One of `ways` holds.

    `sees_elements`: of an array, one element is enough. `is_error_elsewhere`: without the
    field, or with one of another kind, the selector's `where` ends in an error.
    """

    ways: tuple[Conjunct, ...]
    sees_elements: bool = False
    is_error_elsewhere: bool = False

    @property
    def paths(self) -> frozenset[Path]:
        """The paths that it asks."""
        return frozenset(way.path for way in self.ways)


def accesses_of(
    source: str | None, conditions: Conditions | None, where: Checked | None
) -> tuple[Access, ...]:
    """Return all that an index may ask for a selector."""
    found: list[Access] = []
    if source is not None:
        found.append(Access((Equals(("source",), frozenset([source])),)))
    if conditions:
        found += _of_clauses([clause for _, clause in conditions.clauses], ("data",))
    if where:
        is_alone = source is None and conditions is None
        found += _of_where(where, is_error_elsewhere=is_alone and _is_unguarded(where.tree))
    return tuple(found)


def _of_where(where: Checked, *, is_error_elsewhere: bool) -> Iterator[Access]:
    for conjunct in conjuncts(where):
        root, *names = conjunct.path
        # The event as a whole and its time are no fields that a leaf could read.
        if root != "event" or not names or names[0] == "time":
            continue
        path = tuple(names) if names[0] in _HELD else ("attributes", *names)
        if way := _moved(conjunct, path):
            yield Access((way,), is_error_elsewhere=is_error_elsewhere)


def _moved(conjunct: Conjunct, path: Path) -> Conjunct | None:
    if isinstance(conjunct, Equals):
        return Equals(path, conjunct.keys)
    if isinstance(conjunct, Within):
        return within(path, conjunct.least, conjunct.most)
    return StartsWith(path, conjunct.prefix) if conjunct.prefix else None


def _is_unguarded(node: Node) -> bool:
    """Return whether nothing in a tree may make up for a field that is missing."""
    match node:
        case Field(is_optional=is_optional) | Element(is_optional=is_optional):
            is_plain = not is_optional
        case Logic(is_and=is_and):
            is_plain = is_and
        case _:
            is_plain = isinstance(node, Invoke | ListOf | Literal | MapOf | Root)
    return is_plain and all(map(_is_unguarded, children(node)))


def _of_clauses(clauses: Iterable[Clause], path: Path) -> Iterator[Access]:
    for clause in clauses:
        match clause:
            case Of(name, Members(inner)):
                yield from _of_clauses(inner, (*path, name))
            case Of(name, test):
                yield from _access(_of_test(test, (*path, name)))
            case Either(ways):
                yield from _access(_of_ways(ways, path))


def _access(ways: Sequence[Conjunct] | None) -> Iterator[Access]:
    if ways and len(ways) <= MAX_WAYS:
        yield Access(tuple(ways), sees_elements=True)


def _of_ways(ways: Iterable[Members], path: Path) -> list[Conjunct] | None:
    found: list[Conjunct] = []
    for way in ways:
        accesses = _of_clauses(way.clauses, path)
        best = min(accesses, key=lambda access: breadth(access.ways), default=None)
        if best is None:
            return None
        found += best.ways
    return merged(found)


def breadth(ways: Iterable[Conjunct]) -> int:
    """Return how much of all events pass where one of these holds, as a rank."""
    return sum(_BREADTHS[way.__class__] for way in ways)


_BREADTHS: Final[dict[type, int]] = {Equals: 1, StartsWith: 4, Within: 9}


def _of_test(test: ValueTest, path: Path) -> list[Conjunct] | None:
    """Return what one of must hold of a value that passes, None where that is not known."""
    match test:
        case Is(wanted):
            key = key_of(wanted)
            return None if isinstance(key, Missing) else [Equals(path, frozenset([key]))]
        case Begins(prefix) if prefix:
            return [StartsWith(path, prefix)]
        case Wildcard(prefix, is_whole=True):
            return [Equals(path, frozenset([prefix]))]
        case Wildcard(prefix) if prefix:
            return [StartsWith(path, prefix)]
        case Numeric(limits):
            return [_numeric(limits, path)]
        case AnyOf(tests):
            found: list[Conjunct] = []
            for inner in tests:
                ways = _of_test(inner, path)
                if ways is None:
                    return None
                found += ways
            return merged(found)
        case _:
            return None


def merged(ways: Iterable[Conjunct]) -> list[Conjunct]:
    """Return ways, one of which holds, with one equality for each path."""
    keys: dict[Path, Equals] = {}
    others: list[Conjunct] = []
    for way in ways:
        if isinstance(way, Equals):
            known = keys.get(way.path, way)
            keys[way.path] = Equals(way.path, known.keys | way.keys)
        elif way not in others:
            others.append(way)
    return [*keys.values(), *others]


def _numeric(limits: Iterable[tuple[str, float]], path: Path) -> Within:
    least, most = -inf, inf
    for name, limit in limits:
        bound = key_of(limit)
        assert isinstance(bound, float)
        if name in (">", ">=", "="):
            least = max(least, bound)
        if name in ("<", "<=", "="):
            most = min(most, bound)
    return within(path, least, most)


def within(path: Path, least: float, most: float) -> Within:
    """Return that a number is from `least` to `most`, both included."""
    # Limits are rounded to doubles, and what is compared with them may be a longer integer.
    if abs(least) >= MAX_EXACT and least != -inf:
        least = nextafter(least, -inf)
    if abs(most) >= MAX_EXACT and most != inf:
        most = nextafter(most, inf)
    return Within(path, least, most)

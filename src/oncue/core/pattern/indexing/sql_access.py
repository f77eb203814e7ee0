"""
By what an index finds the events that a WHERE of SQL wants: what must hold wherever it is true.

    type = 'sale' AND data.shop = 'b' AND (data.n > 5 OR data.vip)

gives the type `sale`, an access to `data.shop`, and one with two ways to `data.n` and `data.vip`.
What is found this way is a candidate and no more. A condition on the type that a glob says
exactly is left out of what is still to be asked.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from sqlglot import exp

from oncue.core.expression.conjuncts import (
    MISSING,
    Conjunct,
    Equals,
    Key,
    Missing,
    StartsWith,
    key_of,
    put_together,
)
from oncue.core.expression.values import BoolKey
from oncue.core.globs import check_glob
from oncue.core.json_text import Json
from oncue.core.pattern.indexing.access import MAX_WAYS, Access, Path, breadth, merged, within
from oncue.core.sql.columns import reference
from oncue.core.sql.values import read_number

_EVERYTHING: Final = ("*",)
_MAX_GLOBS: Final = 100
_ROOTS: Final = {"data": "data", "extensions": "attributes"}
_TEXTS: Final = ("id", "source", "subject")
_REGEX_UNITS: Final = 32


@dataclass(frozen=True, slots=True)
class Sought:
    """What an index asks for a WHERE: types, accesses, and which of its tests are then left."""

    globs: tuple[str, ...]
    accesses: tuple[Access, ...]
    left: tuple[exp.Expr, ...]

    @property
    def units(self) -> int:
        """What the tests that are left are taken to cost."""
        return sum(
            _REGEX_UNITS if isinstance(node, exp.Like | exp.ILike) else 1
            for test in self.left
            for node in test.walk()
            if not isinstance(node, exp.Identifier)
        )


def tests_of(where: exp.Expr | None) -> Iterator[exp.Expr]:
    """Yield the tests that must all hold."""
    if isinstance(where, exp.And):
        yield from tests_of(where.this)
        yield from tests_of(where.expression)
    elif isinstance(where, exp.Paren):
        yield from tests_of(where.this)
    elif where is not None:
        yield where


def sought(tests: Sequence[exp.Expr], alias: str) -> Sought:
    """Return what an index asks for tests; names in them may begin with the table's `alias`."""
    reading = _Reading(alias)
    named = next((test for test in tests if reading.globs(test)), None)
    globs = reading.globs(named) if named is not None else None
    left = [test for test in tests if test is not named or not _is_exact(test)]
    ways = [found for test in left if (found := reading.ways(test))]
    alone = put_together(found[0] for found in ways if len(found) == 1)
    accesses = [Access((way,)) for way in alone]
    accesses += [Access(tuple(found)) for found in ways if 1 < len(found) <= MAX_WAYS]
    return Sought(globs or _EVERYTHING, tuple(accesses), tuple(left))


@dataclass(frozen=True, slots=True)
class _Reading:
    alias: str

    def globs(self, test: exp.Expr) -> tuple[str, ...] | None:
        """Return the types and globs one of which an event has that meets a test."""
        match test:
            case exp.Paren():
                return self.globs(test.this)
            case exp.And():
                return self.globs(test.this) or self.globs(test.expression)
            case exp.Or():
                one, other = self.globs(test.this), self.globs(test.expression)
                both = tuple(dict.fromkeys((*one, *other))) if one and other else ()
                return both if len(both) <= _MAX_GLOBS else None
            case exp.EQ() | exp.In() | exp.Like() if self._found(test.this) == ("type", ()):
                return _like_globs(test) if isinstance(test, exp.Like) else _types(test)
            case _:
                return None

    def ways(self, test: exp.Expr) -> list[Conjunct]:
        """Return what one of must hold of an event that meets a test; none, where that is not known."""
        match test:
            case exp.Paren():
                return self.ways(test.this)
            case exp.And():
                parts = [ways for part in tests_of(test) if (ways := self.ways(part))]
                return min(parts, key=breadth, default=[])
            case exp.Or():
                one, other = self.ways(test.this), self.ways(test.expression)
                return merged([*one, *other]) if one and other else []
            case exp.EQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE() if _is_turned(test):
                return self.ways(_TURNED[type(test)](this=test.expression, expression=test.this))
            case _:
                path = self._path(_value(test))
                found = _conjunct(test, path) if path else None
                return [found] if found else []

    def _path(self, node: exp.Expr) -> Path | None:
        found = self._found(node)
        if found is None:
            return None
        name, steps = found
        if name in _TEXTS and not steps:
            return (name,)
        names = [step for step in steps if isinstance(step, str)]
        is_below = name in _ROOTS and names and len(names) == len(steps)
        return (_ROOTS[name], *names) if is_below else None

    def _found(self, node: exp.Expr) -> tuple[str, tuple[str | int, ...]] | None:
        found = reference(node)
        if found is None:
            return None
        found = found.below(self.alias)
        return found.names[0].name.lower(), found.path


def _is_exact(test: exp.Expr) -> bool:
    """Return whether the globs of a test say all of it."""
    match test:
        case exp.Paren():
            return _is_exact(test.this)
        case exp.Or():
            return _is_exact(test.this) and _is_exact(test.expression)
        case _:
            return isinstance(test, exp.EQ | exp.In | exp.Like)


def _types(test: exp.Expr) -> tuple[str, ...] | None:
    others = test.expressions if isinstance(test, exp.In) else [test.expression]
    if not 0 < len(others) <= _MAX_GLOBS or not all(_is_text(other) for other in others):
        return None
    return tuple(other.name for other in others if "*" not in other.name) or None


def _like_globs(test: exp.Like) -> tuple[str, ...] | None:
    shape = test.expression.name if _is_text(test.expression) else ""
    if not shape or "_" in shape or "*" in shape:
        return None
    try:
        return (check_glob(shape.replace("%", "*")),)
    except ValueError:
        return None


def _value(test: exp.Expr) -> exp.Expr:
    """Return what a test asks something of: itself, where it is the name of a truth value."""
    return test.this if isinstance(test, _ASKING) else test


def _conjunct(test: exp.Expr, path: Path) -> Conjunct | None:
    """Return what must hold of the value at a path wherever a test of it does."""
    match test:
        case exp.EQ() | exp.In():
            others = test.expressions if isinstance(test, exp.In) else [test.expression]
            keys = [_key(other) for other in others]
            known = frozenset(key for key in keys if not isinstance(key, Missing))
            return Equals(path, known) if keys and MISSING not in keys else None
        case exp.GT() | exp.GTE():
            return _between(path, _key(test.expression), inf)
        case exp.LT() | exp.LTE():
            return _between(path, -inf, _key(test.expression))
        case exp.Between():
            return _between(path, _key(test.args["low"]), _key(test.args["high"]))
        case exp.Like() | exp.StartsWith():
            return _beginning(test, path)
        case _:
            return Equals(path, frozenset([BoolKey.TRUE])) if reference(test) else None


def _between(path: Path, least: object, most: object) -> Conjunct | None:
    if not isinstance(least, float) or not isinstance(most, float):
        return None
    return within(path, least, most)


def _beginning(test: exp.Expr, path: Path) -> Conjunct | None:
    if not _is_text(test.expression):
        return None
    text = test.expression.name
    prefix = re.split("[%_]", text)[0] if isinstance(test, exp.Like) else text
    return StartsWith(path, prefix) if prefix else None


def _is_turned(test: exp.Expr) -> bool:
    """Return whether the constant of a comparison comes first."""
    return _key(test.this) is not MISSING and _key(test.expression) is MISSING


def _key(node: exp.Expr) -> Key | Missing:
    """Return by what a constant is looked up; what is none is missing."""
    match node:
        case exp.Paren():
            return _key(node.this)
        case exp.Boolean():
            return BoolKey(bool(node.this))
        case exp.Neg():
            key = _key(node.this)
            return -key if isinstance(key, float) else MISSING
        case exp.Literal():
            value: Json = node.name if _is_text(node) else read_number(node.name)
            return MISSING if value is None else key_of(value)
        case _:
            return MISSING


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.args.get("is_string"))


_ASKING: Final = (
    *(exp.EQ, exp.In, exp.GT, exp.GTE, exp.LT, exp.LTE),
    *(exp.Between, exp.Like, exp.StartsWith),
)
_TURNED: Final[dict[type[exp.Expr], type[exp.Expr]]] = {
    exp.EQ: exp.EQ,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}

"""
What must be true of data wherever an expression is true: what an index can ask.

    event.data.plan == 'pro' && event.data.seats > 10 && size(event.data.tags) == 1

gives `Equals(event.data.plan, {'pro'})` and `Within(event.data.seats, 10, inf)`. One law
holds: if the expression gives true for some values, each of its conjuncts admits what these
values have at its path. So what a conjunct does not admit need not be evaluated; it gives
false or an error, and which of both is not told. The converse does not hold: what all
conjuncts admit is a candidate and no more.

`&&` gives the conjuncts of all its operands: it is true only if all of them are. `||` gives
one where every operand bounds the same path to some values: it is true only if one of them
is, whatever errors the others end in.

Numbers are compared as doubles here, bounds included. CEL compares two ints exactly and an
int with a double as doubles, so this may admit a neighbour beyond 2^53 and misses none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final, TypeAlias

from oncue.core.expression.arithmetic import to_double
from oncue.core.expression.expression import Checked
from oncue.core.expression.tree import (
    Field,
    Invoke,
    ListOf,
    Literal,
    Logic,
    Node,
    OrElse,
    Root,
)
from oncue.core.expression.values import BoolKey, Uint

Path: TypeAlias = tuple[str, ...]
Key: TypeAlias = str | float | BoolKey | None
"""A scalar such that equal ones of CEL are equal keys of a dictionary."""


class Missing:
    """Stands for what is not there."""


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class Equals:
    """The value at `path` is one of `keys`; where there are none, the expression is never true."""

    path: Path
    keys: frozenset[Key]

    def admits(self, value: object) -> bool:
        """Return whether `value`, found at the path or `MISSING`, is one of them."""
        key = key_of(value)
        return key is not MISSING and key in self.keys


@dataclass(frozen=True, slots=True)
class StartsWith:
    """The value at `path` is a string that begins with `prefix`."""

    path: Path
    prefix: str

    def admits(self, value: object) -> bool:
        """Return whether `value`, found at the path or `MISSING`, begins so."""
        return value.__class__ is str and value.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Within:
    """The value at `path` is a number from `least` to `most`, both included."""

    path: Path
    least: float
    most: float

    def admits(self, value: object) -> bool:
        """Return whether `value`, found at the path or `MISSING`, is such a number."""
        key = key_of(value)
        return key.__class__ is float and self.least <= key <= self.most


Conjunct: TypeAlias = Equals | StartsWith | Within


def conjuncts(checked: Checked) -> tuple[Conjunct, ...]:
    """Return what must hold wherever `checked` gives true; bounds of one path are put together."""
    return put_together(_of(checked.tree))


def put_together(together: Iterable[Conjunct]) -> tuple[Conjunct, ...]:
    """Return what holds where all of some conjuncts do, with one for the bounds of each path."""
    found: dict[tuple[type, Path, str], Conjunct] = {}
    for conjunct in together:
        prefix = conjunct.prefix if isinstance(conjunct, StartsWith) else ""
        place = (conjunct.__class__, conjunct.path, prefix)
        found[place] = _both(found[place], conjunct) if place in found else conjunct
    return tuple(found.values())


def key_of(value: object) -> Key | Missing:
    """Return the key of a value, `MISSING` for what equals no scalar."""
    if value is None or value.__class__ is str:
        return value
    if value.__class__ is bool:
        return BoolKey(value)
    if value.__class__ in (int, float, Uint):
        return to_double(value)
    return MISSING


def value_at(values: Mapping[str, object], path: Path) -> object:
    """Return what is at `path` in the values of the roots, `MISSING` if nothing is."""
    found: object = values
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            return MISSING
        found = found[name]
    return found


def _both(one: Conjunct, other: Conjunct) -> Conjunct:
    match one, other:
        case Equals(), Equals():
            return Equals(one.path, one.keys & other.keys)
        case Within(), Within():
            least, most = max(one.least, other.least), min(one.most, other.most)
            return Within(one.path, least, most)
        case _:
            return one


def _of(node: Node) -> Iterator[Conjunct]:
    match node:
        case Logic(is_and=True, operands=operands):
            for operand in operands:
                yield from _of(operand)
        case Logic(operands=operands):
            yield from _in_each_way(operands)
        case Invoke(function=function):
            if rule := _RULES.get(function.name):
                yield from rule(node)
        case Root() | Field():
            yield from _equals(node, [True])
        case _:
            return


def _in_each_way(operands: Iterable[Node]) -> Iterator[Conjunct]:
    """Of an `||`: the paths that each operand holds to some values, with all of these."""
    ways: list[dict[Path, frozenset[Key]]] = []
    for operand in operands:
        bounds: dict[Path, frozenset[Key]] = {}
        for conjunct in _of(operand):
            if isinstance(conjunct, Equals):
                known = bounds.get(conjunct.path, conjunct.keys)
                bounds[conjunct.path] = known & conjunct.keys
        ways.append(bounds)
    first, *others = ways
    for path in first:
        if all(path in bounds for bounds in others):
            yield Equals(path, frozenset().union(*(bounds[path] for bounds in ways)))


def _equality(node: Invoke) -> Iterator[Conjunct]:
    for one, other in (node.arguments, node.arguments[::-1]):
        if isinstance(other, Literal):
            yield from _equals(one, [other.value])
            return


def _membership(node: Invoke) -> Iterator[Conjunct]:
    value, container = node.arguments
    if isinstance(container, ListOf) and not container.optional:
        literals = [item.value for item in container.items if isinstance(item, Literal)]
        if len(literals) == len(container.items):
            yield from _equals(value, literals)


def _negation(node: Invoke) -> Iterator[Conjunct]:
    yield from _equals(node.arguments[0], [False])


def _equals(node: Node, literals: Iterable[object]) -> Iterator[Conjunct]:
    keys: set[Key] = set()
    for key in map(key_of, literals):
        if isinstance(key, Missing):
            return
        keys.add(key)
    if isinstance(node, OrElse):
        # What is missing counts as the other value, so it must not be one of those sought.
        if not node.is_value or not isinstance(node.otherwise, Literal):
            return
        otherwise = key_of(node.otherwise.value)
        if isinstance(otherwise, Missing) or otherwise in keys:
            return
        node = node.operand
        if not _is_optional(node):
            return
    elif _is_optional(node):
        return
    if path := _path(node):
        yield Equals(path, frozenset(keys))


def _starts_with(node: Invoke) -> Iterator[Conjunct]:
    text, prefix = node.arguments
    path = _plain_path(text)
    if path and isinstance(prefix, Literal) and isinstance(prefix.value, str):
        yield StartsWith(path, prefix.value)


def _order(*, is_upper: bool) -> Callable[[Invoke], Iterator[Conjunct]]:
    """`is_upper`: what stands on the right bounds the left from above."""

    def read(node: Invoke) -> Iterator[Conjunct]:
        left, right = node.arguments
        for value, bound, is_above in ((left, right, is_upper), (right, left, not is_upper)):
            path = _plain_path(value)
            limit = key_of(bound.value) if isinstance(bound, Literal) else MISSING
            if path and isinstance(limit, float):
                yield Within(path, -inf, limit) if is_above else Within(path, limit, inf)

    return read


_RULES: Mapping[str, Callable[[Invoke], Iterator[Conjunct]]] = {
    "_==_": _equality,
    "@in": _membership,
    "!_": _negation,
    "startsWith": _starts_with,
    "_<_": _order(is_upper=True),
    "_<=_": _order(is_upper=True),
    "_>_": _order(is_upper=False),
    "_>=_": _order(is_upper=False),
}


def _plain_path(node: Node) -> Path:
    return () if _is_optional(node) else _path(node)


def _is_optional(node: Node) -> bool:
    while isinstance(node, Field):
        if node.is_optional:
            return True
        node = node.operand
    return False


def _path(node: Node) -> Path:
    names: list[str] = []
    while isinstance(node, Field):
        names.append(node.name)
        node = node.operand
    return (node.name, *reversed(names)) if isinstance(node, Root) else ()

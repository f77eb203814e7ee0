"""Which events a statement wants, and by what they are told apart."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from sqlglot import exp

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.canonical import canonical_key
from oncue.core.pattern.indexing.sql_access import sought, tests_of
from oncue.core.pattern.keys import KeyOf, KeyText
from oncue.core.pattern.selection import Selection, Wanted
from oncue.core.sql.columns import EventScope
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.scalars import Sort
from oncue.core.sql.text import Piece


def selection_of(clause: exp.Expr | None, piece: Piece, scope: EventScope) -> Selection:
    """
    Return what admits the events that a WHERE wants; names are those of a scope.

    Raises:
        InvalidInput: it is no condition.
    """
    tests = [*tests_of(clause.this if clause is not None else None)]
    compiler = Expressions(piece, scope)
    compiled = {id(test): compiler.of_sort(test, Sort.TRUTH).of for test in tests}
    asked = sought(tests, scope.alias)
    if not asked.left:
        return Selection(asked.globs)
    left = tuple(compiled[id(test)] for test in asked.left)
    return Selection(asked.globs, wanted=Wanted(left, asked.accesses, asked.units))


def key_of(
    names: Sequence[str], parts: Sequence[Callable[[Event], Json]], *, takes_null: bool
) -> KeyOf:
    """Return how a key of these parts is found; without `takes_null` an event has all of them."""
    text = _text_of(parts, takes_null=takes_null)
    return KeyOf(_told_apart(names), _text_of_one(parts[0], text) if len(parts) == 1 else text)


def _text_of(parts: Sequence[Callable[[Event], Json]], *, takes_null: bool) -> KeyText:
    def text(event: Event, _: Mapping[str, Json]) -> str | None:
        values = [of(event) for of in parts]
        if not takes_null and None in values:
            return None
        return canonical_key(values)

    return text


def _text_of_one(of: Callable[[Event], Json], text: KeyText) -> KeyText:
    encode = msgspec.json.encode

    def text_of_one(event: Event, values: Mapping[str, Json]) -> str | None:
        value = of(event)
        return encode([value]).decode() if value.__class__ is str else text(event, values)

    return text_of_one


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    apart: list[str] = []
    for name in names:
        taken = sum(each.startswith(name) for each in apart) if name in apart else 0
        apart.append(f"{name}_{taken}" if taken else name)
    return tuple(apart)

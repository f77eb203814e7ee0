"""
A selector as one generated function: does an event, whose type fits, pass?

    def decides(event, values):
        if event.source != '/shop': return False
        event_data = event.data
        fields = event_data if event_data.__class__ is dict else nothing_1
        v2_plan = fields.get('plan', missing_3)
        if v2_plan.__class__ is list:
            for v4 in v2_plan:
                if (v4 == 'pro'): break
            else: return False
        elif not (v2_plan == 'pro'): return False
        …
        return v9 > 500.0

Invariant: it gives what the tests in `conditions` and the expression of `where` give, and
raises `EvaluationError` where that does. Data is as JSON decodes it: what is not exactly a
`dict` or `list` has no fields or elements. Rejected: those tests alone, which take 3 to 6
times as long (bench/match_event.py prints both).

What is rare (`$or`, members of objects in arrays, deep nesting) is left to those tests.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from oncue.core.event import Event
from oncue.core.expression import Checked
from oncue.core.expression.compiler import compile_body
from oncue.core.expression.writing import Part
from oncue.core.json_text import Json
from oncue.core.pattern.conditions import (
    EMPTY,
    MISSING,
    AnyOf,
    AnythingBut,
    Clause,
    Conditions,
    Exists,
    Members,
    Of,
    ValueTest,
)
from oncue.core.pattern.operators import Begins, Ends, Is, Numeric
from oncue.core.pattern.reading import PARAMETERS, read_event, straighten

Decides: TypeAlias = Callable[[Event, Mapping[str, Json]], bool]

_NOTHING: Final[Mapping[str, Json]] = {}
# Beyond this the tests themselves are asked: Python bounds the depth of blocks.
_MAX_DEPTH: Final = 8
# Up to so many texts are compared faster one by one than hashed.
_FEW: Final = 4


def compile_predicate(
    source: str | None, conditions: Conditions | None, where: Checked | None
) -> Decides:
    """Return a selector's clauses as one function; it raises `EvaluationError` as `where` does."""
    trees = [straighten(where.tree)] if where else []

    def write(part: Part) -> None:
        if source is not None:
            part.line(f"if event.source != {part.constant(source)}: return False")
        if conditions:
            part.line("data = event.data")
            _write_clauses(part, "data", [clause for _, clause in conditions.clauses], 0)
        with read_event(part, trees):
            for tree in trees:
                part.line(f"return {part.emit_bool(tree)}")
        if not trees:
            part.line("return True")

    decides: Decides
    decides, _ = compile_body("decides", PARAMETERS, write)
    return decides


def _write_clauses(part: Part, data: str, clauses: Sequence[Clause], depth: int) -> None:
    fields = ""
    for clause in clauses:
        if not isinstance(clause, Of) or depth > _MAX_DEPTH:
            holds = part.module.name_constant("holds", clause.holds)
            part.line(f"if not {holds}({data}): return False")
            continue
        if not fields:
            nothing = part.module.name_constant("nothing", _NOTHING)
            fields = part.named(f"{data} if {data}.__class__ is dict else {nothing}", "fields")
        value = part.named(f"{fields}.get({clause.name!r}, {_missing(part)})", clause.name)
        _write_field(part, value, clause, depth)


def _write_field(part: Part, value: str, clause: Of, depth: int) -> None:
    if isinstance(clause.test, Members):
        passes = part.module.name_constant("passes", clause.passes)
        with part.block(f"if {value}.__class__ is dict:"):
            _write_clauses(part, value, clause.test.clauses, depth + 1)
        part.line(f"elif not {passes}({value}): return False")
        return
    with part.block(f"if {value}.__class__ is list:"):
        element = part.fresh()
        with part.block(f"for {element} in {value}:"):
            part.line(f"if {_inline(part, element, clause.test)}: break")
        # An empty array is judged by what its missing element would pass.
        with part.block("else:"):
            part.line(f"if {value}: return False" if clause.test.holds(EMPTY) else "return False")
    part.line(f"elif not {_inline(part, value, clause.test)}: return False")


def _inline(part: Part, value: str, test: ValueTest) -> str:
    """Return `test` of the value that `value` names as an expression."""
    match test:
        case Is(wanted):
            return _equality(part, value, wanted)
        case Begins(prefix):
            return f"({value}.__class__ is str and {value}.startswith({part.constant(prefix)}))"
        case Ends(suffix):
            return f"({value}.__class__ is str and {value}.endswith({part.constant(suffix)}))"
        case Numeric(limits):
            bounds = [
                f"{value} {'==' if name == '=' else name} {part.constant(limit)}"
                for name, limit in limits
            ]
            is_number = f"({value}.__class__ is int or {value}.__class__ is float)"
            return f"({' and '.join([is_number, *bounds])})"
        case Exists(wanted):
            return f"({value} is {'not ' if wanted else ''}{_missing(part)})"
        case AnythingBut(refused):
            return f"({value} is not {_missing(part)} and not {_inline(part, value, refused)})"
        case AnyOf(ways) if ways:
            return _any_of(part, value, ways)
        case _:
            return f"{part.module.name_constant('holds', test.holds)}({value})"


def _equality(part: Part, value: str, wanted: str | float | None) -> str:
    if wanted is None or wanted is True or wanted is False:
        return f"({value} is {wanted})"
    if isinstance(wanted, str):
        return f"({value} == {part.constant(wanted)})"
    # In Python True == 1.
    return f"({value} == {part.constant(wanted)} and {value}.__class__ is not bool)"


def _any_of(part: Part, value: str, ways: Sequence[ValueTest]) -> str:
    texts = [way.wanted for way in ways if isinstance(way, Is) and isinstance(way.wanted, str)]
    others = [
        _inline(part, value, way)
        for way in ways
        if not (isinstance(way, Is) and isinstance(way.wanted, str))
    ]
    if len(texts) > _FEW:
        among = part.module.name_constant("texts", frozenset(texts))
        others.append(f"({value}.__class__ is str and {value} in {among})")
    elif texts:
        others.append(f"({value} in {part.module.name_constant('texts', tuple(texts))})")
    return f"({' or '.join(others)})"


def _missing(part: Part) -> str:
    return part.module.name_constant("missing", MISSING)

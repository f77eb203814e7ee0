"""The innermost SELECT of a statement with windows: what its names mean, and its aggregates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlglot import exp

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.select.aggregates import (
    Aggregate,
    Counted,
    CountedDistinct,
    Greatest,
    Highest,
    Least,
    Lowest,
    Mean,
    Sliding,
    Total,
)
from oncue.core.pattern.select.columns import Values
from oncue.core.pattern.threshold.grids import Span
from oncue.core.sql.arithmetic import interval
from oncue.core.sql.columns import EventScope, reference
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.scalars import Compiler, Scalar, Scope, Sort
from oncue.core.sql.select.levels import Query, function_shape
from oncue.core.sql.select.windowing import BOUNDS, Shape, Windowing, windowing_of
from oncue.core.sql.text import Piece


@dataclass(frozen=True, slots=True)
class Group:
    """A window of a key that is over: the values of the key, its span, and its aggregates."""

    keys: Values
    span: Span
    results: Values


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """An aggregate: how it begins where rows are only added, and where they leave, and what it takes."""

    closing: Callable[[], Aggregate]
    sliding: Callable[[], Sliding]
    of: Callable[[Event], Json]


_MADE: Final[Mapping[type[exp.Expr], tuple[type[Aggregate], type[Sliding], Sort]]] = {
    exp.Count: (Counted, Counted, Sort.ANY),
    exp.Sum: (Total, Total, Sort.NUMBER),
    exp.Avg: (Mean, Mean, Sort.NUMBER),
    exp.Min: (Least, Lowest, Sort.ANY),
    exp.Max: (Greatest, Highest, Sort.ANY),
}


# `big_int` says what sqlglot takes a COUNT for.
_ARGUMENTS: Final = ("this", "big_int")


class Measures:
    """The aggregates that a statement asks for, each once."""

    def __init__(self, piece: Piece, scope: EventScope) -> None:
        self.all: list[Measured] = []
        self._piece = piece
        self._scope = scope
        self._places: dict[str, tuple[int, Sort]] = {}

    def place(self, node: exp.Expr) -> tuple[int, Sort] | None:
        """
        Return at which place of the results an aggregate stands, and what it gives; None: it is none.

        Raises:
            InvalidInput: it is one that cannot be made.
        """
        inner = node.this if isinstance(node, exp.Filter) else node
        if not isinstance(inner, exp.AggFunc):
            return None
        key = node.sql()
        if key not in self._places:
            measured, sort = self._measured(node)
            self._places[key] = len(self.all), sort
            self.all.append(measured)
        return self._places[key]

    def _measured(self, node: exp.Expr) -> tuple[Measured, Sort]:
        compiler = Expressions(self._piece, self._scope)
        inner = node.this if isinstance(node, exp.Filter) else node
        made = _MADE.get(type(inner))
        if made is None:
            name = inner.sql().partition("(")[0].upper()
            raise compiler.refusal(node, f"expected COUNT, SUM, AVG, MIN or MAX, got {name}")
        closing, sliding, sort = made
        argument = inner.this
        others = [name for name, given in inner.args.items() if given and name not in _ARGUMENTS]
        if argument is None or others:
            raise compiler.refusal(node, "expected one value in an aggregate, or COUNT(*)")
        if isinstance(argument, exp.Distinct):
            if len(argument.expressions) != 1 or isinstance(inner, exp.Sum | exp.Avg):
                raise compiler.refusal(node, "expected DISTINCT of one value, in COUNT(DISTINCT …)")
            argument = argument.expressions[0]
            if isinstance(inner, exp.Count):
                closing = sliding = CountedDistinct
        gives = Sort.NUMBER
        if isinstance(argument, exp.Star):
            of: Callable[[Event], Json] = _one
        else:
            scalar = compiler.of_sort(argument, sort)
            of = scalar.of
            if isinstance(inner, exp.Min | exp.Max):
                gives = scalar.sort
        return Measured(closing, sliding, self._filtered(node, compiler, of)), gives

    def _filtered(
        self, node: exp.Expr, compiler: Compiler[Event], of: Callable[[Event], Json]
    ) -> Callable[[Event], Json]:
        if not isinstance(node, exp.Filter):
            return of
        clause = node.expression
        where = clause.this if isinstance(clause, exp.Where) else clause
        holds = compiler.of_sort(where, Sort.TRUTH).of
        return lambda event: of(event) if holds(event) is True else None


def _one(_: Event) -> Json:
    return 1


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A part of the key: the expression of GROUP BY, its name, and what it is of an event."""

    node: exp.Expr
    name: str
    scalar: Scalar[Event]


def same(one: exp.Expr, other: exp.Expr, alias: str) -> bool:
    """Return whether two expressions are the same, where names may begin with the table's."""
    return _spelled(one, alias) == _spelled(other, alias)


def _spelled(node: exp.Expr, alias: str) -> object:
    found = reference(node)
    if found is None:
        return node.sql(normalize_functions="lower")
    found = found.below(alias)
    return found.names[0].name.lower(), found.path


class GroupScope(Scope[Group]):
    """Names are parts of the key and bounds of the window; functions are aggregates of its rows."""

    def __init__(
        self, windowing: Windowing, keys: Sequence[Key], measures: Measures, query: Query
    ) -> None:
        self._windowing = windowing
        self._keys = keys
        self._measures = measures
        self._query = query

    def call(self, node: exp.Expr, compiler: Compiler[Group]) -> Scalar[Group] | None:
        """Return an aggregate, or a bound by the function for it."""
        for place, key in enumerate(self._keys):
            if same(node, key.node, self._query.aliases[0]):
                return Scalar(key.scalar.sort, _key_at(place))
        if isinstance(node, exp.Window):
            raise compiler.refusal(
                node, "expected OVER in a SELECT without GROUP BY, or around this one"
            )
        placed = self._measures.place(node)
        if placed is not None:
            return Scalar(placed[1], _result_at(placed[0]))
        return self._bound(node, compiler)

    def column(self, node: exp.Expr, compiler: Compiler[Group]) -> Scalar[Group] | None:
        """Return a bound of the window by its name."""
        found = reference(node)
        if found is None:
            return None
        found = found.below(self._query.aliases[0])
        name = found.names[0].name.lower()
        if name in _BOUNDS and not found.path:
            return Scalar(Sort.INSTANT, _BOUNDS[name])
        shown = node.sql()
        raise compiler.refusal(
            node, f"expected {shown} in GROUP BY or inside of an aggregate, such as MAX({shown})"
        )

    def _bound(self, node: exp.Expr, compiler: Compiler[Group]) -> Scalar[Group] | None:
        name = node.name.upper() if isinstance(node, exp.Anonymous) else ""
        shape, _, suffix = name.partition("_")
        if suffix not in BOUNDS or shape not in tuple(Shape):
            return None
        windowing = windowing_in(node, Shape(shape), compiler, self._query)
        if windowing != self._windowing:
            raise compiler.refusal(node, f"expected {name} of the same windows as in GROUP BY")
        return Scalar(Sort.INSTANT, _BOUNDS[BOUNDS[suffix]])


def windowing_in(node: exp.Expr, shape: Shape, compiler: Compiler[Any], query: Query) -> Windowing:
    """
    Return the windows that a function of event time names.

    Raises:
        InvalidInput: its arguments are others.
    """
    column, *lengths = node.expressions or [None]
    found = reference(column) if column is not None else None
    read = query.read
    if not read.is_time(found, query.aliases[0]):
        raise compiler.refusal(
            node,
            f"expected {shape}({read.time}, INTERVAL …): windows are of event time{read.timed}",
        )
    spans: list[int] = []
    for length in lengths:
        if not isinstance(length, exp.Interval):
            raise compiler.refusal(
                node, f"expected intervals after {read.time} in {shape}, got {length.sql()!r}"
            )
        span = interval(compiler, length).constant
        spans.append(span if isinstance(span, int) else 0)
    windowing = windowing_of(shape, spans)
    if isinstance(windowing, str):
        raise compiler.refusal(node, windowing)
    return windowing


def window_function(node: exp.Expr) -> Shape | None:
    """Return which windows a part of GROUP BY makes; None, if it is a part of the key."""
    shape = function_shape(node)
    return Shape(shape) if shape else None


_BOUNDS: Final[Mapping[str, Callable[[Group], Json]]] = {
    "window_start": lambda group: group.span[0],
    "window_end": lambda group: group.span[1],
    "window_time": lambda group: group.span[1] - 1,
}


def _key_at(place: int) -> Callable[[Group], Json]:
    return lambda group: group.keys[place]


def _result_at(place: int) -> Callable[[Group], Json]:
    return lambda group: group.results[place]

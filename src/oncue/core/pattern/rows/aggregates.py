"""Aggregates over the rows of a match, from the text to the register that keeps them."""

from collections.abc import Callable
from typing import Final

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.pattern.rows.registers import (
    Aggregate,
    Average,
    Count,
    CountDistinct,
    Extreme,
    Greatest,
    Sum,
)
from oncue.core.pattern.rows.row import Here
from oncue.core.sql.scalars import Compiler, Scalar, Sort, spelled

_AGGREGATES: Final[dict[type[exp.Expr], tuple[type[Aggregate], Sort]]] = {
    exp.Count: (Count, Sort.ANY),
    exp.Sum: (Sum, Sort.NUMBER),
    exp.Avg: (Average, Sort.NUMBER),
    exp.Min: (Extreme, Sort.ANY),
    exp.Max: (Greatest, Sort.ANY),
}


def compile_aggregate(
    node: exp.Expr, compiler: Compiler[Here], mask_of: Callable[[exp.Identifier], int | None]
) -> tuple[Aggregate, Sort]:
    """
    Return what keeps an aggregate, and what it gives.

    Its mask is that of all rows, unless it counts the rows of a variable, `COUNT(A.*)`.

    Raises:
        InvalidInput: it is none that a row pattern can keep.
    """
    counts: Callable[[Here], bool] = _everything
    key = repr(node)
    if isinstance(node, exp.Filter):
        where = node.expression.this if isinstance(node.expression, exp.Where) else node.expression
        condition = compiler.of_sort(where, Sort.TRUTH).of
        counts = _true_of(condition)
        node = node.this
    found = _AGGREGATES.get(type(node))
    if found is None:
        name = spelled(node).partition("(")[0].upper()
        raise compiler.refusal(node, f"expected COUNT, SUM, AVG, MIN or MAX, got {name}")
    type_, sort = found
    if node.expressions:
        raise compiler.refusal(node, "expected one argument of an aggregate")
    argument = node.this
    if isinstance(argument, exp.Distinct):
        if type_ not in (Count, Extreme, Greatest) or len(argument.expressions) != 1:
            raise compiler.refusal(node, "expected DISTINCT in COUNT(DISTINCT …) alone")
        argument = argument.expressions[0]
        type_ = CountDistinct if type_ is Count else type_
    if isinstance(argument, exp.Star):
        return type_(-1, key, _one, counts), Sort.NUMBER
    if isinstance(argument, exp.Column) and isinstance(argument.this, exp.Star):
        mask = mask_of(argument.args["table"])
        if mask is None:
            raise compiler.refusal(
                node, f"expected a variable of the pattern before '*' in {spelled(node)}"
            )
        return type_(mask, key, _one, counts), Sort.NUMBER
    scalar = compiler.of_sort(argument, sort)
    gives = scalar.sort if type_ in (Extreme, Greatest) else Sort.NUMBER
    return type_(-1, key, _kept(scalar, gives), counts), gives


def _kept(scalar: Scalar[Here], gives: Sort) -> Callable[[Here], Json]:
    of = scalar.of
    if gives is not Sort.ANY:
        return of

    def plain(here: Here) -> Json:
        value = of(here)
        # What has no order is neither the least nor the greatest.
        return value if isinstance(value, str | int | float) else None

    return plain


def _one(_: Here) -> Json:
    return 1


def _everything(_: Here) -> bool:
    return True


def _true_of(condition: Callable[[Here], Json]) -> Callable[[Here], bool]:
    return lambda here: condition(here) is True

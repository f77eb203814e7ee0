"""Numbers, instants and intervals: what is added, subtracted and converted."""

import math
from collections.abc import Callable
from typing import Final, TypeVar

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.sql import values
from oncue.core.sql.scalars import Compiler, Scalar, Sort, constant_of, spelled

C = TypeVar("C")

_UNITS_MS: Final = {
    "MILLISECOND": 1,
    "SECOND": 1_000,
    "MINUTE": 60_000,
    "HOUR": 3_600_000,
    "DAY": 86_400_000,
    "WEEK": 7 * 86_400_000,
}
_SUMS: Final = {
    ("+", Sort.INSTANT, Sort.SPAN): Sort.INSTANT,
    ("+", Sort.SPAN, Sort.INSTANT): Sort.INSTANT,
    ("-", Sort.INSTANT, Sort.SPAN): Sort.INSTANT,
    ("-", Sort.INSTANT, Sort.INSTANT): Sort.SPAN,
    ("+", Sort.SPAN, Sort.SPAN): Sort.SPAN,
    ("-", Sort.SPAN, Sort.SPAN): Sort.SPAN,
}


def span_ms(amount: str, unit: str) -> int | None:
    """
    Return how long an interval is, in milliseconds; None, if it has no fixed length.

    >>> span_ms("1.5", "minutes"), span_ms("1", "month")
    (90000, None)
    """
    scale = _UNITS_MS.get(unit.upper().removesuffix("S"))
    number = values.read_number(amount.strip())
    if scale is None or not isinstance(number, int | float):
        return None
    return round(number * scale)


def interval(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    """Return an interval of fixed length."""
    unit = node.args.get("unit")
    amount = node.this.name if node.this is not None else ""
    length = span_ms(amount, unit.name if unit is not None else "")
    if length is None:
        got = spelled(node)
        raise compiler.refusal(
            node, f"expected an interval such as INTERVAL '5' MINUTE, up to weeks, got {got!r}"
        )
    return constant_of(length, Sort.SPAN)


def arithmetic(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    """Return what two values give: numbers, or instants and intervals."""
    nodes = node.this, node.expression
    left, right = (compiler.compile(each) for each in nodes)
    symbol = "+" if isinstance(node, exp.Add) else "-" if isinstance(node, exp.Sub) else ""
    if symbol and {left.sort, right.sort} & {Sort.INSTANT, Sort.SPAN}:
        # Beside an instant or an interval, what may be anything is taken for an instant.
        left, right = (
            compiler.taken_for(each, Sort.INSTANT, at) if each.sort is Sort.ANY else each
            for each, at in zip((left, right), nodes, strict=True)
        )
        given = _SUMS.get((symbol, left.sort, right.sort))
        if given is None:
            raise compiler.refusal(
                node,
                f"expected an interval to add or subtract, got {left.sort.value}"
                f" {symbol} {right.sort.value}",
            )
        return _pair(given, left, right, _ARITHMETIC[type(node)])
    left, right = (
        compiler.taken_for(each, Sort.NUMBER, at)
        for each, at in zip((left, right), nodes, strict=True)
    )
    return _pair(Sort.NUMBER, left, right, _ARITHMETIC[type(node)])


def _pair(
    sort: Sort,
    left: Scalar[C],
    right: Scalar[C],
    combine: Callable[..., Json],
) -> Scalar[C]:
    first_of, second_of = left.of, right.of

    def evaluate(context: C) -> Json:
        first, second = first_of(context), second_of(context)
        if first is None or second is None:
            return None
        try:
            return combine(first, second)
        except (ArithmeticError, ValueError):
            return None

    return Scalar(sort, evaluate)


def remainder(first: float, second: float) -> Json:
    """Return what is left of a division that rounds towards zero."""
    if isinstance(first, int) and isinstance(second, int):
        left = abs(first) % abs(second)
        return -left if first < 0 else left
    return values.bounded(first - second * int(first / second))


def _quotient(first: float, second: float) -> Json:
    if isinstance(first, int) and isinstance(second, int):
        whole = abs(first) // abs(second)
        return whole if (first < 0) is (second < 0) else -whole
    return values.bounded(float(int(first / second)))


_ARITHMETIC: Final[dict[type[exp.Expr], Callable[[float, float], Json]]] = {
    exp.Add: lambda first, second: values.bounded(first + second),
    exp.Sub: lambda first, second: values.bounded(first - second),
    exp.Mul: lambda first, second: values.bounded(first * second),
    exp.Div: lambda first, second: values.bounded(first / second),
    exp.IntDiv: _quotient,
    exp.Pow: lambda first, second: values.bounded(math.pow(first, second)),
    exp.Mod: remainder,
}


def negative(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    """Return a number with the other sign."""
    number = compiler.of_sort(node.this, Sort.NUMBER)
    if isinstance(number.constant, int | float):
        return constant_of(-number.constant, Sort.NUMBER)
    of = number.of

    def evaluate(context: C) -> Json:
        value = of(context)
        return None if value is None else -value  # type: ignore[operator]  # it is a number

    return Scalar(Sort.NUMBER, evaluate)


def cast(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    """Return a value as another sort; what cannot be is NULL, since a stream cannot stop at it."""
    type_ = node.args["to"].this
    scalar = compiler.compile(node.this)
    kinds = exp.DataType
    if type_ in kinds.TEXT_TYPES:
        spell = values.spelled_instant if scalar.sort is Sort.INSTANT else values.spelled
        return _converted(scalar, Sort.TEXT, spell)
    if type_ in kinds.INTEGER_TYPES:
        return _converted(scalar, Sort.NUMBER, _whole)
    if type_ in kinds.NUMERIC_TYPES:
        return _converted(scalar, Sort.NUMBER, values.read_number)
    if type_ is kinds.Type.BOOLEAN:
        return _converted(scalar, Sort.TRUTH, values.read_truth)
    if type_ in (kinds.Type.TIMESTAMP, kinds.Type.TIMESTAMPTZ, kinds.Type.TIMESTAMPNTZ):
        return compiler.taken_for(scalar, Sort.INSTANT, node)
    got = spelled(node.args["to"])
    raise compiler.refusal(
        node, f"expected VARCHAR, BIGINT, DOUBLE, BOOLEAN or TIMESTAMP to cast to, got {got}"
    )


def _whole(value: Json) -> Json:
    number = values.read_number(value)
    return round(number) if isinstance(number, int | float) else None


def _converted(scalar: Scalar[C], sort: Sort, convert: Callable[[Json], Json]) -> Scalar[C]:
    if scalar.constant is not None:
        return constant_of(convert(scalar.constant), sort)
    of = scalar.of
    return Scalar(sort, lambda context: convert(of(context)))

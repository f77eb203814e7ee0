"""Conditions of SQL: comparison, three-valued logic, CASE and COALESCE."""

import operator
from collections.abc import Callable
from typing import Any, Final, TypeVar

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.sql import values
from oncue.core.sql.scalars import Compiler, Scalar, Sort, alike, constant_of

C = TypeVar("C")


def literal(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    if node.args.get("is_string"):
        return constant_of(node.name, Sort.TEXT)
    number = values.read_number(node.name)
    if number is None:
        raise compiler.refusal(node, f"expected a number, got {node.name!r}")
    return constant_of(number, Sort.NUMBER)


def boolean(_: Compiler[C], node: exp.Expr) -> Scalar[C]:
    return constant_of(bool(node.this), Sort.TRUTH)


def null(_: Compiler[C], __: exp.Expr) -> Scalar[C]:
    return constant_of(None, Sort.ANY)


def parameter(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    """Return the value that a statement was given for a parameter."""
    params = compiler.piece.statement.params
    got = f"${node.name}" if node.name else "?"
    if params is None:
        raise compiler.refusal(node, f"expected a value, got {got}: a stream has no parameters")
    if node.name not in params:
        raise compiler.refusal(node, f"expected a value for {got} in `params`, got none")
    value = params[node.name]
    return constant_of(value, _sort_of(value))


def _sort_of(value: Json) -> Sort:
    match value:
        case bool():
            return Sort.TRUTH
        case int() | float():
            return Sort.NUMBER
        case str():
            return Sort.TEXT
        case _:
            return Sort.ANY


def inner(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    return compiler.compile(node.this)


def logic(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    combine = values.conjunction if isinstance(node, exp.And) else values.disjunction
    decided = isinstance(node, exp.Or)
    left = compiler.of_sort(node.this, Sort.TRUTH).of
    right = compiler.of_sort(node.expression, Sort.TRUTH).of

    def evaluate(context: C) -> Json:
        first = left(context)
        return decided if first is decided else combine(first, right(context))

    return Scalar(Sort.TRUTH, evaluate)


def negated(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    of = compiler.of_sort(node.this, Sort.TRUTH).of
    return Scalar(Sort.TRUTH, lambda context: values.negation(of(context)))


def comparison(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    sort, (left, right) = alike(compiler, [node.this, node.expression])
    holds = next(test for type_, test in _ORDERS if isinstance(node, type_))
    if sort is not Sort.ANY:
        return _of_both(left, right, holds)

    def evaluate(context: C) -> Json:
        placed = values.order(left(context), right(context))
        return None if placed is None else holds(placed, 0)

    return Scalar(Sort.TRUTH, evaluate)


_ORDERS: Final[tuple[tuple[type[exp.Expr], Callable[[Any, Any], bool]], ...]] = (
    (exp.LT, operator.lt),
    (exp.LTE, operator.le),
    (exp.GT, operator.gt),
    (exp.GTE, operator.ge),
)


def _of_both(
    left: Callable[[C], Json], right: Callable[[C], Json], holds: Callable[[Any, Any], bool]
) -> Scalar[C]:
    """Return what holds of two values of one sort; NULL where one of them is."""

    def evaluate(context: C) -> Json:
        first, second = left(context), right(context)
        return None if first is None or second is None else holds(first, second)

    return Scalar(Sort.TRUTH, evaluate)


def equality(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    sort, (left, right) = alike(compiler, [node.this, node.expression])
    if sort is not Sort.ANY:
        return _of_both(left, right, operator.ne if isinstance(node, exp.NEQ) else operator.eq)
    if isinstance(node, exp.NEQ):
        return Scalar(
            Sort.TRUTH,
            lambda context: values.negation(values.are_equal(left(context), right(context))),
        )
    return Scalar(Sort.TRUTH, lambda context: values.are_equal(left(context), right(context)))


def sameness(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    _, (left, right) = alike(compiler, [node.this, node.expression])
    is_same = isinstance(node, exp.NullSafeEQ)

    def evaluate(context: C) -> Json:
        first, second = left(context), right(context)
        if first is None or second is None:
            return (first is second) is is_same
        return (values.are_equal(first, second) is True) is is_same

    return Scalar(Sort.TRUTH, evaluate)


def is_(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    if isinstance(node.expression, exp.Null):
        of = compiler.compile(node.this).of
        return Scalar(Sort.TRUTH, lambda context: of(context) is None)
    if not isinstance(node.expression, exp.Boolean):
        raise compiler.refusal(node, "expected NULL, TRUE or FALSE after IS")
    wanted = bool(node.expression.this)
    tested = compiler.of_sort(node.this, Sort.TRUTH).of
    return Scalar(Sort.TRUTH, lambda context: tested(context) is wanted)


def between(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    bounds = [node.this, node.args["low"], node.args["high"]]
    _, (value, low, high) = alike(compiler, bounds)

    def evaluate(context: C) -> Json:
        here = value(context)
        below, above = values.order(low(context), here), values.order(here, high(context))
        return values.conjunction(
            None if below is None else below <= 0, None if above is None else above <= 0
        )

    return Scalar(Sort.TRUTH, evaluate)


def in_(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    if node.args.get("query") or not node.expressions:
        raise compiler.refusal(node, "expected a list of values after IN, got a query")
    _, (value, *others) = alike(compiler, [node.this, *node.expressions])

    def evaluate(context: C) -> Json:
        here = value(context)
        found: Json = False
        for other in others:
            found = values.disjunction(found, values.are_equal(here, other(context)))
            if found is True:
                break
        return found

    return Scalar(Sort.TRUTH, evaluate)


def like(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    escape = ""
    if isinstance(node, exp.Escape):
        escape, node = node.expression.name[:1], node.this
    ignores_case = isinstance(node, exp.ILike)
    value = compiler.of_sort(node.this, Sort.TEXT).of
    pattern = compiler.of_sort(node.expression, Sort.TEXT).of

    def evaluate(context: C) -> Json:
        text, shape = value(context), pattern(context)
        if not isinstance(text, str) or not isinstance(shape, str):
            return None
        return values.like(shape, escape, ignores_case=ignores_case)(text) is not None

    return Scalar(Sort.TRUTH, evaluate)


def case(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    branches = [node] if isinstance(node, exp.If) else list(node.args["ifs"])
    tests: list[Callable[[C], Json]] = []
    for branch in branches:
        test = branch.this
        if isinstance(node, exp.Case) and node.this is not None:
            test = exp.EQ(this=node.this.copy(), expression=test.copy())
        tests.append(compiler.of_sort(test, Sort.TRUTH).of)
    otherwise = node.args.get("false" if isinstance(node, exp.If) else "default") or exp.Null()
    results = [branch.args["true"] for branch in branches]
    sort, (*thens, last) = alike(compiler, [*results, otherwise])

    def evaluate(context: C) -> Json:
        for test, then in zip(tests, thens, strict=True):
            if test(context) is True:
                return then(context)
        return last(context)

    return Scalar(sort, evaluate)


def coalesce(compiler: Compiler[C], node: exp.Expr) -> Scalar[C]:
    sort, options = alike(compiler, [node.this, *node.expressions])

    def evaluate(context: C) -> Json:
        for option in options:
            found = option(context)
            if found is not None:
                return found
        return None

    return Scalar(sort, evaluate)

"""All that an expression may be made of; names and special functions are those of a scope."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias, TypeVar

from sqlglot import exp

from oncue.core.problems import nearest
from oncue.core.sql import arithmetic, functions, logic
from oncue.core.sql.scalars import Compiler, Scalar, spelled

C = TypeVar("C")

_Form: TypeAlias = Callable[[Compiler[Any], exp.Expr], Scalar[Any]]

_FORMS: Final[tuple[tuple[tuple[type[exp.Expr], ...], _Form], ...]] = (
    ((exp.Literal,), logic.literal),
    ((exp.Boolean,), logic.boolean),
    ((exp.Null,), logic.null),
    ((exp.Placeholder, exp.Parameter), logic.parameter),
    ((exp.Paren,), logic.inner),
    ((exp.And, exp.Or), logic.logic),
    ((exp.Not,), logic.negated),
    ((exp.LT, exp.LTE, exp.GT, exp.GTE), logic.comparison),
    ((exp.EQ, exp.NEQ), logic.equality),
    ((exp.NullSafeEQ, exp.NullSafeNEQ), logic.sameness),
    ((exp.Is,), logic.is_),
    ((exp.Between,), logic.between),
    ((exp.In,), logic.in_),
    ((exp.Like, exp.ILike, exp.Escape), logic.like),
    ((exp.Case, exp.If), logic.case),
    ((exp.Coalesce,), logic.coalesce),
    ((exp.Nullif,), functions.null_if),
    ((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Pow), arithmetic.arithmetic),
    ((exp.Neg,), arithmetic.negative),
    ((exp.Interval,), arithmetic.interval),
    ((exp.Cast, exp.TryCast), arithmetic.cast),
    ((exp.DPipe, exp.Concat), functions.concatenation),
    ((exp.Greatest, exp.Least), functions.extreme),
    (functions.CALLS, functions.call),
)
CALLS: Final = tuple(type_ for types, _ in _FORMS for type_ in types)
"""What expressions are made of, whatever the scope."""


class Expressions(Compiler[C]):
    """Compiles the expressions of one piece in one scope."""

    def compile(self, node: exp.Expr) -> Scalar[C]:
        """
        Return an expression that can be evaluated.

        Raises:
            InvalidInput: it means nothing here.
        """
        found = self.scope.call(node, self) or self.scope.column(node, self)
        if found is not None:
            return found
        for types, form in _FORMS:
            if isinstance(node, types):
                return form(self, node)
        if isinstance(node, exp.Anonymous):
            name = node.name.lower()
            raise self.refusal(
                node,
                f"expected a function that can be streamed, got {name}()"
                f"{nearest(name, (*functions.NAMES, *self.scope.functions))}",
            )
        got = spelled(node)
        raise self.refusal(node, f"expected an expression that can be streamed, got {got[:60]!r}")

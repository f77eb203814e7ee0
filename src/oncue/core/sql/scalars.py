"""
From an expression of SQL to a function of whatever it is evaluated in.

sqlglot reads the text; a scope says what names and special functions mean; what
stands between is the same everywhere: three-valued logic, and types that are told
when a pattern is saved. A path into `data` may be anything, so it is taken for
what is done with it, and is NULL where an event has something else there.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.sql import values
from oncue.core.sql.text import Piece

DIALECT: Final = "duckdb"
MAX_DEPTH: Final = 100

C = TypeVar("C")
C_contra = TypeVar("C_contra", contravariant=True)


class Sort(StrEnum):
    """What an expression gives."""

    NUMBER = "a number"
    TEXT = "a text"
    TRUTH = "a truth value"
    INSTANT = "an instant"
    SPAN = "an interval"
    ANY = "a value"


@dataclass(frozen=True, slots=True)
class Scalar(Generic[C_contra]):
    """An expression that can be evaluated; `constant` is its value, where it has but one."""

    sort: Sort
    of: Callable[[C_contra], Json]
    constant: Json = None


class Scope(ABC, Generic[C]):
    """
    What names mean, and functions that are more than functions of their arguments.

    `functions` are the names of these, to suggest from.
    """

    functions: tuple[str, ...] = ()

    @abstractmethod
    def column(self, node: exp.Expr, compiler: "Compiler[C]") -> Scalar[C] | None:
        """Return what a name or a path stands for; None, if the node is neither."""

    @abstractmethod
    def call(self, node: exp.Expr, compiler: "Compiler[C]") -> Scalar[C] | None:
        """Return what a function of this scope gives; None, if it is none of them."""


def read(piece: Piece) -> exp.Expr:
    """
    Return the expression or the query that a piece of a statement spells.

    Raises:
        InvalidInput: it spells none.
    """
    try:
        tree = sqlglot.parse_one(piece.text, dialect=DIALECT)
    except SqlglotError as exc:
        error = exc.errors[0] if isinstance(exc, ParseError) and exc.errors else {}
        words = str(error.get("highlight") or "").strip()
        at = piece.text.find(words) if words else -1
        place = piece.source(at) if at >= 0 else piece.start
        raise piece.statement.refusal(
            place, f"expected SQL, got {words!r}" if words else "expected an expression"
        ) from exc
    except RecursionError as exc:
        raise piece.statement.refusal(
            piece.start, "expected an expression that is less deep"
        ) from exc
    if _depth(tree) > MAX_DEPTH:
        raise piece.statement.refusal(piece.start, "expected an expression that is less deep")
    return tree


def spelled(node: exp.Expr) -> str:
    """Return a node as SQL, for people; one that cannot be written by its kind."""
    try:
        return node.sql(dialect=DIALECT, unsupported_level=ErrorLevel.IGNORE)
    except (SqlglotError, ValueError):
        return node.key.upper()


def _depth(tree: exp.Expr) -> int:
    deepest, level = 0, [tree]
    while level and deepest <= MAX_DEPTH:
        level = [child for node in level for child in node.iter_expressions()]
        deepest += 1
    return deepest


class Compiler(ABC, Generic[C]):
    """Compiles the expressions of one piece in one scope."""

    def __init__(self, piece: Piece, scope: Scope[C]) -> None:
        self.piece = piece
        self.scope = scope

    def refusal(self, node: exp.Expr, message: str) -> InvalidInput:
        """Return what to raise: what is wrong with a node, with its place."""
        return self.piece.statement.refusal(self.place(node), message)

    def place(self, node: exp.Expr) -> int:
        """Return where in the user's text a node stands, as far as that is known."""
        starts = [
            start
            for name in node.find_all(exp.Identifier)
            if isinstance(start := name.meta.get("start"), int)
        ]
        return self.piece.source(min(starts)) if starts else self.piece.start

    @abstractmethod
    def compile(self, node: exp.Expr) -> Scalar[C]:
        """
        Return an expression that can be evaluated.

        Raises:
            InvalidInput: it means nothing here.
        """

    def of_sort(self, node: exp.Expr, sort: Sort) -> Scalar[C]:
        """
        Return an expression that gives a sort of values.

        Raises:
            InvalidInput: it gives another.
        """
        return self.taken_for(self.compile(node), sort, node)

    def taken_for(self, scalar: Scalar[C], sort: Sort, node: exp.Expr) -> Scalar[C]:
        """
        Return a scalar taken for a sort of values.

        Raises:
            InvalidInput: it is of another.
        """
        if sort in (scalar.sort, Sort.ANY):
            return scalar
        if scalar.sort is Sort.TEXT and sort is Sort.INSTANT and scalar.constant is not None:
            if values.instant_of(scalar.constant) is None:
                raise self.refusal(
                    node,
                    f"expected an instant such as '2026-11-23T06:32:00Z', got {scalar.constant!r}",
                )
        elif scalar.sort is not Sort.ANY:
            raise self.refusal(node, f"expected {sort.value}, got {scalar.sort.value}")
        if scalar.constant is not None:
            return constant_of(values.instant_of(scalar.constant), sort)
        of = scalar.of
        if sort is Sort.INSTANT:
            return Scalar(sort, lambda context: values.instant_of(of(context)))
        classes = _CLASSES[sort]

        def taken(context: C) -> Json:
            value = of(context)
            return value if value.__class__ in classes else None

        return Scalar(sort, taken)


# No JSON value is an interval.
_CLASSES: Final[Mapping[Sort, tuple[type, ...]]] = {
    Sort.NUMBER: (int, float),
    Sort.TEXT: (str,),
    Sort.TRUTH: (bool,),
    Sort.SPAN: (),
}


def constant_of(value: Json, sort: Sort) -> Scalar[C]:
    """Return what always gives a value."""
    return Scalar(sort, lambda _: value, value)


def alike(
    compiler: Compiler[C], nodes: Sequence[exp.Expr], *, strict: bool = True
) -> tuple[Sort, list[Callable[[C], Json]]]:
    """
    Return several expressions taken for one sort of values, and that sort.

    Raises:
        InvalidInput: they are of several sorts.
    """
    scalars = [compiler.compile(node) for node in nodes]
    sorts = {scalar.sort for scalar in scalars} - {Sort.ANY}
    if Sort.INSTANT in sorts:
        sorts.discard(Sort.TEXT)
    if len(sorts) > 1 and not strict:
        return Sort.ANY, [scalar.of for scalar in scalars]
    sort = next((scalar.sort for scalar in scalars if scalar.sort in sorts), Sort.ANY)
    taken = [
        compiler.taken_for(scalar, sort, node) for scalar, node in zip(scalars, nodes, strict=True)
    ]
    return sort, [each.of for each in taken]

"""The columns that a SELECT gives: their names, and what they are of a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeAlias, TypeVar

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.problems import nearest
from oncue.core.sql.columns import is_star, reference, stepped
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.scalars import Compiler, Scalar, Scope, Sort
from oncue.core.sql.select.windowing import SPAN
from oncue.core.sql.text import Piece
from oncue.core.sql.values import spelled_instant

C = TypeVar("C")
Values: TypeAlias = tuple[Json, ...]
"""A row: the value of each column, in their order."""


@dataclass(frozen=True, slots=True)
class Column(Generic[C]):
    """A column by its name; `is_bound` names which bound of its window it is, if it is one."""

    name: str
    scalar: Scalar[C]
    bound: str = ""


@dataclass(frozen=True, eq=False)
class Projection(Generic[C]):
    """The columns of a SELECT, and which of its rows are wanted."""

    columns: Sequence[Column[C]]
    condition: Callable[[C], Json] | None

    def wants(self, context: C) -> bool:
        """Return whether WHERE or HAVING holds."""
        return self.condition is None or self.condition(context) is True

    @cached_property
    def values(self) -> Callable[[C], Values]:
        """What gives the row."""
        scalars = [column.scalar.of for column in self.columns]
        # From a list, and not one by one: half the time (bench/match_sql.py).
        return lambda context: tuple([of(context) for of in scalars])


def compile_columns(
    select: exp.Select, compiler: Expressions[C], star: Callable[[], Sequence[Column[C]]]
) -> list[Column[C]]:
    """
    Return the columns that a SELECT gives; `star` are those that `*` stands for.

    Raises:
        InvalidInput: one of them means nothing here.
    """
    columns: list[Column[C]] = []
    for item in select.expressions:
        inner = item.unalias()
        if is_star(inner):
            columns += star()
            continue
        name = item.alias if isinstance(item, exp.Alias) else name_of(inner)
        columns.append(Column(name, compiler.compile(inner), bound_of(inner)))
    return _told_apart(columns)


def name_of(node: exp.Expr) -> str:
    """Return the name of a column that was given none: that of the last step, or its text."""
    found = reference(node)
    return found.name if found else node.sql(dialect="duckdb", normalize_functions="lower")


def bound_of(node: exp.Expr) -> str:
    """Return which bound of a window a name is."""
    name = node.name.lower() if isinstance(node, exp.Column) else ""
    return name if name in SPAN else ""


def spells(columns: Sequence[Column[Values]]) -> Callable[[Values], dict[str, Json]]:
    """Return what gives a row as people see it: instants are text."""
    names = [column.name for column in columns]
    instants = [column.name for column in columns if column.scalar.sort is Sort.INSTANT]

    def shown(values: Values) -> dict[str, Json]:
        row = dict(zip(names, values, strict=True))
        for name in instants:
            row[name] = spelled_instant(row[name])
        return row

    return shown


def _told_apart(columns: list[Column[C]]) -> list[Column[C]]:
    """Return columns, those of a name that is taken with a number behind it."""
    taken: set[str] = set()
    apart: list[Column[C]] = []
    for column in columns:
        name, number = column.name, 0
        while name in taken:
            number += 1
            name = f"{column.name}_{number}"
        taken.add(name)
        apart.append(Column(name, column.scalar, column.bound))
    return apart


class RowScope(Scope[Values]):
    """Names are columns of the SELECT in FROM; functions are those of a subclass."""

    def __init__(self, columns: Sequence[Column[C]], alias: str) -> None:
        self.columns = [
            Column(column.name, Scalar(column.scalar.sort, _at(place)), column.bound)
            for place, column in enumerate(columns)
        ]
        self._alias = alias

    def column(self, node: exp.Expr, compiler: Compiler[Values]) -> Scalar[Values] | None:
        """Return what a name or a path stands for."""
        found = reference(node)
        if found is None:
            return None
        found = found.below(self._alias)
        name = found.names[0].name
        names = [column.name for column in self.columns]
        alike = [each for each in self.columns if each.name.lower() == name.lower()]
        if not alike:
            raise compiler.refusal(
                node,
                f"expected one of the columns {', '.join(names)} of what is in FROM ( … ),"
                f" got {name!r}{nearest(name, names)}",
            )
        return stepped(alike[0].scalar, found.path)

    def call(self, _: exp.Expr, __: Compiler[Values]) -> Scalar[Values] | None:
        """Return None: rows have no functions of their own."""
        return None


def _at(place: int) -> Callable[[Values], Json]:
    return lambda values: values[place]


def condition_of(
    clause: exp.Expr | None, piece: Piece, scope: Scope[C]
) -> Callable[[C], Json] | None:
    """
    Return the test of a WHERE or a HAVING; None, if there is none.

    Raises:
        InvalidInput: it is no condition.
    """
    if clause is None:
        return None
    return Expressions(piece, scope).of_sort(clause.this, Sort.TRUTH).of

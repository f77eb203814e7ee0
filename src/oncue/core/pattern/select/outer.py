"""
The SELECTs around the innermost one: each takes the rows of the one in it.

They choose rows and make columns of columns, and over windows they number the rows:

    SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end
        ORDER BY total DESC) AS n FROM (…)) WHERE n <= 3
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.pattern.select.aggregates import Ordered, ordered
from oncue.core.pattern.select.columns import (
    Column,
    Projection,
    RowScope,
    Values,
    compile_columns,
    condition_of,
    spells,
)
from oncue.core.pattern.threshold.values import canonical
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.scalars import Compiler, Scalar, Sort
from oncue.core.sql.select.levels import Query
from oncue.core.sql.select.windowing import SPAN

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Order:
    of: Callable[[Values], Json]
    is_descending: bool
    has_nulls_first: bool


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The numbers of rows inside of their parts; rows that are alike keep the order they came in."""

    partition: Sequence[Callable[[Values], Json]]
    orders: Sequence[_Order]

    def ranked(self, rows: Iterable[tuple[Values, T]]) -> list[tuple[Values, T]]:
        """Return rows in order with their number behind them."""
        found = list(rows)
        for order in reversed(self.orders):
            found.sort(key=lambda row: _place(order.of(row[0]), order), reverse=order.is_descending)
        counts: dict[tuple[str, ...], int] = {}
        numbered: list[tuple[Values, T]] = []
        for values, more in found:
            part = tuple(canonical(of(values)) for of in self.partition)
            counts[part] = counts.get(part, 0) + 1
            numbered.append(((*values, counts[part]), more))
        return numbered


def _place(value: Json, order: _Order) -> tuple[bool, Ordered]:
    place = ordered(value) or (False, int(value) if isinstance(value, bool) else 0)
    # What is first in a descending order is greatest.
    is_null_greater = order.has_nulls_first is order.is_descending
    return (value is None) is is_null_greater, place


@dataclass(frozen=True, slots=True, eq=False)
class Outer:
    """One SELECT around another: what it wants of the rows, perhaps numbered, and what it makes of them."""

    projection: Projection[Values]
    ranking: Ranking | None

    def rows(self, rows: Iterable[tuple[Values, T]]) -> list[tuple[Values, T]]:
        """Return the rows that follow from those of the SELECT in it; each keeps what is beside it."""
        wanted = [row for row in rows if self.projection.wants(row[0])]
        if self.ranking is not None:
            wanted = self.ranking.ranked(wanted)
        return [(self.projection.values(values), more) for values, more in wanted]


@dataclass(frozen=True, eq=False)
class Outers:
    """All SELECTs around the innermost one, and the columns that they give in the end."""

    levels: Sequence[Outer]
    columns: Sequence[Column[Any]]

    @property
    def has_ranking(self) -> bool:
        """Whether rows must be seen together."""
        return any(level.ranking for level in self.levels)

    @cached_property
    def shown(self) -> Callable[[Values], dict[str, Json]]:
        """What gives a row of the outermost SELECT as people see it."""
        return spells(self.columns)

    def rows(self, rows: Iterable[tuple[Values, T]]) -> Iterable[tuple[Values, T]]:
        """Return what becomes of rows of the innermost SELECT."""
        for level in self.levels:
            rows = level.rows(rows)
        return rows


class _RankScope(RowScope):
    """Columns, and ROW_NUMBER once."""

    def __init__(self, columns: Sequence[Column[Any]], alias: str) -> None:
        super().__init__(columns, alias)
        self.ranking: Ranking | None = None

    def call(self, node: exp.Expr, compiler: Compiler[Values]) -> Scalar[Values] | None:
        """Return the number of a row, where that is asked."""
        if not isinstance(node, exp.Window):
            return None
        if not isinstance(node.this, exp.RowNumber):
            raise compiler.refusal(
                node, f"expected ROW_NUMBER() over rows of windows, got {node.this.sql()}"
            )
        if self.ranking is not None:
            raise compiler.refusal(node, "expected one ROW_NUMBER()")
        place = len(self.columns)
        self.ranking = self._ranking(node, compiler)
        return Scalar(Sort.NUMBER, lambda values: values[place])

    def _ranking(self, node: exp.Window, compiler: Compiler[Values]) -> Ranking:
        partition = node.args.get("partition_by") or []
        self._check_windows(partition, node, compiler)
        order = node.args.get("order")
        if order is None:
            raise compiler.refusal(node, "expected ORDER BY in the OVER of ROW_NUMBER()")
        orders = [
            _Order(
                compiler.compile(item.this).of,
                bool(item.args.get("desc")),
                bool(item.args.get("nulls_first")),
            )
            for item in order.expressions
        ]
        return Ranking([compiler.compile(part).of for part in partition], orders)

    def _check_windows(
        self, partition: Sequence[exp.Expr], node: exp.Expr, compiler: Compiler[Values]
    ) -> None:
        bounds = {column.name.lower(): column.bound for column in self.columns if column.bound}
        named = {bounds.get(part.name.lower(), "") for part in partition}
        if not named >= SPAN:
            raise compiler.refusal(
                node,
                "expected PARTITION BY window_start, window_end, … of ROW_NUMBER():"
                " a stream is numbered window by window",
            )


def compile_outers(query: Query, columns: Sequence[Column[Any]]) -> Outers:
    """
    Return the SELECTs around the innermost one, which gives `columns`.

    Raises:
        InvalidInput: one of them means nothing, or nothing that can be streamed.
    """
    levels: list[Outer] = []
    given: Sequence[Column[Any]] = columns
    for place in range(1, len(query.selects)):
        levels.append(_outer(query, place, given))
        given = levels[-1].projection.columns
    return Outers(levels, given)


def _outer(query: Query, place: int, given: Sequence[Column[Any]]) -> Outer:
    select, alias = query.selects[place], query.aliases[place]
    scope = _RankScope(given, alias)
    condition = condition_of(select.args.get("where"), query.piece, RowScope(given, alias))
    made = compile_columns(select, Expressions(query.piece, scope), lambda: scope.columns)
    kept = [Column(each.name, each.scalar, _bound(each, scope)) for each in made]
    return Outer(Projection(kept, condition), scope.ranking)


def _bound(column: Column[Values], scope: RowScope) -> str:
    return next((each.bound for each in scope.columns if each.scalar is column.scalar), "")

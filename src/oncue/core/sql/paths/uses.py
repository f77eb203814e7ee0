"""
What is done with each path of a statement, which tells what it is taken for.

A path that has a name is still one: where an inner query or an alias calls it `amount`,
`amount` is taken for what is done with it as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from oncue.core.json_text import Json
from oncue.core.sql.paths.calls import Calls
from oncue.core.sql.paths.given import (
    ALIKE,
    ARITHMETIC,
    SUMS,
    TRANSPARENT,
    WHOLE,
    Given,
    parts_of,
    results_of,
)
from oncue.core.sql.paths.kinds import Kind
from oncue.core.sql.paths.marks import Path
from oncue.core.sql.paths.origins import Origins

_COMPARISONS: Final = (
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ),
    *(exp.Between, exp.In, exp.ArrayContains),
)
_LIKENESS: Final = (
    *(exp.Like, exp.ILike, exp.SimilarTo, exp.Glob, exp.RegexpLike, exp.RegexpILike),
    *(exp.RegexpFullMatch, exp.StartsWith, exp.Collate, exp.JSONExtract, exp.JSONExtractScalar),
)
_LOGICAL: Final = (
    *(exp.And, exp.Or, exp.Not, exp.Where, exp.Having, exp.Filter, exp.Qualify, exp.Join),
)
_WANTED: Final = (
    ((exp.DPipe,), Kind.PLAIN),
    (ARITHMETIC, Kind.NUMBER),
    ((*WHOLE, exp.Interval), Kind.WHOLE),
    (_LIKENESS, Kind.TEXT),
    (_LOGICAL, Kind.TRUTH),
    ((exp.AtTimeZone,), Kind.TIME),
    ((exp.Any, exp.All), Kind.LIST),
)
_TYPE: Final = exp.DataType.Type
_CASTS: Final = (
    (exp.DataType.INTEGER_TYPES, Kind.CAST_WHOLE),
    ({_TYPE.DECIMAL}, Kind.CAST_DECIMAL),
    ({_TYPE.FLOAT, _TYPE.DOUBLE}, Kind.CAST_DOUBLE),
    ({_TYPE.BOOLEAN}, Kind.CAST_TRUTH),
    ({_TYPE.JSON}, Kind.JSON),
    ({_TYPE.DATE, _TYPE.TIMESTAMP, _TYPE.TIMESTAMPTZ, _TYPE.TIMESTAMPNTZ}, Kind.CAST_TIME),
)
_GROUPED: Final = ("expressions", "having", "order", "qualify")
_MAX_DEPTH: Final = 50


@dataclass(frozen=True, slots=True)
class Use:
    """A path or a column that is one: the names that it begins and ends with, and its kind."""

    first: exp.Identifier
    last: exp.Identifier
    kind: Kind
    is_grouped: bool = False
    """Whether it has to be the same expression as in GROUP BY, whatever is done with it."""


# What is neither of these and stands in GROUP BY is a part of an expression.
_SETS: Final = (exp.Group, exp.Rollup, exp.Cube, exp.GroupingSets, exp.Tuple, exp.Paren)


class Uses:
    """Tells the kinds of the paths of one statement, and of the columns that are paths."""

    def __init__(
        self,
        tree: exp.Expr,
        calls: Calls,
        params: Sequence[Json] | Mapping[str, Json],
        paths: Mapping[str, Path],
    ) -> None:
        self._tree = tree
        self._calls = calls
        self._paths = paths
        self._origins = Origins({mark: path.name for mark, path in paths.items()})
        self._given = Given(self._origins, params)
        self._is_blind = _is_blind(tree)

    def __iter__(self) -> Iterator[Use]:
        """Yield them."""
        for node in self._tree.find_all(exp.Column, exp.Dot):
            name = node.this
            if not isinstance(name, exp.Identifier):
                continue
            if name.name in self._paths:
                yield Use(name, name, self._kind_of_path(name, node), self._is_grouped(node))
            elif isinstance(node, exp.Column) and self._is_value(node):
                kind, first = self.kind(node), node.parts[0]
                if isinstance(first, exp.Identifier) and kind is not Kind.VALUE:
                    yield Use(first, name, kind)

    def _kind_of_path(self, name: exp.Identifier, node: exp.Expr) -> Kind:
        if isinstance(node, exp.Dot):
            return self._calls.kind_of_method(name)
        kind = self.kind(node)
        return Kind.JSON if kind is Kind.VALUE and self._is_blind else kind

    def _is_grouped(self, node: exp.Expr) -> bool:
        """Tell whether a path is one of those that the rows of an answer are grouped by."""
        part = node
        while part.parent is not None and not isinstance(part.parent, exp.Select):
            if isinstance(part.parent, exp.AggFunc):
                return False
            part = part.parent
        query = part.parent
        group = query.args.get("group") if query is not None else None
        if query is None or group is None or part.arg_key not in _GROUPED:
            return False
        grouped = [key for key in group.find_all(exp.Column) if isinstance(key.parent, _SETS)]
        keys = [*grouped, *(each.unalias() for each in query.expressions)]
        path = self._paths[node.this.name]
        return any(path == self._paths.get(key.name) for key in keys if isinstance(key, exp.Column))

    def kind(self, node: exp.Expr) -> Kind:
        """Return what a node is taken for, by what is done with it."""
        parent = node.parent
        if parent is None:
            return Kind.VALUE
        if isinstance(parent, _COMPARISONS):
            return self._kind_compared(node, parent)
        if isinstance(parent, exp.If | exp.Case):
            return self._kind_of_branch(node, parent)
        if isinstance(parent, ALIKE):
            return self._kind_beside(parent, _others(node, parent))
        if isinstance(parent, SUMS) and self._kind_compared(node, parent) is Kind.TIME:
            return Kind.TIME
        if isinstance(parent, TRANSPARENT) and node.arg_key == "this":
            return self.kind(parent)
        return self._kind_as_part(node, parent)

    def _kind_as_part(self, node: exp.Expr, parent: exp.Expr) -> Kind:
        match parent:
            case exp.Cast() | exp.TryCast():
                type_ = parent.to.this
                return next((kind for types, kind in _CASTS if type_ in types), Kind.PLAIN)
            case exp.Is():
                return Kind.TRUTH if isinstance(parent.expression, exp.Boolean) else Kind.VALUE
            case exp.Bracket():
                return Kind.VALUE if node.arg_key == "this" else Kind.WHOLE
            case exp.Ordered(parent=exp.Order(parent=exp.WithinGroup() as group)):
                return Kind.VALUE if isinstance(group.this, exp.Mode) else Kind.NUMBER
            case exp.Ordered(parent=exp.Order(this=exp.Distinct() as distinct)):
                # Such an aggregate is ordered by what it is of.
                return self.kind(distinct.expressions[0])
            case _:
                pass
        kind = next((kind for types, kind in _WANTED if isinstance(parent, types)), None)
        if kind is None and isinstance(parent, exp.Func | exp.Distinct):
            kind = self._calls.kind_of(node)
        return kind or Kind.VALUE

    def _kind_compared(self, node: exp.Expr, parent: exp.Expr) -> Kind:
        kind = self._given.kind_of_any(_others(node, parent))
        is_list = "this" if isinstance(parent, exp.ArrayContains) else "field"
        if node.arg_key != is_list:
            return kind
        return Kind.NUMBERS if kind is Kind.NUMBER else Kind.LIST

    def _kind_of_branch(self, node: exp.Expr, parent: exp.Case | exp.If) -> Kind:
        case = parent.parent if isinstance(parent.parent, exp.Case) else parent
        tests = [branch.this for branch in case.args.get("ifs") or [case]]
        tested = case.this if isinstance(case, exp.Case) else None
        if node is tested:
            return self._given.kind_of_any(tests)
        if isinstance(parent, exp.If) and node.arg_key == "this":
            return self._given.kind_of_any([tested, *tests]) if tested else Kind.TRUTH
        return self._kind_beside(case, [each for each in results_of(case) if each is not node])

    def _kind_beside(self, parent: exp.Expr, others: list[exp.Expr]) -> Kind:
        kind = self._given.kind_of_any(others)
        kind = self.kind(parent) if kind is Kind.VALUE else kind
        # DuckDB does not find the greatest of values of any type.
        is_greatest = kind is Kind.VALUE and isinstance(parent, exp.Greatest | exp.Least)
        return Kind.NUMBER if is_greatest else kind

    def _is_value(self, column: exp.Column, depth: int = 0) -> bool:
        """Tell whether a column is whatever stands at a path, or is a part of that."""
        found = self._origins.of(column, column.name, column.table)
        if found is None and column.table:
            found = self._origins.of(column, column.table)
        return found is not None and self._gives_value(found, depth + 1)

    def _gives_value(self, node: exp.Expr, depth: int) -> bool:
        if depth > _MAX_DEPTH:
            return False
        match node:
            case exp.Column() if node.name in self._paths:
                return self.kind(node) is Kind.VALUE
            case exp.Column():
                return self._is_value(node, depth)
            case exp.Explode() | exp.Unnest() | exp.Struct():
                return True
            case _:
                return any(self._gives_value(part, depth + 1) for part in parts_of(node))


def _others(node: exp.Expr, parent: exp.Expr) -> list[exp.Expr]:
    return [child for child in parent.iter_expressions() if child is not node]


def _is_blind(tree: exp.Expr) -> bool:
    """Tell whether columns are used that nobody names, so that it is not seen what for."""
    columns = tree.find_all(exp.Columns)
    return any(not isinstance(each.parent, exp.Select) for each in columns) or any(
        pivot.args.get("unpivot") for pivot in tree.find_all(exp.Pivot)
    )

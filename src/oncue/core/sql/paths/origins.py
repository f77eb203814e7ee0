"""Where the columns of a statement come from: inner queries, tables of WITH, aliases."""

from collections.abc import Iterator, Mapping
from typing import Final

from sqlglot import exp

from oncue.core.sql.columns import COLUMNS

_MAX_DEPTH: Final = 50


class Origins:
    """Finds what columns are; `names` are those that marks of paths have as columns."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def of(self, place: exp.Expr, name: str, table: str = "") -> exp.Expr | None:
        """Return what a name at a place of the statement stands for; None, if that is of a table."""
        name, table = name.lower(), table.lower()
        scope = _scope(place)
        while scope is not None:
            for source in _sources(scope):
                if found := self._in_source(source, name, table, 0):
                    return found
                if name in COLUMNS and _query(source) is None:
                    return None
            if not table and (found := self._alias(scope, name, place)):
                return found
            scope = _scope(scope)
        return None

    def _alias(self, scope: exp.Expr, name: str, place: exp.Expr) -> exp.Expr | None:
        """Return what is called so beside a place, or in the queries that ORDER BY stands behind."""
        if isinstance(scope, exp.SetOperation):
            return self._in_query(scope, name, 0)
        for projection in scope.expressions if isinstance(scope, exp.Select) else []:
            is_other = not any(part is place for part in projection.walk())
            if is_other and self._name(projection) == name:
                return _unnamed(projection)
        return None

    def _in_source(self, source: exp.Expr, name: str, table: str, depth: int) -> exp.Expr | None:
        if depth > _MAX_DEPTH or (table and source.alias_or_name.lower() != table):
            return None
        renamed = [each.lower() for each in source.alias_column_names]
        query = _query(source)
        if isinstance(query, exp.CTE):
            renamed = renamed or [each.lower() for each in query.alias_column_names]
            query = query.this
        if isinstance(query, exp.Unnest) and name in renamed:
            return query
        if name in renamed:
            return self._at(query, renamed.index(name))
        return self._in_query(query, name, depth + 1)

    def _in_query(self, query: exp.Expr | None, name: str, depth: int) -> exp.Expr | None:
        match query:
            case exp.Select():
                for projection in query.expressions:
                    if self._name(projection) == name:
                        return _unnamed(projection)
                return self._behind_stars(query, name, depth)
            case exp.SetOperation():
                left = self._in_query(query.this, name, depth + 1)
                return left or self._in_query(query.expression, name, depth + 1)
            case exp.Subquery() | exp.Paren():
                return self._in_query(query.this, name, depth + 1)
            case _:
                return None

    def _behind_stars(self, query: exp.Select, name: str, depth: int) -> exp.Expr | None:
        for projection in query.expressions:
            if not projection.is_star and not isinstance(projection, exp.Columns):
                continue
            table = projection.table.lower() if isinstance(projection, exp.Column) else ""
            for source in _sources(query):
                if found := self._in_source(source, name, table, depth + 1):
                    return found
        return None

    def _at(self, query: exp.Expr | None, place: int) -> exp.Expr | None:
        while isinstance(query, exp.SetOperation | exp.Subquery | exp.Paren):
            query = query.this
        projections = query.expressions if isinstance(query, exp.Select) else []
        return _unnamed(projections[place]) if place < len(projections) else None

    def _name(self, projection: exp.Expr) -> str:
        name = projection.alias_or_name
        return self._names.get(name, name).lower()


def _scope(node: exp.Expr) -> exp.Expr | None:
    """Return the innermost query that a node is in, and that knows of columns."""
    return node.find_ancestor(exp.Select, exp.SetOperation, exp.Pivot)


def _sources(scope: exp.Expr) -> Iterator[exp.Expr]:
    """Yield what a query reads."""
    if isinstance(scope, exp.Pivot):
        source = scope.this or scope.parent
        if isinstance(source, exp.Expr):
            yield source
    elif isinstance(scope, exp.Select):
        if begin := scope.args.get("from_"):
            yield begin.this
        for join in scope.args.get("joins") or []:
            yield join.this
        yield from scope.args.get("laterals") or []


def _query(source: exp.Expr) -> exp.Expr | None:
    """Return the query that stands in place of a table, or the one of WITH that it names."""
    if not isinstance(source, exp.Table):
        return source.this if isinstance(source, exp.Subquery | exp.Lateral) else source
    scope: exp.Expr | None = source
    while scope is not None:
        begun = scope.args.get("with_")
        for each in begun.expressions if begun else []:
            if each.alias.lower() == source.name.lower():
                return each if isinstance(each, exp.CTE) else None
        scope = scope.parent
    return None


def _unnamed(projection: exp.Expr) -> exp.Expr:
    return projection.this if isinstance(projection, exp.Alias) else projection

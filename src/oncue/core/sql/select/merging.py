"""
A SELECT that groups or frames the rows of one that only chooses and names, as one SELECT.

    SELECT shop, COUNT(*) FROM (SELECT data.shop AS shop, time FROM events WHERE a) WHERE b GROUP BY shop, …
    SELECT data.shop AS shop, COUNT(*) FROM events WHERE a AND b GROUP BY data.shop, …
"""

from dataclasses import replace

from sqlglot import exp

from oncue.core.problems import nearest
from oncue.core.sql.columns import is_star
from oncue.core.sql.select.levels import Query
from oncue.core.sql.select.windowing import BOUNDS


def merged(query: Query) -> Query:
    """
    Return a statement of which the innermost SELECT is the one that groups or frames, if one does.

    Raises:
        InvalidInput: it names a column that those inside of it do not give.
    """
    place = next((place for place, each in enumerate(query.selects) if _gathers(each)), 0)
    for _ in range(place):
        inner, outer, *others = query.selects
        names = _Names(query, inner, query.aliases[1])
        aliases = [query.aliases[0], *query.aliases[2:]]
        query = replace(query, selects=[names.spelled_out(outer), *others], aliases=aliases)
    return query


def _gathers(select: exp.Select) -> bool:
    clauses = [*select.expressions, select.args.get("having")]
    return bool(select.args.get("group")) or any(
        any(clause.find_all(exp.Window, exp.AggFunc)) for clause in clauses if clause is not None
    )


class _Names:
    """What the columns of a SELECT stand for in the one around it."""

    def __init__(self, query: Query, select: exp.Select, alias: str) -> None:
        self._query = query
        self._select = select
        self._alias = alias.lower()
        self._given = {
            (item.alias or item.name or "").lower(): item.unalias()
            for item in select.expressions
            if not is_star(item)
        }
        if any(is_star(item) for item in select.expressions):
            bounds = BOUNDS.values() if query.table is not None else ()
            self._given = {
                name: exp.column(name) for name in (*query.read.columns, *bounds)
            } | self._given

    def spelled_out(self, outer: exp.Select) -> exp.Select:
        """Return the SELECT around it, of what it reads."""
        given = outer.copy()
        given.set("expressions", [part for item in given.expressions for part in self._item(item)])
        aliases = {item.alias.lower() for item in given.expressions if item.alias}
        for name in ("group", "having", "where"):
            if clause := given.args.get(name):
                self._spell_out(clause, aliases - self._given.keys())
        for item in given.expressions:
            self._spell_out(item, set())
        wheres = [each.args.get("where") for each in (self._select, given)]
        conditions = [where.this.copy() for where in wheres if where]
        given.set("where", exp.Where(this=exp.and_(*conditions)) if conditions else None)
        given.set("from_", self._select.args["from_"].copy())
        return given

    def _item(self, item: exp.Expr) -> list[exp.Expr]:
        """Return the columns that an item gives, each with a name."""
        if is_star(item):
            return [_named(exp.column(name), name) for name in self._given]
        return [_named(item, item.name) if isinstance(item, exp.Column) else item]

    def _spell_out(self, clause: exp.Expr, aliases: set[str]) -> None:
        for column in [*clause.find_all(exp.Column)]:
            if not is_star(column) and column.name.lower() not in aliases:
                column.replace(self._of(column))

    def _of(self, column: exp.Column) -> exp.Expr:
        """Return what a column stands for, with the steps into a document that follow its name."""
        first, *steps = [part for part in column.parts if isinstance(part, exp.Identifier)]
        if steps and first.name.lower() == self._alias:
            first, *steps = steps
        found = self._given.get(first.name.lower())
        if found is None:
            names = [name for name in self._given if name]
            raise self._query.refusal(
                first.name,
                f"expected one of the columns {', '.join(names)} of what is in FROM ( … ),"
                f" got {first.name!r}{nearest(first.name, names)}",
            )
        spelled: exp.Expr = found.copy()
        for step in steps:
            spelled = exp.Dot(this=spelled, expression=step.copy())
        return spelled


def _named(column: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(column, name, quoted=True, copy=False)

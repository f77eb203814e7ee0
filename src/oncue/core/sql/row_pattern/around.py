"""
What stands around a row pattern: SELECTs that read its matches as others read events.

    SELECT … FROM source MATCH_RECOGNIZE (…) GROUP BY TUMBLE(t, …)
    SELECT … FROM (SELECT … FROM source MATCH_RECOGNIZE (…)) GROUP BY TUMBLE(t, …)
    SELECT … FROM TABLE(TUMBLE(TABLE (SELECT … MATCH_RECOGNIZE (…)), DESCRIPTOR(t), …)) GROUP BY …
"""

from dataclasses import dataclass, replace

from sqlglot import exp

from oncue.core.sql.row_pattern.clause import Rows
from oncue.core.sql.row_pattern.query import KEYWORD, RESULT, Cut, Query, cut_out
from oncue.core.sql.scalars import read
from oncue.core.sql.select.levels import Query as Levels
from oncue.core.sql.select.levels import levels_of, refuse_nested
from oncue.core.sql.select.windowing import readable
from oncue.core.sql.text import Statement


@dataclass(frozen=True, slots=True)
class Around:
    """A row pattern with the SELECT that reads it, and the SELECTs that read what this one gives."""

    rows: Query
    outside: Levels


def split_around(statement: Statement) -> Around | None:
    """
    Return a row pattern and what is around it; None, if that is one SELECT of columns.

    Raises:
        InvalidInput: it has something that cannot be streamed, which is named.
    """
    cut = cut_out(statement)
    read_as = readable(statement, cut.around)
    if not read_as.tables and _is_alone(read(read_as.piece)):
        return None
    outside = levels_of(statement, cut.around, RESULT)
    if outside.inner is not None:
        rows = _inside(cut, outside.inner)
    elif _is_plain(outside.selects[0]) and len(outside.selects) > 1:
        rows = cut.query(outside.piece, outside.selects[0], outside.aliases[0])
        outside = replace(outside, selects=outside.selects[1:], aliases=outside.aliases[1:])
    else:
        rows = cut.query(outside.piece, exp.select("*"), "")
        if cut.clause.rows is not Rows.ONE:
            rows = replace(rows, used=_names(outside.selects[0]))
    refuse_nested(outside)
    return Around(rows, outside)


def _is_alone(tree: exp.Expr) -> bool:
    if not isinstance(tree, exp.Select):
        return True
    source = tree.args.get("from_")
    return (source is None or isinstance(source.this, exp.Table)) and _is_plain(tree)


def _is_plain(select: exp.Select) -> bool:
    if select.args.get("group") or select.args.get("having"):
        return False
    return not any(item.find(exp.AggFunc, exp.Window) for item in select.expressions)


def _inside(cut: Cut, inner: Levels) -> Query:
    if len(inner.selects) > 1 or not _is_plain(inner.selects[0]):
        raise cut.statement.refusal(
            inner.piece.start,
            f"expected one SELECT with {KEYWORD} inside of the windows, and others around them",
        )
    return cut.query(inner.piece, inner.selects[0], inner.aliases[0])


def _names(select: exp.Select) -> frozenset[str]:
    """Return all names that a SELECT may mean columns by."""
    return frozenset(
        part.name.lower() for column in select.find_all(exp.Column) for part in column.parts
    )

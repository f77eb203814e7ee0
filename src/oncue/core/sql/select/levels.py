"""
A statement as SELECTs around SELECTs: the innermost one reads events, the others its rows.

    SELECT … FROM (SELECT … FROM (SELECT … FROM events …) WHERE …) WHERE …
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from oncue.core.errors import InvalidInput
from oncue.core.problems import nearest
from oncue.core.sql.columns import EVENTS, TABLE, EventScope, Table
from oncue.core.sql.scalars import read
from oncue.core.sql.select.windowing import FUNCTION_PREFIX, WindowTable, readable
from oncue.core.sql.text import Piece, Statement, Word

_REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    "joins": ("JOIN", "a stream is read alone; a sequence relates events of several types"),
    "with_": ("WITH", "write the query itself into FROM ( … )"),
    "qualify": ("QUALIFY", "write SELECT * FROM ( … ) WHERE around the query"),
    "order": ("ORDER", "a stream has no end to sort it at; its rows come in the order of time"),
    "limit": ("LIMIT", "a stream has no end; number the rows of a window by ROW_NUMBER, or use a cooldown"),
    "offset": ("OFFSET", "a stream has no end"),
    "distinct": ("DISTINCT", "rows would be remembered for ever; group them in windows, or use a cooldown"),
    "windows": ("WINDOW", "write it into OVER ( … )"),
    "sample": ("SAMPLE", "the same stream gives the same rows"),
    "pivots": ("PIVOT", "use COUNT(*) FILTER (WHERE …)"),
}  # fmt: skip
_ASKED: Final = "with 'every' it is asked over the stored events instead"


@dataclass(frozen=True, slots=True)
class Query:
    """
    A statement: SELECTs from the innermost to the outermost, and what the innermost reads.

    Without a `table` of windows it reads rows as they are, and with one that has a query in it
    those of `inner`. `aliases` are how names may begin in each of them; `read` is what the
    innermost reads.
    """

    statement: Statement
    piece: Piece
    selects: Sequence[exp.Select]
    aliases: Sequence[str]
    table: WindowTable | None
    inner: "Query | None" = None
    read: Table = EVENTS

    @property
    def scope(self) -> EventScope:
        """What names mean in the innermost SELECT."""
        return EventScope(self.aliases[0], self.read)

    @property
    def example(self) -> str:
        """Windows of what the innermost SELECT reads, for people."""
        return f"GROUP BY TUMBLE({self.read.time}, INTERVAL '10' MINUTE)"

    def refusal(self, word: str, message: str) -> InvalidInput:
        """Return what to raise: what is wrong with a word of the statement, at its first place."""
        return _refusal(self.piece, word, message)


def split_levels(statement: Statement) -> Query:
    """
    Return the SELECTs of a statement over events.

    Raises:
        InvalidInput: it has something that cannot be streamed, which is named.
    """
    query = levels_of(statement, statement.words, TABLE)
    if query.inner is not None:
        raise statement.refusal(
            query.inner.piece.start,
            f"expected the table {TABLE}, got a query: write its WHERE beside the windows",
        )
    return query


def levels_of(
    statement: Statement, words: Sequence[Word], name: str, *, is_inner: bool = False
) -> Query:
    """
    Return the SELECTs that words of a statement spell; the innermost reads the table `name`.

    Those of a table function are `is_inner`, and have none in them.

    Raises:
        InvalidInput: they have something that cannot be streamed, which is named.
    """
    read_as = readable(statement, words)
    piece = read_as.piece
    tree = read(piece)
    selects: list[exp.Select] = []
    aliases: list[str] = []
    source: exp.Expr = tree
    while not isinstance(source, exp.Table):
        select = source.this if isinstance(source, exp.Subquery) else source
        if not isinstance(select, exp.Select):
            raise _no_select(piece, select)
        _refuse_parts(piece, select)
        selects.insert(0, select)
        source = _source(piece, select)
        aliases.insert(0, source.alias)
    table = read_as.tables.get(source.name)
    if table is None and (source.name.lower() != name or source.db):
        got = source.name
        raise _refusal(
            piece, got, f"expected the table {TABLE}, got {got!r}{nearest(got.lower(), [TABLE])}"
        )
    aliases[0] = aliases[0] or name
    if table is None or not table.inner:
        return Query(statement, piece, selects, aliases, table)
    if is_inner:
        raise statement.refusal(
            table.at, f"expected no windows inside of others, got {table.windowing.shape}"
        )
    inner = levels_of(statement, table.inner, name, is_inner=True)
    return Query(statement, piece, selects, aliases, table, inner)


def _source(piece: Piece, select: exp.Select) -> exp.Expr:
    clause = select.args.get("from_")
    if clause is None:
        raise piece.statement.refusal(
            piece.start, f"expected FROM {TABLE} behind the columns, got no FROM"
        )
    source: exp.Expr = clause.this
    if not isinstance(source, exp.Table | exp.Subquery):
        raise _refusal(piece, "FROM", f"expected the table {TABLE}, got {source.sql()[:60]!r}")
    if isinstance(source, exp.Table) and not source.name:
        raise _refusal(piece, "FROM", f"expected the table {TABLE}, got a function: {_ASKED}")
    for name in ("joins", "pivots", "sample"):
        if source.args.get(name):
            raise _no_part(piece, name)
    return source


def _no_select(piece: Piece, tree: exp.Expr) -> InvalidInput:
    if isinstance(tree, exp.SetOperation):
        word = tree.key.upper()
        return _refusal(
            piece,
            word,
            f"expected a query that can be streamed, got {word}: make a pattern of each part",
        )
    return piece.statement.refusal(piece.start, f"expected one SELECT, got {tree.key.upper()}")


def _refuse_parts(piece: Piece, select: exp.Select) -> None:
    for name in _REFUSED:
        if select.args.get(name):
            raise _no_part(piece, name)


def _no_part(piece: Piece, name: str) -> InvalidInput:
    word, reason = _REFUSED[name]
    shown = "ORDER BY" if word == "ORDER" else word
    raise _refusal(
        piece, word, f"expected a query that can be streamed, got {shown}: {reason}; {_ASKED}"
    )


def refuse_nested(query: Query) -> None:
    """
    Return if no query stands inside of an expression, and windows only where they can be.

    Raises:
        InvalidInput: something else is the case.
    """
    for select in query.selects:
        inner = select.args["from_"].this
        for node in select.find_all(exp.Select, exp.SetOperation):
            is_source = any(node is each for each in query.selects)
            if not is_source and not _is_inside(node, inner):
                raise query.refusal(
                    "SELECT",
                    "expected a query that can be streamed, got a query inside of an expression:"
                    f" a stream is read once; {_ASKED}",
                )
    for select in query.selects[1:]:
        if select.args.get("group") or select.args.get("having"):
            raise query.refusal(
                "GROUP" if select.args.get("group") else "HAVING",
                "expected one GROUP BY, in the innermost SELECT: its rows are not grouped again",
            )


def _is_inside(node: exp.Expr, outer: exp.Expr) -> bool:
    parent: exp.Expr | None = node
    while parent is not None and parent is not outer:
        parent = parent.parent
    return parent is outer


def _refusal(piece: Piece, word: str, message: str) -> InvalidInput:
    words = piece.statement.words
    places = [each.start for each in words if each.text.upper() == word.upper()]
    # Before an ORDER BY of the whole may stand those of OVER, and what is last ends the statement.
    is_last = word in ("ORDER", "LIMIT", "OFFSET")
    at = places[-1 if is_last else 0] if places else piece.start
    return piece.statement.refusal(at, message)


def function_shape(node: exp.Expr) -> str | None:
    """
    Return which windows a function of GROUP BY makes; None, if it makes none.

    >>> function_shape(exp.Anonymous(this=FUNCTION_PREFIX + "tumble"))
    'TUMBLE'
    """
    if isinstance(node, exp.Anonymous) and node.name.startswith(FUNCTION_PREFIX):
        return node.name.removeprefix(FUNCTION_PREFIX).upper()
    return None

"""
A statement with MATCH_RECOGNIZE, split: what it reads, the clause, and what it gives.

    SELECT list FROM source MATCH_RECOGNIZE (clause) [AS m] [WHERE condition]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from oncue.core.sql.columns import TABLE
from oncue.core.sql.row_pattern.clause import Clause, parse_clause
from oncue.core.sql.scalars import read
from oncue.core.sql.text import Piece, Statement, Word

KEYWORD: Final = "MATCH_RECOGNIZE"
RESULT: Final = "row_pattern_matches"
"""The table that stands for what the row pattern gives, where sqlglot reads what is around it."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is read: `events`, or a query over it; `alias` is how names may begin."""

    alias: str
    piece: Piece
    query: exp.Select | None


@dataclass(frozen=True, slots=True)
class Query:
    """
    The parts of a statement with a row pattern.

    `used` are the columns, in lower case, that others read of `SELECT *`; None: all are shown.
    """

    statement: Statement
    source: Source
    clause: Clause
    piece: Piece
    select: exp.Select
    alias: str
    used: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A row pattern with its source, cut out of a statement: `around` are the words that are left."""

    statement: Statement
    clause: Clause
    source: Source
    around: Sequence[Word]

    def query(self, piece: Piece, select: exp.Select, alias: str) -> Query:
        """Return it with the SELECT that reads it."""
        return Query(self.statement, self.source, self.clause, piece, select, alias or RESULT)


def has_row_pattern(statement: Statement) -> bool:
    """Return whether a statement has a row pattern."""
    return any(word.upper == KEYWORD for word in statement.words)


def cut_out(statement: Statement) -> Cut:
    """
    Return the row pattern of a statement, and what is left of this.

    Raises:
        InvalidInput: it is not written as one.
    """
    words = statement.words
    while words and words[-1].upper == ";":
        words = words[:-1]
    place = next(i for i, word in enumerate(words) if word.upper == KEYWORD)
    opening = place + 1
    if opening >= len(words) or words[opening].upper != "(":
        raise statement.refusal(words[place].end, f"expected '(' after {KEYWORD}")
    end = closing(statement, words, opening)
    begin = _from(statement, words, place)
    clause = parse_clause(statement, words[opening + 1 : end], words[place].start, words[end].start)
    source = _source(statement, words[begin + 1 : place])
    result = Word("name", RESULT, words[place].start)
    return Cut(statement, clause, source, [*words[: begin + 1], result, *words[end + 1 :]])


def split_query(statement: Statement) -> Query:
    """
    Return the parts of a statement.

    Raises:
        InvalidInput: it has another shape; what cannot be streamed is named.
    """
    cut = cut_out(statement)
    piece = Piece(statement, cut.around[0].start)
    piece.add_all(cut.around)
    select = read(piece)
    if not isinstance(select, exp.Select):
        raise statement.refusal(piece.start, f"expected one SELECT, got {select.key.upper()}")
    refuse_parts(piece, select, statement.words)
    table = select.find(exp.Table)
    if table is None:
        raise statement.refusal(piece.start, f"expected FROM before {KEYWORD}")
    return cut.query(piece, select, table.alias)


def closing(statement: Statement, words: Sequence[Word], opening: int) -> int:
    """
    Return where the parenthesis is closed that is opened at a place of some words.

    Raises:
        InvalidInput: it is not.
    """
    depth = 0
    for place in range(opening, len(words)):
        depth += (words[place].upper == "(") - (words[place].upper == ")")
        if not depth:
            return place
    raise statement.refusal(words[opening].start, "expected ')', got the end")


def _from(statement: Statement, words: Sequence[Word], place: int) -> int:
    depth = 0
    for begin in range(place - 1, -1, -1):
        depth += (words[begin].upper == ")") - (words[begin].upper == "(")
        if not depth and words[begin].upper == "FROM":
            return begin
    raise statement.refusal(words[place].start, f"expected FROM before {KEYWORD}")


def _source(statement: Statement, words: Sequence[Word]) -> Source:
    piece = Piece(statement, words[0].start if words else 0)
    piece.add("SELECT * FROM", piece.start)
    piece.add_all(words)
    tree = read(piece)
    refuse_parts(piece, tree, words)
    if tree.args.get("where"):
        at = next(word.start for word in words if word.upper == "WHERE")
        raise statement.refusal(
            at, f"expected WHERE inside of the query before {KEYWORD}: FROM (SELECT … WHERE …)"
        )
    source = tree.args["from_"].this if isinstance(tree, exp.Select) else None
    match source:
        case exp.Table() if source.name.lower() == TABLE and not source.db:
            return Source(source.alias or TABLE, piece, None)
        case exp.Subquery() if isinstance(source.this, exp.Select):
            refuse_parts(piece, source.this, words)
            inner = source.this.args.get("from_")
            table = inner.this if inner else None
            if isinstance(table, exp.Table) and table.name.lower() == TABLE:
                return Source(source.alias or TABLE, piece, source.this)
        case _:
            pass
    raise statement.refusal(
        piece.start,
        "expected events, or (SELECT … FROM events WHERE …), before MATCH_RECOGNIZE",
    )


_REFUSED: Final = {
    "joins": "JOIN: a stream is read alone; put the types of both sides into the pattern",
    "with_": "WITH: write the query itself into FROM ( … )",
    "group": "GROUP BY beside MATCH_RECOGNIZE: aggregate in MEASURES",
    "having": "HAVING beside MATCH_RECOGNIZE: put the condition into WHERE or DEFINE",
    "qualify": "QUALIFY: put the condition into WHERE or DEFINE",
    "order": "ORDER BY after a stream: rows come in the order of time",
    "limit": "LIMIT: a stream has no end; use a cooldown",
    "offset": "OFFSET: a stream has no end",
    "distinct": "DISTINCT: rows would have to be remembered for ever; use a cooldown",
    "windows": "WINDOW: put the condition into DEFINE",
}


def refuse_parts(piece: Piece, tree: exp.Expr, words: Sequence[Word]) -> None:
    """
    Return if a query has nothing that a stream cannot answer.

    Raises:
        InvalidInput: it has; the construct is named, and what to write instead.
    """
    for name, reason in _REFUSED.items():
        if tree.args.get(name):
            construct = reason.partition(":")[0].split()[0]
            at = next((word.start for word in words if word.upper == construct), piece.start)
            raise piece.statement.refusal(
                at, f"expected a query that can be streamed, got {reason}"
            )

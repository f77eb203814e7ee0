"""
A statement whose row patterns are taken out, one after the other.

    WITH w AS (…) SELECT … FROM w MATCH_RECOGNIZE (…) AS m JOIN … WHERE …
                               └── the first one ──┘
    WITH w AS (…) SELECT … FROM "match_recognize"     AS m JOIN … WHERE …

What is around them, and what they read, is the SQL of another engine: it is told apart by
its words alone, and handed over as it was written. Values stay values: each `?` becomes the `$n`
that it is, so that every part of the statement can be given those that it names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from oncue.core.sql.row_pattern.clause import Clause, parse_clause
from oncue.core.sql.row_pattern.query import KEYWORD, closing
from oncue.core.sql.text import Statement, Word

_BEFORE_SOURCE: Final = ("FROM", "JOIN", ",", "(")
_NO_ALIAS: Final = frozenset(("WHERE", "ON", "USING", "TABLESAMPLE", "GROUP", "ORDER", "LIMIT"))
# Where these stand, columns may be asked for without their names.
_ASKS_FOR_ALL: Final = frozenset(
    ("COLUMNS", "NATURAL", "PIVOT", "UNPIVOT", "SUMMARIZE", "DESCRIBE", "TABLE", "UNPACK")
)


@dataclass(frozen=True, slots=True)
class Found:
    """
    A row pattern among the words of a draft: its source from `begin` on, then from `place` its clause.

    `alias` is the name of its source; `wanted` are the names in lower case that the rest of the
    statement mentions, and None where it may ask for all columns.
    """

    clause: Clause
    begin: int
    place: int
    end: int
    alias: str
    wanted: frozenset[str] | None


class Draft:
    """The words of a statement; `parameters` are the names of those that it mentions."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._ends: dict[int, int] = {}
        """Where words end in the statement that are spelled otherwise here."""
        self._words = [*self._numbered()]
        self._tables: set[str] = set()
        self.parameters = frozenset(
            word.text[1:] for word in self._words if word.kind == "parameter"
        )

    def first(self) -> Found | None:
        """
        Return the first row pattern, which has no other before it or in its source.

        Raises:
            InvalidInput: its source or its clause cannot be read.
        """
        words, statement = self._words, self._statement
        place = next((n for n, word in enumerate(words) if word.upper == KEYWORD), None)
        if place is None:
            return None
        opening = place + 1
        if opening >= len(words) or words[opening].upper != "(":
            raise statement.refusal(words[place].end, f"expected '(' after {KEYWORD}")
        end = closing(statement, words, opening)
        inner = words[opening + 1 : end]
        clause = parse_clause(statement, inner, words[place].start, words[end].start)
        begin = self._begin(place)
        alias = _name_of(statement, words[begin:place], words[place].start)
        wanted = _wanted(words[:begin], words[end + 1 :])
        return Found(clause, begin, place, end + 1, alias, wanted)

    def source(self, found: Found) -> str:
        """Return the query that gives the rows of a source, with what WITH names before it."""
        words = self._words[found.begin : found.place]
        query = f"SELECT * FROM {self.text(words)}"  # noqa: S608 it is what the user wrote
        # On the line where it stands, since problems are told by lines.
        lines = self._statement.text.count("\n", 0, words[0].start)
        named = [*self._named_before(found.begin)]
        for each in named:
            query = f"{each} SELECT * FROM ({query})"  # noqa: S608 so is this
        return query if named else "\n" * lines + query

    def replace(self, found: Found, table: str) -> None:
        """Put the name of a table in place of a row pattern."""
        start = self._words[found.begin].start
        self._tables.add(table)
        self._ends[start] = self._end(self._words[found.end - 1])
        self._words[found.begin : found.end] = [Word("quoted", f'"{table}"', start)]

    def fresh(self, name: str) -> str:
        """Return a name that the statement does not mention."""
        taken = self._tables | {word.name.lower() for word in self._words if word.is_name}
        number = 1
        while (fresh := f"{name}_{number}" if number > 1 else name) in taken:
            number += 1
        return fresh

    def text(self, words: Sequence[Word] | None = None) -> str:
        """Return words, by default all, as they were written, each on its line."""
        words = self._words if words is None else words
        text = self._statement.text
        parts = [word.text for word in words[:1]]
        for before, word in pairwise(words):
            end = self._end(before)
            # What is left out leaves its lines behind.
            parts.append("\n" * text.count("\n", before.end, end) if end > before.end else "")
            parts += [text[end : word.start] or ("" if end == before.end else " "), word.text]
        return "".join(parts)

    def _end(self, word: Word) -> int:
        return self._ends.get(word.start, word.end)

    def _numbered(self) -> Iterator[Word]:
        """Yield the words; a parameter is one word, `$1` the first `?`."""
        statement = self._statement
        words = statement.words
        symbols = _in_patterns(statement)
        count = 0
        ahead = iter(enumerate(words))
        for place, word in ahead:
            following = words[place + 1 : place + 2]
            if word.upper == "?" and word.start not in symbols:
                count += 1
                self._ends[word.start] = word.end
                yield Word("parameter", f"${count}", word.start)
            elif _is_named(word, following) and word.start not in symbols:
                next(ahead)
                yield Word("parameter", f"${following[0].text}", word.start)
            else:
                yield word

    def _begin(self, place: int) -> int:
        """Return where the source of a row pattern begins: a table, or a query in parentheses."""
        depth = 0
        for at in range(place - 1, -1, -1):
            word = self._words[at]
            if not depth and word.upper in _BEFORE_SOURCE:
                return at + 1
            depth -= word.nesting
        raise self._statement.refusal(self._words[place].start, f"expected FROM before {KEYWORD}")

    def _named_before(self, place: int) -> Iterator[str]:
        """Yield what WITH names before a place, the innermost first."""
        depth = level = 0
        for at in range(place - 1, -1, -1):
            word = self._words[at]
            depth -= word.nesting
            level = min(level, depth)
            is_begin = not at or self._words[at - 1].upper == "("
            if word.upper == "WITH" and is_begin and depth == level:
                end = self._named(at, place)
                if end > at:
                    yield self.text(self._words[at : end + 1])

    def _named(self, at: int, place: int) -> int:
        """Return where the last table ends that a WITH names before a place."""
        words, end, here = self._words, at, at
        while True:
            opening = next(
                (
                    n
                    for n in range(here + 2, place)
                    if words[n].upper == "(" and words[n - 1].upper in ("AS", "MATERIALIZED")
                ),
                None,
            )
            if opening is None:
                return end
            here = closing(self._statement, words, opening)
            if here >= place:
                return end
            end = here
            if words[here + 1].upper != ",":
                return end


def _in_patterns(statement: Statement) -> set[int]:
    """Return where words stand inside of PATTERN ( … ), where `?` and `$` are no parameters."""
    words = statement.words
    found: set[int] = set()
    end = 0
    for place, word in enumerate(words):
        is_call = words[place + 1 : place + 2] and words[place + 1].upper == "("
        if word.upper == KEYWORD and is_call:
            end = closing(statement, words, place + 1)
        if word.upper == "PATTERN" and is_call and place < end:
            last = closing(statement, words, place + 1)
            found |= {each.start for each in words[place + 1 : last]}
    return found


def _is_named(word: Word, following: Sequence[Word]) -> bool:
    """Return whether a `$` begins a parameter, with its name or number right behind it."""
    is_near = bool(following) and following[0].start == word.end
    return word.upper == "$" and is_near and following[0].kind in ("name", "number")


def _name_of(statement: Statement, source: Sequence[Word], at: int) -> str:
    """Return the name of a source, which is one table or one query."""
    rest = [*source]
    name = ""
    while rest and rest[0].is_name:
        name = rest.pop(0).name
        if not rest or rest[0].upper != ".":
            break
        rest.pop(0)
    rest = _without_parentheses(statement, rest)
    if len(rest) == len(source):
        raise statement.refusal(at, f"expected a table or (SELECT …) before {KEYWORD}")
    if rest and rest[0].upper == "AS":
        rest.pop(0)
    if rest and rest[0].is_name and rest[0].upper not in _NO_ALIAS:
        name = rest.pop(0).name
        rest = _without_parentheses(statement, rest)
    if rest:
        raise statement.refusal(
            rest[0].start,
            f"expected one table or one query before {KEYWORD}, got {rest[0].text!r}: put it into"
            " the query, FROM (SELECT …)",
        )
    return name


def _without_parentheses(statement: Statement, words: list[Word]) -> list[Word]:
    """Return words without the parentheses that they begin with, if they do."""
    return words[closing(statement, words, 0) + 1 :] if words and words[0].upper == "(" else words


def _wanted(before: Sequence[Word], after: Sequence[Word]) -> frozenset[str] | None:
    """Return the names that are mentioned around a row pattern; None, if all may be asked for."""
    words = [*before, *after]
    symbols = [word.upper for word in words]
    is_all = not _ASKS_FOR_ALL.isdisjoint(symbols) or any(
        symbol == "*" and (symbols[place - 1], *symbols[place + 1 : place + 2]) != ("(", ")")
        for place, symbol in enumerate(symbols)
    )
    # FROM without SELECT asks for all; so does the name of the whole row.
    if is_all or symbols.count("FROM") > symbols.count("SELECT") or _names_row(before, after):
        return None
    return frozenset(word.name.lower() for word in words if word.is_name)


def _names_row(before: Sequence[Word], after: Sequence[Word]) -> bool:
    """Return whether the alias of a row pattern stands where no column of it follows."""
    rest = [*after[1:]] if after and after[0].upper == "AS" else [*after]
    if not rest or not rest[0].is_name:
        return False
    alias = rest[0].name.lower()
    return any(
        word.is_name and word.name.lower() == alias and following.upper != "."
        for word, following in [*pairwise(before), *pairwise(rest[1:])]
    )


def parameters_in(sql: str) -> set[str]:
    """Return the names of the parameters that a text mentions; that of `$1` is 1."""
    words = Statement(sql, "").words
    return {after.text for word, after in pairwise(words) if _is_named(word, [after])}

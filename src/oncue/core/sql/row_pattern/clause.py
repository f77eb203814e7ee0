"""What stands between the parentheses of MATCH_RECOGNIZE, part by part."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from oncue.core.sql.arithmetic import span_ms
from oncue.core.sql.row_pattern.pattern import Node, parse_pattern, variable_name
from oncue.core.sql.text import Statement, Word, Words

_PARTS: Final = (
    "PARTITION",
    "ORDER",
    "MEASURES",
    "ONE",
    "ALL",
    "AFTER",
    "PATTERN",
    "WITHIN",
    "SUBSET",
    "DEFINE",
)
DEFAULT_STATE_MS: Final = 86_400_000
"""How long a match may take that has no WITHIN: a bound of what is remembered."""


class Rows(StrEnum):
    """Which rows a match gives."""

    ONE = "ONE ROW PER MATCH"
    ALL = "ALL ROWS PER MATCH"
    ALL_OMIT_EMPTY = "ALL ROWS PER MATCH OMIT EMPTY MATCHES"
    ALL_WITH_UNMATCHED = "ALL ROWS PER MATCH WITH UNMATCHED ROWS"


class SkipTo(StrEnum):
    """Where the search goes on after a match."""

    PAST_LAST_ROW = "PAST LAST ROW"
    NEXT_ROW = "TO NEXT ROW"
    FIRST = "TO FIRST"
    LAST = "TO LAST"


@dataclass(frozen=True, slots=True)
class Named:
    """An expression with its name: a measure, or the definition of a variable."""

    name: str
    words: Sequence[Word]
    at: int


@dataclass(frozen=True, slots=True)
class Skip:
    """Where the search goes on, and the variable that it goes on at."""

    to: SkipTo = SkipTo.PAST_LAST_ROW
    variable: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Clause:
    """A row pattern as it is written; `within_ms` is None where nothing bounds a match in time."""

    statement: Statement
    partition: Sequence[Sequence[Word]]
    order: Sequence[Sequence[Word]]
    measures: Sequence[Named]
    rows: Rows
    skip: Skip
    pattern: Node
    within_ms: int | None
    subsets: Sequence[tuple[str, tuple[str, ...]]]
    defines: Sequence[Named]
    at: int


def parse_clause(statement: Statement, words: Sequence[Word], at: int, end: int) -> Clause:
    """
    Return the clause that these words spell, which begins at `at`.

    Raises:
        InvalidInput: with the place of the first word that does not fit.
    """
    return _Parser(Words(statement, words, end), at).clause()


class _Parser:
    def __init__(self, words: Words, at: int) -> None:
        self._words = words
        self._at = at

    def clause(self) -> Clause:
        words = self._words
        partition = self._list("PARTITION", "BY")
        order = self._list("ORDER", "BY")
        measures = self._measures()
        rows = self._rows()
        skip = self._skip()
        if not words.take("PATTERN"):
            raise words.refusal("PATTERN (…)")
        pattern = parse_pattern(words)
        within_ms = self._within()
        subsets = self._subsets()
        defines = self._defines()
        if words.peek:
            raise words.refusal("')'")
        return Clause(
            words.statement,
            partition,
            order,
            measures,
            rows,
            skip,
            pattern,
            within_ms,
            subsets,
            defines,
            self._at,
        )

    def _list(self, *keywords: str) -> list[list[Word]]:
        if not self._words.sequence(*keywords):
            return []
        return [self._item(f"an expression after {' '.join(keywords)}") for _ in self._commas()]

    def _commas(self) -> "_Commas":
        return _Commas(self._words)

    def _item(self, what: str) -> list[Word]:
        taken = self._words.until(",", *_PARTS)
        if not taken:
            raise self._words.refusal(what)
        return taken

    def _measures(self) -> list[Named]:
        words = self._words
        if not words.take("MEASURES"):
            return []
        measures: list[Named] = []
        for _ in self._commas():
            at = words.at
            taken = words.until("AS", ",")
            if not taken:
                raise words.refusal("a measure")
            words.need("AS")
            measures.append(Named(words.name("the name of the measure").name, taken, at))
        return measures

    def _rows(self) -> Rows:
        words = self._words
        if words.sequence("ONE", "ROW", "PER", "MATCH"):
            return Rows.ONE
        if not words.sequence("ALL", "ROWS", "PER", "MATCH"):
            return Rows.ONE
        if words.sequence("OMIT", "EMPTY", "MATCHES"):
            return Rows.ALL_OMIT_EMPTY
        if words.sequence("WITH", "UNMATCHED", "ROWS"):
            return Rows.ALL_WITH_UNMATCHED
        words.sequence("SHOW", "EMPTY", "MATCHES")
        return Rows.ALL

    def _skip(self) -> Skip:
        words = self._words
        at = words.at
        if not words.take("AFTER"):
            return Skip()
        if not words.sequence("MATCH", "SKIP"):
            raise words.refusal("MATCH SKIP")
        if words.sequence("PAST", "LAST", "ROW"):
            return Skip()
        words.need("TO")
        if words.sequence("NEXT", "ROW"):
            return Skip(SkipTo.NEXT_ROW, at=at)
        to = SkipTo.FIRST if words.take("FIRST") else SkipTo.LAST
        words.take("LAST")
        return Skip(to, variable_name(words.name("NEXT ROW or a variable")), at)

    def _within(self) -> int | None:
        words = self._words
        if not words.take("WITHIN"):
            return None
        at = words.at
        words.take("INTERVAL")
        word = words.peek
        if word is None or word.kind not in ("text", "number"):
            raise words.refusal("INTERVAL '5' MINUTE")
        words.take(word.upper) if word.upper else words.until("SUBSET", "DEFINE")
        return self._length(word, at)

    def _length(self, amount: Word, at: int) -> int:
        text = self._words.statement.text
        rest = text[amount.end : self._words.at].strip().split()
        length = span_ms(amount.text.strip("'"), rest[0] if rest else "")
        if length is None or length <= 0:
            raise self._words.statement.refusal(
                at, "expected a time above zero such as INTERVAL '5' MINUTE, up to weeks"
            )
        return length

    def _subsets(self) -> list[tuple[str, tuple[str, ...]]]:
        words = self._words
        if not words.take("SUBSET"):
            return []
        subsets: list[tuple[str, tuple[str, ...]]] = []
        for _ in self._commas():
            name = variable_name(words.name("the name of a subset"))
            words.need("=")
            words.need("(")
            members = [variable_name(words.name("a variable")) for _ in self._commas()]
            words.need(")")
            subsets.append((name, tuple(members)))
        return subsets

    def _defines(self) -> list[Named]:
        words = self._words
        if not words.take("DEFINE"):
            return []
        defines: list[Named] = []
        for _ in self._commas():
            at = words.at
            name = variable_name(words.name("a variable"))
            words.need("AS")
            taken = words.until(",")
            if not taken:
                raise words.refusal(f"the condition of {name}")
            defines.append(Named(name, taken, at))
        return defines


class _Commas:
    """Counts the items of a list: once, and once more behind each comma."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._is_first = True

    def __iter__(self) -> "_Commas":
        return self

    def __next__(self) -> None:
        if not self._is_first and not self._words.take(","):
            raise StopIteration
        self._is_first = False

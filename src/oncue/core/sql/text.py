"""
The text of a statement: its words, where each stands, and pieces of it for another parser.

A piece may be spelled otherwise for sqlglot than the user wrote it; what is wrong
is still told by the line and column of the user's text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json

_WORD: Final = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<name>[^\W\d]\w*)
    |(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
    |(?P<text>'(?:[^']|'')*')
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<symbol>->>|//|\*\*|->|\|\||<=|>=|<>|!=|::|\{-|-\}|[-+*/%<>=(){}\[\],.;:|?^$!&~@#])
    """,
    re.VERBOSE | re.DOTALL,
)

_OPENING: Final = ("(", "[", "{")
_CLOSING: Final = (")", "]", "}")


@dataclass(frozen=True, slots=True)
class Word:
    """A name, a quoted name, a text, a number or a symbol, and where it stands."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)

    @property
    def upper(self) -> str:
        """What it is as a keyword or symbol; a quoted name is neither."""
        return self.text.upper() if self.kind in ("name", "symbol") else ""

    @property
    def nesting(self) -> int:
        """What it adds to the depth of parentheses: 1 where one opens, -1 where one closes."""
        return (self.upper in _OPENING) - (self.upper in _CLOSING)

    @property
    def name(self) -> str:
        """The name that it spells, as written."""
        if self.kind == "quoted":
            quote = self.text[0]
            return self.text[1:-1].replace(quote * 2, quote)
        return self.text

    @property
    def is_name(self) -> bool:
        """Whether it names something."""
        return self.kind in ("name", "quoted")


class Statement:
    """
    A statement that stands at `path` of a document, as words.

    `params` are the values of its parameters by name, None where it may have none.
    """

    def __init__(self, text: str, path: str, params: Mapping[str, Json] | None = None) -> None:
        self.text = text
        self.path = path
        self.params = params
        self.words = self._read()

    def refusal(self, at: int, message: str) -> InvalidInput:
        """Return what to raise: what is wrong at a place of the text, by line and column."""
        return InvalidInput([self.problem(at, message)])

    def problem(self, at: int, message: str) -> Problem:
        """Return what is wrong at a place of the text."""
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        return Problem(self.path, f"line {line}, column {column}: {message}")

    def _read(self) -> list[Word]:
        words: list[Word] = []
        at = 0
        while at < len(self.text):
            found = _WORD.match(self.text, at)
            if found is None:
                raise self.refusal(at, f"expected SQL, got {self.text[at : at + 10]!r}")
            if found.lastgroup and found.lastgroup != "space":
                words.append(Word(found.lastgroup, found.group(), at))
            at = found.end()
        return words


class Words:
    """Words that are read one after the other."""

    def __init__(self, statement: Statement, words: Sequence[Word], end: int) -> None:
        self.statement = statement
        self._words = words
        self._end = end
        self._place = 0

    @property
    def peek(self) -> Word | None:
        """The next word."""
        return self._words[self._place] if self._place < len(self._words) else None

    @property
    def taken(self) -> int:
        """How many words were taken."""
        return self._place

    @property
    def at(self) -> int:
        """Where the next word stands, or the end."""
        word = self.peek
        return word.start if word else self._end

    def take(self, *expected: str) -> Word | None:
        """Take the next word, if it is one of these."""
        word = self.peek
        if word and word.upper in expected:
            self._place += 1
            return word
        return None

    def need(self, *expected: str) -> Word:
        """
        Take the next word, which must be one of these.

        Raises:
            InvalidInput: it is not.
        """
        word = self.take(*expected)
        if word is None:
            raise self.refusal(" or ".join(repr(each) for each in expected))
        return word

    def sequence(self, *expected: str) -> bool:
        """Take several words if they are the next ones."""
        words = self._words[self._place : self._place + len(expected)]
        if tuple(word.upper for word in words) != expected:
            return False
        self._place += len(expected)
        return True

    def name(self, what: str) -> Word:
        """
        Take a name.

        Raises:
            InvalidInput: the next word is none.
        """
        word = self.peek
        if word is None or not word.is_name:
            raise self.refusal(what)
        self._place += 1
        return word

    def number(self, what: str) -> int:
        """
        Take a whole number.

        Raises:
            InvalidInput: the next word is none.
        """
        word = self.peek
        if word is None or word.kind != "number" or not word.text.isdecimal():
            raise self.refusal(what)
        self._place += 1
        return int(word.text[:9])

    def until(self, *stops: str) -> list[Word]:
        """Take the words up to the next of these outside of parentheses, or all."""
        taken: list[Word] = []
        depth = 0
        while word := self.peek:
            if not depth and word.upper in stops:
                break
            depth += word.nesting
            if depth < 0:
                break
            taken.append(word)
            self._place += 1
        return taken

    def refusal(self, expected: str) -> InvalidInput:
        """Return what to raise where something else was expected than the next word."""
        word = self.peek
        got = repr(word.text) if word else "the end"
        return self.statement.refusal(self.at, f"expected {expected}, got {got}")


class Piece:
    """Words of a statement, spelled for another parser; `source` leads back to the user's text."""

    def __init__(self, statement: Statement, start: int) -> None:
        self.statement = statement
        self.start = start
        self._parts: list[str] = []
        self._length = 0
        self._outs: list[int] = []
        self._sources: list[int] = []

    @property
    def text(self) -> str:
        """The piece as it is spelled."""
        return "".join(self._parts)

    def add(self, spelled: str, source: int) -> None:
        """Add a word that the user wrote at `source`."""
        if spelled.upper() == "SELECT" and self._parts[-1:] == [". "]:
            # The one keyword that sqlglot does not take for a name behind a dot.
            spelled = f'"{spelled}"'
        self._parts.append(spelled + " ")
        self._outs.append(self._length)
        self._sources.append(source)
        self._length += len(spelled) + 1

    def add_all(self, words: Iterable[Word]) -> None:
        """Add words as they are, but for quotes that sqlglot does not know."""
        for word in words:
            self.add(spelled_name(word), word.start)

    def source(self, out: int) -> int:
        """Return where in the user's text stands what is at `out` of the piece."""
        place = bisect_right(self._outs, out) - 1
        return self._sources[place] if place >= 0 else self.start


@dataclass(frozen=True, slots=True)
class Edit:
    """What is written instead of the text from one place up to another."""

    start: int
    end: int
    text: str


def edited(text: str, edits: Iterable[Edit], start: int = 0, end: int | None = None) -> str:
    """
    Return a text, or a part of it, with what is written elsewise; edits of one place keep their order.

    >>> edited("SELECT ?, b", [Edit(7, 8, "$1")])
    'SELECT $1, b'
    """
    parts: list[str] = []
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        parts += text[start : edit.start], edit.text
        start = edit.end
    return "".join([*parts, text[start:end]])


def spelled_name(word: Word) -> str:
    """Return a word with its name, if it is quoted, in double quotes."""
    if word.kind != "quoted":
        return word.text
    doubled = word.name.replace('"', '""')
    return f'"{doubled}"'

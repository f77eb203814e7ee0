"""
Where paths into documents stand in a statement, and the statement with a name in place of each.

The words tell: `data`, perhaps behind the name of a table, and the steps that follow it.
With a plain name there, whatever reads the statement has no need to know of paths.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlglot
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

from oncue.core.sql.text import Edit, edited

DIALECT: Final = "duckdb"
ROOTS: Final = frozenset(("data", "extensions"))
MARK: Final = "oncue_path_"

_NAME: Final = re.compile(r"[^\W\d][\w$]*")
_JSON_PATH: Final = re.compile(
    r"""\.(?:"(?P<quoted>[^"]+)"|(?P<plain>[\w$]+))|\[(?P<index>\#?-?\d+)\]"""
)
_ARROWS: Final = (TokenType.ARROW, TokenType.DARROW)
_CALLED: Final = tuple(Parser.FUNC_TOKENS)
_DEEPER: Final = (TokenType.DOT, TokenType.L_BRACKET, *_ARROWS)


@dataclass(frozen=True, slots=True)
class Path:
    """A path: the column of its document as it is written, and its steps as DuckDB takes them."""

    document: str
    steps: tuple[str, ...]
    name: str
    """What a column of the answer is called that is this path."""

    @property
    def place(self) -> str:
        """The steps, as a text of SQL."""
        return "'$" + "".join(self.steps).replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Marked:
    """A statement with a mark in place of each path."""

    text: str
    paths: Mapping[str, Path]


def marked(sql: str, hidden: frozenset[str] = frozenset()) -> Marked:
    """
    Return a statement with its paths marked; `hidden` names are those of tables.

    `?` is written as `$1`, so that no two values can be taken for each other.

    Raises:
        TokenError: these are no words of SQL.

    >>> marked("SELECT e.data.a[0] FROM events AS e WHERE data->>'b' = ?").text
    'SELECT oncue_path_0 FROM events AS e WHERE oncue_path_1 = $1'
    """
    return _Reading(sql, hidden).marked()


class _Reading:
    """Reads one statement, word by word."""

    def __init__(self, sql: str, hidden: frozenset[str]) -> None:
        self._sql = sql
        self._hidden = hidden
        self._tokens = sqlglot.tokenize(sql, dialect=DIALECT)
        self._numbers_values = not any(
            token.token_type is TokenType.PARAMETER for token in self._tokens
        )

    def marked(self) -> Marked:
        edits: list[Edit] = []
        paths: dict[str, Path] = {}
        values, place = 0, 0
        while place < len(self._tokens):
            token = self._tokens[place]
            found = self._path(place)
            if found:
                begin, end, path = found
                mark = f"{MARK}{len(paths)}"
                paths[mark] = path
                edits.append(Edit(self._tokens[begin].start, self._tokens[end - 1].end + 1, mark))
                place = end
                continue
            if token.token_type is TokenType.PLACEHOLDER and self._numbers_values:
                values += 1
                edits.append(Edit(token.start, token.end + 1, f"${values}"))
            place += 1
        return Marked(edited(self._sql, edits), paths)

    def _path(self, root: int) -> tuple[int, int, Path] | None:
        """Return the words from which and up to which a path goes, whose document is at `root`."""
        document = self._document(root)
        if document is None:
            return None
        begin, end, steps, name = document, root + 1, list[str](), "value"
        while True:
            if found := self._step(end):
                end, more, name = found[0], found[1], found[2] or name
                steps += more
            elif self._is_enclosed(begin, end):
                begin, end = begin - 1, end + 1
            else:
                break
        goes_on = self._is(end, *_DEEPER) and not self._is_call(end)
        if not steps or goes_on:
            return None
        first, last = self._tokens[document], self._tokens[root]
        return begin, end, Path(self._sql[first.start : last.end + 1], tuple(steps), name)

    def _document(self, root: int) -> int | None:
        """Return where the name of a document begins, if one stands at `root`."""
        if self._name(root).lower() not in ROOTS:
            return None
        if not self._is(root - 1, TokenType.DOT):
            return None if self._name(root).lower() in self._hidden else root
        is_of_table = self._name(root - 2) and not self._is(root - 3, TokenType.DOT)
        return root - 2 if is_of_table else None

    def _step(self, place: int) -> tuple[int, list[str], str] | None:
        """Return the step at a place: where it ends, what it is, and its name."""
        if self._is(place, TokenType.DOT):
            name = self._name(place + 1)
            return (place + 2, [_key(name)], name) if name and not self._is_call(place) else None
        if self._is(place, TokenType.L_BRACKET):
            found = self._text(place + 1) or self._index(place + 1)
            if found and self._is(found[0], TokenType.R_BRACKET):
                return found[0] + 1, [_step_of(found[1])], _name_of(found[1])
            return None
        if self._is(place, *_ARROWS):
            if index := self._index(place + 1):
                return index[0], [_step_of(index[1])], ""
            text = self._text(place + 1)
            steps = _json_steps(text[1]) if text else None
            return (text[0], steps[0], steps[1]) if text and steps else None
        return None

    def _index(self, place: int) -> tuple[int, int] | None:
        is_negative = self._is(place, TokenType.DASH)
        place += is_negative
        if not self._is(place, TokenType.NUMBER) or not self._tokens[place].text.isdecimal():
            return None
        index = int(self._tokens[place].text)
        return place + 1, -index if is_negative else index

    def _text(self, place: int) -> tuple[int, str] | None:
        is_text = self._is(place, TokenType.STRING)
        return (place + 1, self._tokens[place].text) if is_text else None

    def _is_enclosed(self, begin: int, end: int) -> bool:
        """Tell whether parentheses stand around a path that goes on behind them."""
        return (
            self._is(begin - 1, TokenType.L_PAREN)
            and self._is(end, TokenType.R_PAREN)
            and not self._is(begin - 2, *_CALLED)
            and self._step(end + 1) is not None
        )

    def _is_call(self, place: int) -> bool:
        """Tell whether a method of a path is called, as in `data.plan.upper()`."""
        return self._is(place, TokenType.DOT) and self._is(place + 2, TokenType.L_PAREN)

    def _is(self, place: int, *types: TokenType) -> bool:
        return 0 <= place < len(self._tokens) and self._tokens[place].token_type in types

    def _name(self, place: int) -> str:
        return name_of(self._sql, self._tokens, place)


def name_of(sql: str, tokens: Sequence[Token], place: int) -> str:
    """Return the name that a word is, keywords too; nothing, if it is none."""
    if not 0 <= place < len(tokens):
        return ""
    token = tokens[place]
    if token.token_type is TokenType.IDENTIFIER:
        return token.text
    written = sql[token.start : token.end + 1]
    return written if _NAME.fullmatch(written) else ""


def _key(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'."{escaped}"'


def _step_of(step: str | int) -> str:
    if isinstance(step, str):
        return _key(step)
    return f"[#{step}]" if step < 0 else f"[{step}]"


def _name_of(step: str | int) -> str:
    return step if isinstance(step, str) else ""


def _json_steps(text: str) -> tuple[list[str], str] | None:
    """Return the steps of what follows an arrow: a key, or a JSON path that names one place."""
    if not text.startswith(("$", "/")):
        return ([_key(text)], text) if text else None
    steps: list[str] = []
    name, at = "", 1
    while at < len(text):
        found = _JSON_PATH.match(text, at)
        if found is None:
            return None
        key = found["quoted"] or found["plain"]
        steps.append(_key(key) if key else f"[{found['index']}]")
        name, at = key or name, found.end()
    return (steps, name) if steps else None

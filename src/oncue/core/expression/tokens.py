"""
The tokens of CEL.

One pattern reads one token with the space before it. No part of it repeats inside a
repetition that could give it back, so the time is linear in the source.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from oncue.core.expression.excerpts import SourceError


class Sort(StrEnum):
    """What a token is."""

    NUMBER = "number"
    STRING = "string"
    NAME = "name"
    QUOTED = "quoted"
    """A field name in backquotes."""
    SYMBOL = "symbol"
    END = "end"


class Token(NamedTuple):
    """One token; `text` is what the source says, from `start` up to `end`."""

    sort: Sort
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    r"""
    (?: [ \t\r\n\f]++ | //[^\n]*+ )*+
    (?: (?P<string> [bB]?[rR]'''.*?''' | [bB]?[rR]\"\"\".*?\"\"\"
                | [bB]?[rR]'[^'\r\n]*' | [bB]?[rR]"[^"\r\n]*"
                | [bB]?'''(?:[^\\]|\\.)*?''' | [bB]?\"\"\"(?:[^\\]|\\.)*?\"\"\"
                | [bB]?'(?:[^'\\\r\n]|\\.)*' | [bB]?"(?:[^"\\\r\n]|\\.)*" )
    | (?P<number> 0[xX][0-9a-fA-F]+[uU]?
                | (?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?
                | [0-9]+[eE][+-]?[0-9]+
                | [0-9]+[uU]? )
    | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
    | (?P<quoted> `[A-Za-z0-9_.\-/ ]+` )
    | (?P<symbol> \|\| | && | [=!<>]= | [-+*/%!<>?:.,()\[\]{}] )
    | (?P<end> \Z ) )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"(?:[ \t\r\n\f]+|//[^\n]*)*")
_SORTS = {sort.value: sort for sort in Sort}


def read_tokens(source: str, start: int = 0) -> Iterator[Token]:
    """
    Return the tokens of `source` from `start` on, the last of them an END.

    Raises:
        SourceError: text that begins no token.
    """
    position = start
    while True:
        found = _TOKEN.match(source, position)
        if not found:
            position = _after_space(source, position)
            raise SourceError(_complaint(source, position), position)
        name = found.lastgroup
        assert name is not None
        begin, position = found.span(name)
        yield Token(_SORTS[name], source[begin:position], begin, position)
        if name == "end":
            return


def _after_space(source: str, position: int) -> int:
    found = _SPACE.match(source, position)
    return found.end() if found else position


def _complaint(source: str, position: int) -> str:
    if source[position] in "'\"":
        return "expected the end of the string, got the end of the line"
    return f"expected an expression, got {source[position]!r}"

"""
Windows as they are written: table functions, and functions of `time` in GROUP BY.

sqlglot reads neither `TABLE(TUMBLE(TABLE events, …))` nor a function named `SESSION`. So
a table function is cut out and stands for a table of a name that no user can write, and
the functions get names that sqlglot takes for any function.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from oncue.core.sql.arithmetic import span_ms
from oncue.core.sql.columns import TABLE
from oncue.core.sql.text import Piece, Statement, Word, Words

FUNCTION_PREFIX: Final = "oncue_window_"
MAX_WINDOWS_PER_EVENT: Final = 1_000
_TABLE_PREFIX: Final = "oncue window "


class Shape(StrEnum):
    """How windows follow each other."""

    TUMBLE = "TUMBLE"
    HOP = "HOP"
    CUMULATE = "CUMULATE"
    SESSION = "SESSION"


_SHAPES: Final = tuple(shape.value for shape in Shape)
_INTERVALS: Final[Mapping[Shape, tuple[str, int]]] = {
    Shape.TUMBLE: ("the size, and perhaps an offset", 1),
    Shape.HOP: ("the slide, the size, and perhaps an offset", 2),
    Shape.CUMULATE: ("the step, the size, and perhaps an offset", 2),
    Shape.SESSION: ("the gap", 1),
}
"""What intervals each shape takes, and how many at least."""


@dataclass(frozen=True, slots=True)
class Windowing:
    """
    Which windows an event is put into.

    `size_ms` is their length, and of a session the silence that ends it; `step_ms` how
    far apart hopping windows begin, and how far apart cumulating ones end.
    """

    shape: Shape
    size_ms: int
    step_ms: int = 0
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class WindowTable:
    """
    A table function: its windows, and for sessions the words of its PARTITION BY.

    `time` is the column in whose order its rows come; `inner` are the words of a query
    whose rows they are, and nothing where they are those of a table.
    """

    windowing: Windowing
    partition: Sequence[Sequence[Word]]
    at: int
    time: Word
    inner: Sequence[Word]


@dataclass(frozen=True, slots=True)
class Readable:
    """A statement that sqlglot can read; `tables` are its table functions by the names they got."""

    piece: Piece
    tables: Mapping[str, WindowTable]


def readable(statement: Statement, words: Sequence[Word]) -> Readable:
    """
    Return words of a statement without what sqlglot cannot read.

    Raises:
        InvalidInput: a table function is not spelled as one.
    """
    words = list(words)
    while words and words[-1].upper == ";":
        words.pop()
    if not words:
        raise statement.refusal(0, "expected SELECT, got the end")
    piece = Piece(statement, words[0].start)
    tables: dict[str, WindowTable] = {}
    place = 0
    while place < len(words):
        word, following = words[place], words[place + 1 : place + 4]
        if _is_table_function(word, following):
            taken, table = _table_function(statement, words[place:])
            name = f"{_TABLE_PREFIX}{len(tables)}"
            tables[name] = table
            piece.add(f'"{name}"', word.start)
            place += taken
            continue
        is_function = word.upper in _SHAPES and following[:1] and following[0].upper == "("
        piece.add_all(
            [Word("name", FUNCTION_PREFIX + word.text, word.start)] if is_function else [word]
        )
        place += 1
    return Readable(piece, tables)


def windowing_of(shape: Shape, spans: Sequence[int]) -> Windowing | str:
    """Return the windows of a shape with these intervals, or what was expected of them."""
    expected, least = _INTERVALS[shape]
    most = least if shape is Shape.SESSION else least + 1
    if not least <= len(spans) <= most:
        return f"expected {expected} of {shape}, got {len(spans)} intervals"
    if any(span <= 0 for span in spans[:least]):
        return f"expected intervals above zero of {shape}"
    offset_ms = spans[least] if len(spans) > least else 0
    size_ms = spans[least - 1]
    if least == 1:
        return Windowing(shape, size_ms, 0, offset_ms)
    step_ms = spans[0]
    if step_ms > size_ms:
        return f"expected a first interval that is at most the second one, of {shape}"
    if size_ms > step_ms * MAX_WINDOWS_PER_EVENT:
        return f"expected at most {MAX_WINDOWS_PER_EVENT} windows around an event of {shape}"
    if shape is Shape.CUMULATE and size_ms % step_ms:
        return "expected a size of CUMULATE that is a multiple of its step"
    return Windowing(shape, size_ms, step_ms, offset_ms)


def _is_table_function(word: Word, following: Sequence[Word]) -> bool:
    upper = [each.upper for each in following]
    if word.upper == "TABLE":
        return len(upper) == 3 and upper[0] == "(" and upper[1] in _SHAPES and upper[2] == "("
    return word.upper in _SHAPES and upper[:2] == ["(", "TABLE"]


def _table_function(statement: Statement, rest: Sequence[Word]) -> tuple[int, WindowTable]:
    words = Words(statement, rest, rest[-1].end)
    at = words.at
    is_wrapped = words.take("TABLE") is not None
    if is_wrapped:
        words.need("(")
    shape = Shape(words.need(*_SHAPES).upper)
    words.need("(")
    inner = _inner(words)
    partition = _partition(words, shape)
    time = _descriptor(words)
    spans: list[int] = []
    while words.take(","):
        spans.append(_interval(words))
    words.need(")")
    if is_wrapped:
        words.need(")")
    windowing = windowing_of(shape, spans)
    if isinstance(windowing, str):
        raise statement.refusal(at, windowing)
    taken = sum(word.start < words.at for word in rest) if words.peek else len(rest)
    return taken, WindowTable(windowing, partition, at, time, inner)


def _inner(words: Words) -> list[Word]:
    """Take what rows are those of: a query, whose words are returned, or the table."""
    if words.need("TABLE", "(").upper == "(" or words.take("("):
        inner = words.until()
        words.need(")")
        return inner
    named = words.name(f"the table {TABLE}")
    if named.name.lower() != TABLE:
        raise words.statement.refusal(
            named.start, f"expected the table {TABLE}, got {named.text!r}"
        )
    return []


def _partition(words: Words, shape: Shape) -> list[list[Word]]:
    """Return the parts of PARTITION BY, and take the comma after them or after the table."""
    parts: list[list[Word]] = []
    if shape is Shape.SESSION and words.sequence("PARTITION", "BY"):
        while (word := words.peek) and word.upper != "DESCRIPTOR":
            part = words.until(",", ")")
            if not part:
                raise words.refusal("a column after PARTITION BY")
            parts.append(part)
            words.need(",")
    else:
        words.need(",")
    return parts


def _descriptor(words: Words) -> Word:
    words.need("DESCRIPTOR")
    words.need("(")
    column = words.name("the column of event time")
    words.need(")")
    return column


def _interval(words: Words) -> int:
    at = words.need("INTERVAL").start
    parts = words.until(",", ")")
    spelled = " ".join(part.text.strip("'") for part in parts).strip()
    amount, _, unit = spelled.partition(" ")
    length = span_ms(amount, unit.strip())
    if length is None:
        raise words.statement.refusal(
            at,
            "expected an interval such as INTERVAL '5' MINUTE, up to weeks,"
            f" got INTERVAL {spelled}",
        )
    return length

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

from oncue.core.problems import nearest
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


_LENGTHS: Final[Mapping[Shape, Sequence[str]]] = {
    Shape.TUMBLE: ("SIZE", "OFFSET"),
    Shape.HOP: ("SLIDE", "SIZE", "OFFSET"),
    Shape.CUMULATE: ("STEP", "SIZE", "OFFSET"),
    Shape.SESSION: ("GAP",),
}
"""The names of the intervals of each, in their order."""
SHAPES: Final = tuple(shape.value for shape in Shape)
BEGINNINGS: Final = ("TABLE", *SHAPES)
"""What a table function may begin with."""
BOUNDS: Final[Mapping[str, str]] = {
    "START": "window_start",
    "END": "window_end",
    "ROWTIME": "window_time",
}
"""Which bound of a window a function gives, by how its name ends."""
SPAN: Final = frozenset((BOUNDS["START"], BOUNDS["END"]))
"""The bounds that tell windows apart."""
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
    A table function as it is written: its windows, what they are made of, and where it stands.

    `source` is the table or the query, `partition` the parts of PARTITION BY of sessions,
    `column` the one of which windows are made, and `taken` says how many words it has.
    """

    windowing: Windowing
    source: Sequence[Word]
    partition: Sequence[Sequence[Word]]
    column: Sequence[Word]
    at: int
    taken: int

    @property
    def time(self) -> Word:
        """The name of the column in whose order its rows come."""
        return self.column[-1]

    @property
    def inner(self) -> Sequence[Word]:
        """The words of the query whose rows they are; nothing, where they are those of a table."""
        return self.source[1:-1] if self.source[0].upper == "(" else ()


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
        word, following = words[place], words[place + 1 : place + 2]
        table = table_function(statement, words[place:]) if word.upper in BEGINNINGS else None
        if table:
            _check_stream(statement, table)
            name = f"{_TABLE_PREFIX}{len(tables)}"
            tables[name] = table
            piece.add(f'"{name}"', word.start)
            place += table.taken
            continue
        is_function = word.upper in SHAPES and following and following[0].upper == "("
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


def table_function(statement: Statement, rest: Sequence[Word]) -> WindowTable | None:
    """
    Return the table function that words begin with; None, if they begin with none.

    Raises:
        InvalidInput: it is not spelled as one.
    """
    upper = [word.upper for word in rest[:4]]
    is_wrapped = upper[:2] == ["TABLE", "("]
    name, *opening = upper[2:] if is_wrapped else upper[:3]
    if name not in SHAPES or opening[:1] != ["("]:
        _check_name(statement, rest)
        return None
    if not is_wrapped and opening[1:] not in (["TABLE"], ["("]):
        return None
    words = Words(statement, rest, rest[-1].end)
    at = words.at
    if is_wrapped:
        words.sequence("TABLE", "(")
    shape = Shape(words.need(*SHAPES).upper)
    words.need("(")
    _argument(words, "DATA")
    source = _source(words)
    partition = _partition(words, shape)
    _argument(words, "TIMECOL")
    column = _descriptor(words)
    windowing = windowing_of(shape, _spans(words, _LENGTHS[shape]))
    if is_wrapped:
        words.need(")")
    if isinstance(windowing, str):
        raise statement.refusal(at, windowing)
    return WindowTable(windowing, source, partition, column, at, words.taken)


def window_function(
    statement: Statement, shape: Shape, rest: Sequence[Word]
) -> tuple[Windowing, Sequence[Word], int]:
    """
    Return the windows of a function, such as `TUMBLE(time, …)`, its column, and how many words it has.

    Raises:
        InvalidInput: it is not spelled as one.
    """
    words = Words(statement, rest, rest[-1].end)
    at = words.at
    words.name(shape)
    words.need("(")
    column = words.until(",", ")")
    if not column:
        raise words.refusal("the column of event time")
    windowing = windowing_of(shape, _spans(words))
    if isinstance(windowing, str):
        raise statement.refusal(at, windowing)
    return windowing, column, words.taken


def _check_name(statement: Statement, rest: Sequence[Word]) -> None:
    """Refuse a table function of another name, of which the rest is spelled as one."""
    upper = [word.upper for word in rest[:5]]
    if upper[:2] == ["TABLE", "("] and upper[3:] == ["(", "TABLE"]:
        found = rest[2]
        raise statement.refusal(
            found.start,
            f"expected {', '.join(SHAPES[:-1])} or {SHAPES[-1]}, got {found.text!r}"
            f"{nearest(found.text.upper(), SHAPES)}",
        )


def _check_stream(statement: Statement, table: WindowTable) -> None:
    """Refuse a table that is no stream."""
    source = table.source[0]
    if not table.inner and (len(table.source) > 1 or source.name.lower() != TABLE):
        raise statement.refusal(source.start, f"expected the table {TABLE}, got {source.text!r}")


def _source(words: Words) -> Sequence[Word]:
    """Take a table, or a query in parentheses."""
    is_table = words.take("TABLE") is not None
    opening = words.take("(")
    if opening:
        inner = words.until(")")
        return [opening, *inner, words.need(")")]
    if not is_table:
        raise words.refusal("'TABLE'")
    return _dotted(words, f"a table such as {TABLE}")


def _dotted(words: Words, what: str) -> list[Word]:
    names = [words.name(what)]
    while dot := words.take("."):
        names += [dot, words.name(what)]
    return names


def _partition(words: Words, shape: Shape) -> list[list[Word]]:
    """Return the parts of PARTITION BY, and take the comma after them or after the table."""
    parts: list[list[Word]] = []
    if shape is Shape.SESSION and words.sequence("PARTITION", "BY"):
        while (word := words.peek) and word.upper not in ("DESCRIPTOR", "TIMECOL"):
            part = words.until(",", ")")
            if not part:
                raise words.refusal("a column after PARTITION BY")
            parts.append(part)
            words.need(",")
    else:
        words.need(",")
    return parts


def _descriptor(words: Words) -> list[Word]:
    words.need("DESCRIPTOR")
    words.need("(")
    column = _dotted(words, "the column of event time")
    words.need(")")
    return column


def _argument(words: Words, *names: str) -> str:
    """Take the name of an argument, such as `DATA =>`, if there is one."""
    return next((name for name in names if words.sequence(name, "=", ">")), "")


def _spans(words: Words, names: Sequence[str] = ()) -> list[int]:
    """Take intervals up to the end of a function; those with names come in the order of these."""
    spans: list[int] = []
    named: dict[str, int] = {}
    while words.take(","):
        if name := _argument(words, *names):
            named[name] = _interval(words)
        else:
            spans.append(_interval(words))
    words.need(")")
    return [*spans, *(named[name] for name in names if name in named)]


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

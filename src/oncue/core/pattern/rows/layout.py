"""How the events of a row pattern are told apart and ordered, and which columns its result has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.pattern.keys import KeyOf
from oncue.core.pattern.rows.inputs import Input
from oncue.core.pattern.rows.output import (
    Output,
    ResultScope,
    compile_columns,
    measure,
    shown_column,
)
from oncue.core.pattern.rows.ranks import ranked
from oncue.core.pattern.rows.registers import Memory
from oncue.core.pattern.rows.row import Row, Spot
from oncue.core.pattern.select.where import key_of
from oncue.core.sql.columns import reference
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.row_pattern.clause import Rows
from oncue.core.sql.row_pattern.query import Query
from oncue.core.sql.scalars import Scalar, read
from oncue.core.sql.text import Piece, Word

_DIRECTIONS: Final = ("ASC", "DESC")
_NAME_IT: Final = "; an expression may be named in FROM (SELECT … AS name FROM events)"


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """A column of PARTITION BY or ORDER BY: its name, its place in a row, and what it is of an event."""

    name: str
    place: int
    scalar: Scalar[Event]
    is_descending: bool

    def shown(self) -> Scalar[Spot]:
        """Return it as a column of the result."""
        return shown_column(self.scalar.sort, self.place)


class Layout:
    """The columns of PARTITION BY and ORDER BY, and those of the result."""

    def __init__(self, query: Query, source: Input) -> None:
        self._query = query
        self._clause = query.clause
        self._input = source
        self._check_order()
        self._partition = [self._column(words) for words in self._clause.partition]
        self._order = [self._column(words) for words in self._clause.order]

    @property
    def rank(self) -> Callable[[Row], object] | None:
        """What orders rows of one instant, where ORDER BY names more than time."""
        keys = [(column.place, column.is_descending) for column in self._order[1:]]
        return ranked(keys) if keys else None

    def key(self, *, takes_null: bool) -> KeyOf:
        """Return how the key of an event is found."""
        names = [column.name for column in self._partition]
        parts = [column.scalar.of for column in self._partition]
        return key_of(names, parts, takes_null=takes_null)

    def output(
        self, measures: Sequence[tuple[str, Scalar[Spot]]], names: tuple[str, ...], memory: Memory
    ) -> Output:
        """
        Return what a match gives.

        Raises:
            InvalidInput: SELECT or WHERE name what it does not give.
        """
        rows = self._clause.rows
        columns = [(column.name, column.shown) for column in self._partition]
        if rows is not Rows.ONE:
            columns += [(column.name, column.shown) for column in self._order]
        columns += [(name, _made(measure(scalar))) for name, scalar in measures]
        if rows is not Rows.ONE:
            given = {name for name, _ in columns}
            others = [name for name in self._input.columns if name not in given]
            columns += [(name, self._lazily(name)) for name in others]
        selected, condition = compile_columns(self._query, ResultScope(columns, self._query.alias))
        return Output(rows, names, memory, tuple(selected), condition)

    def _lazily(self, name: str) -> Callable[[], Scalar[Spot]]:
        """Return what makes the column of a name; what nobody asks for is not kept."""
        return lambda: shown_column(self._input.columns[name].sort, self._input.place(name, ()))

    def _check_order(self) -> None:
        order, times = self._clause.order, self._input.times
        first = _plain_name(order[0]) if order else ""
        if first not in {each.lower() for each in times}:
            at = order[0][0].start if order else self._clause.at
            got = repr(self._text(order[0])) if order else "none"
            if not times:
                got += ", and FROM (SELECT …) that gives no time"
            raise self._query.statement.refusal(
                at,
                f"expected ORDER BY time, got {got}: a stream comes in the order of its events' time",
            )
        if order[0][-1].upper == "DESC":
            raise self._query.statement.refusal(
                order[0][-1].start, "expected ORDER BY time ascending, got DESC"
            )

    def _column(self, words: Sequence[Word]) -> _Column:
        piece = Piece(self._query.statement, words[0].start)
        piece.add_all(word for word in words if word.upper not in _DIRECTIONS)
        node = read(piece)
        found = reference(node)
        if found is None:
            raise self._not_a_column(words)
        if len(found.names) > 1 and found.names[0].name.lower() == self._input.alias.lower():
            found = found.without_first()
        compiler = Expressions(piece, ResultScope((), ""))
        name, scalar = self._input.find(found, node, compiler)
        steps = [step for step in found.path if isinstance(step, str)]
        place = self._input.place(name, found.path)
        is_descending = words[-1].upper == "DESC"
        return _Column(steps[-1] if steps else name, place, scalar, is_descending)

    def _not_a_column(self, words: Sequence[Word]) -> InvalidInput:
        got = repr(self._text(words))
        return self._query.statement.refusal(
            words[0].start, f"expected a column or a path such as data.user, got {got}{_NAME_IT}"
        )

    def _text(self, words: Sequence[Word]) -> str:
        return self._query.statement.text[words[0].start : words[-1].end]


def _plain_name(words: Sequence[Word]) -> str:
    """Return the name of a column that stands alone or behind that of its table; else nothing."""
    names = [word for word in words if word.upper not in _DIRECTIONS]
    if len(names) == 3 and names[1].upper == ".":
        names = names[2:]
    return names[0].name.lower() if len(names) == 1 and names[0].is_name else ""


def _made(scalar: Scalar[Spot]) -> Callable[[], Scalar[Spot]]:
    return lambda: scalar

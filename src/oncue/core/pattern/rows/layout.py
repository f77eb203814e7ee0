"""How the rows of a row pattern are told apart and ordered, and which columns its result has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from oncue.core.errors import InvalidInput
from oncue.core.pattern.rows.inputs import Input
from oncue.core.pattern.rows.output import Made, ResultScope, measure, shown_column
from oncue.core.pattern.rows.row import Spot
from oncue.core.sql.columns import reference
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.row_pattern.clause import Clause, Rows
from oncue.core.sql.scalars import Scalar, Sort, read
from oncue.core.sql.text import Piece, Word

DIRECTIONS: Final = ("ASC", "DESC")
_NAME_IT: Final = "; an expression may be named in FROM (SELECT … AS name FROM …)"


@dataclass(frozen=True, slots=True)
class Placed:
    """A column of PARTITION BY or ORDER BY: its name, its place in a row, and whether it descends."""

    name: str
    place: int
    sort: Sort
    is_descending: bool

    def shown(self) -> Scalar[Spot]:
        """Return it as a column of the result."""
        return shown_column(self.sort, self.place)


class Layout:
    """The columns of PARTITION BY and ORDER BY, and those of the result."""

    def __init__(self, clause: Clause, source: Input) -> None:
        self._clause = clause
        self._input = source
        self.partition = [self._column(words) for words in clause.partition]
        self.order = [self._column(words) for words in clause.order]

    @property
    def keys(self) -> list[tuple[int, bool]]:
        """The places of ORDER BY; the truth value says that the order is descending."""
        return [(column.place, column.is_descending) for column in self.order]

    def columns(self, measures: Sequence[tuple[str, Scalar[Spot]]]) -> list[tuple[str, Made]]:
        """Return the columns of the result; what nobody asks for is not kept."""
        is_each = self._clause.rows is not Rows.ONE
        columns = [(column.name, column.shown) for column in self.partition]
        if is_each:
            columns += [(column.name, column.shown) for column in self.order]
        columns += [(name, _made(measure(scalar))) for name, scalar in measures]
        if is_each:
            given = {name for name, _ in columns}
            others = [name for name in self._input.columns if name not in given]
            columns += [(name, self._lazily(name)) for name in others]
        return columns

    def _lazily(self, name: str) -> Made:
        return lambda: shown_column(self._input.columns[name], self._input.place(name, ()))

    def _column(self, words: Sequence[Word]) -> Placed:
        piece = Piece(self._clause.statement, words[0].start)
        piece.add_all(word for word in words if word.upper not in DIRECTIONS)
        node = read(piece)
        found = reference(node)
        if found is None:
            raise self._not_a_column(words)
        found = found.below(self._input.alias)
        compiler = Expressions(piece, ResultScope((), ""))
        name, sort = self._input.find(found, node, compiler)
        steps = [step for step in found.path if isinstance(step, str)]
        place = self._input.place(name, found.path)
        return Placed(steps[-1] if steps else name, place, sort, words[-1].upper == "DESC")

    def _not_a_column(self, words: Sequence[Word]) -> InvalidInput:
        got = repr(text_of(self._clause, words))
        return self._clause.statement.refusal(
            words[0].start, f"expected a column or a path such as data.user, got {got}{_NAME_IT}"
        )


def text_of(clause: Clause, words: Sequence[Word]) -> str:
    """Return words as they are written."""
    return clause.statement.text[words[0].start : words[-1].end]


def _made(scalar: Scalar[Spot]) -> Callable[[], Scalar[Spot]]:
    return lambda: scalar

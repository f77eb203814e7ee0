"""What a row pattern reads of a row: columns of its source, each kept once."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlglot import exp

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.select.where import selection_of
from oncue.core.pattern.selection import EVERYTHING
from oncue.core.problems import nearest
from oncue.core.sql.columns import COLUMNS, TIME, EventScope, Reference, Step, reference, stepped
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.row_pattern.query import Source
from oncue.core.sql.scalars import Compiler, Scalar, Sort

C = TypeVar("C")


class Input:
    """
    The columns of a source with the sort of each.

    `kept` are those that are needed, and paths into them; `times` are the names of those by whose
    time rows are ordered.
    """

    def __init__(self, alias: str, columns: Mapping[str, Sort]) -> None:
        self.alias = alias
        self.columns = columns
        self.times: set[str] = set()
        self.kept: list[tuple[str, tuple[Step, ...]]] = []

    def find(self, found: Reference, at: exp.Expr, compiler: Compiler[C]) -> tuple[str, Sort]:
        """
        Return the name of a column and the sort of what stands behind the steps into it.

        Raises:
            InvalidInput: the source has no such column.
        """
        first = found.names[0].name
        name = self.named(first)
        if name is None:
            others = ", ".join(self.columns)
            raise compiler.refusal(
                at,
                f"expected a column of {self.alias} ({others}), got {first!r}"
                f"{nearest(first, self.columns)}",
            )
        return name, Sort.ANY if found.path else self.columns[name]

    def named(self, name: str) -> str | None:
        """Return a column's name as it is spelled in the source, whatever the case of `name`."""
        if name in self.columns:
            return name
        lower = name.lower()
        return next((each for each in self.columns if each.lower() == lower), None)

    def place(self, name: str, path: tuple[Step, ...]) -> int:
        """Return at which place of a row stands what is behind a path into a column."""
        key = (name, path)
        if key not in self.kept:
            self.kept.append(key)
        return self.kept.index(key)


class EventInput(Input):
    """A source over `events`, read event by event; `selection` admits those that it gives."""

    def __init__(self, source: Source) -> None:
        self._scalars: dict[str, Scalar[Event]] = {}
        super().__init__(source.alias, {})
        self.selection = EVERYTHING
        self._read(source)
        self.columns = {name: each.sort for name, each in self._scalars.items()}

    def _read(self, source: Source) -> None:
        query = source.query
        if query is None:
            self._add_events()
            return
        table = query.args["from_"].this
        scope = EventScope(table.alias or table.name)
        compiler = Expressions(source.piece, scope)
        for item in query.expressions:
            if isinstance(item, exp.Star):
                self._add_events()
                continue
            inner = item.this if isinstance(item, exp.Alias) else item
            name = item.alias if isinstance(item, exp.Alias) else _name_of(compiler, item)
            self._scalars[name] = compiler.compile(inner)
            found = reference(inner)
            if found and not found.path and found.names[-1].name.lower() == TIME:
                self.times.add(name)
        self.selection = selection_of(query.args.get("where"), source.piece, scope)

    def _add_events(self) -> None:
        self._scalars |= {name: Scalar(sort, of) for name, (sort, of) in COLUMNS.items()}
        self.times.add(TIME)

    def reader(self, place: int) -> Callable[[Event], Json]:
        """Return what reads, of an event, what stands at a place of its row."""
        name, path = self.kept[place]
        return stepped(self._scalars[name], path).of

    def reads(self) -> Callable[[Event], tuple[Json, ...]]:
        """Return what reads all that is kept of an event."""
        readers = [self.reader(place) for place in range(len(self.kept))]
        return lambda event: tuple([of(event) for of in readers])


def _name_of(compiler: Compiler[C], item: exp.Expr) -> str:
    found = reference(item)
    if found is None:
        raise compiler.refusal(item, "expected a name after the expression, such as AS total")
    steps = [step for step in found.path if isinstance(step, str)]
    return steps[-1] if steps else found.names[0].name

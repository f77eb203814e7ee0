"""What a row pattern reads of an event: columns of its source, each kept once."""

from collections.abc import Callable
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
from oncue.core.sql.scalars import Compiler, Scalar

C = TypeVar("C")


class Input:
    """
    The columns of a source, and those of them that are needed.

    `selection` admits the events that the source gives; `times` are the names under which it
    has their time.
    """

    def __init__(self, source: Source) -> None:
        self.alias = source.alias
        self.columns: dict[str, Scalar[Event]] = {}
        self.times: set[str] = set()
        self.selection = EVERYTHING
        self._kept: dict[tuple[str, tuple[Step, ...]], int] = {}
        self._of: list[Callable[[Event], Json]] = []
        self._read(source)

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
            self.columns[name] = compiler.compile(inner)
            found = reference(inner)
            if found and not found.path and found.names[-1].name.lower() == TIME:
                self.times.add(name)
        self.selection = selection_of(query.args.get("where"), source.piece, scope)

    def _add_events(self) -> None:
        self.columns |= {name: Scalar(sort, of) for name, (sort, of) in COLUMNS.items()}
        self.times.add(TIME)

    def find(
        self, found: Reference, at: exp.Expr, compiler: Compiler[C]
    ) -> tuple[str, Scalar[Event]]:
        """
        Return the name of a column and what stands behind the steps into it.

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
        return name, stepped(self.columns[name], found.path)

    def named(self, name: str) -> str | None:
        """Return a column's name as it is spelled in the source, whatever the case of `name`."""
        if name in self.columns:
            return name
        lower = name.lower()
        return next((each for each in self.columns if each.lower() == lower), None)

    def place(self, name: str, path: tuple[Step, ...]) -> int:
        """Return at which place of a row stands what is behind a path into a column."""
        key = (name, path)
        if key not in self._kept:
            self._kept[key] = len(self._of)
            self._of.append(stepped(self.columns[name], path).of)
        return self._kept[key]

    def values(self, event: Event) -> tuple[Json, ...]:
        """Return what is kept of an event."""
        return tuple([of(event) for of in self._of])


def _name_of(compiler: Compiler[C], item: exp.Expr) -> str:
    found = reference(item)
    if found is None:
        raise compiler.refusal(item, "expected a name after the expression, such as AS total")
    steps = [step for step in found.path if isinstance(step, str)]
    return steps[-1] if steps else found.names[0].name

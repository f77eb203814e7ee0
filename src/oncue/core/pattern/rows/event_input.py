"""What a row pattern on the stream reads: events, in the order of their time."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlglot import exp

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.rows.inputs import Input
from oncue.core.pattern.rows.layout import DIRECTIONS, text_of
from oncue.core.pattern.select.where import selection_of
from oncue.core.pattern.selection import EVERYTHING
from oncue.core.sql.columns import COLUMNS, EVENTS, TIME, EventScope, reference, stepped
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.row_pattern.clause import Clause
from oncue.core.sql.row_pattern.query import Source
from oncue.core.sql.scalars import Compiler, Scalar
from oncue.core.sql.text import Word

C = TypeVar("C")


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
            inner = item.unalias()
            name = item.alias if isinstance(item, exp.Alias) else _name_of(compiler, item)
            self._scalars[name] = compiler.compile(inner)
            if EVENTS.is_time(reference(inner), scope.alias):
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
    return found.name


def check_time_order(clause: Clause, source: EventInput) -> None:
    """
    Return if rows are ordered as a stream comes: by time, then by what else.

    Raises:
        InvalidInput: they are not.
    """
    order = clause.order
    first = _plain_name(order[0]) if order else ""
    if first not in {each.lower() for each in source.times}:
        at = order[0][0].start if order else clause.at
        got = repr(text_of(clause, order[0])) if order else "none"
        if not source.times:
            got += ", and FROM (SELECT …) that gives no time"
        raise clause.statement.refusal(
            at,
            f"expected ORDER BY time, got {got}: a stream comes in the order of its events' time",
        )
    if order[0][-1].upper == "DESC":
        raise clause.statement.refusal(
            order[0][-1].start, "expected ORDER BY time ascending, got DESC"
        )


def _plain_name(words: Sequence[Word]) -> str:
    """Return the name of a column that stands alone or behind that of its table; else nothing."""
    names = [word for word in words if word.upper not in DIRECTIONS]
    if len(names) == 3 and names[1].upper == ".":
        names = names[2:]
    return names[0].name.lower() if len(names) == 1 and names[0].is_name else ""

"""The columns of the table `events`, and paths into what they hold."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from sqlglot import exp

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.problems import nearest
from oncue.core.sql.scalars import Compiler, Scalar, Scope, Sort

C = TypeVar("C")
Step: TypeAlias = str | int

Evidence: TypeAlias = Callable[[Event], Sequence[tuple[int, int]]]
"""What tells the events that a row is of, by time and offset."""

TABLE: Final = "events"
TIME: Final = "time"


@dataclass(frozen=True, slots=True)
class Reference:
    """A name with what follows it: identifiers as written, then steps into a document."""

    names: tuple[exp.Identifier, ...]
    steps: tuple[Step, ...]

    def without_first(self) -> "Reference":
        """Return what follows the first name."""
        return Reference(self.names[1:], self.steps)

    def below(self, table: str) -> "Reference":
        """Return what follows the name of a table, if it begins with that."""
        is_of_table = len(self.names) > 1 and self.names[0].name.lower() == table.lower()
        return self.without_first() if is_of_table else self

    @property
    def path(self) -> tuple[Step, ...]:
        """The steps behind the first name."""
        return (*(name.name for name in self.names[1:]), *self.steps)

    @property
    def name(self) -> str:
        """What a column is called that is this: as the last of its steps that has a name."""
        named = [step for step in self.path if isinstance(step, str)]
        return named[-1] if named else self.names[0].name


def reference(node: exp.Expr) -> Reference | None:
    """Return the name or the path that a node is; None, if it is neither."""
    match node:
        case exp.Column() if not is_star(node):
            names = [part for part in node.parts if isinstance(part, exp.Identifier)]
            return Reference(tuple(names), ())
        case exp.Paren():
            return reference(node.this) if isinstance(node.this, exp.JSONExtract) else None
        case exp.Dot() if isinstance(node.expression, exp.Identifier):
            return _deeper(node.this, node.expression.name)
        case exp.Bracket() if len(node.expressions) == 1:
            step = _step(node.expressions[0])
            return None if step is None else _deeper(node.this, step)
        case exp.JSONExtract() | exp.JSONExtractScalar():
            return _deeper(node.this, *_steps(node.expression))
        case _:
            return None


def named(name: str, columns: Collection[str]) -> str | None:
    """Return the one of some columns that a name means, whatever its case; None, if none is."""
    if name in columns:
        return name
    lower = name.lower()
    return next((each for each in columns if each.lower() == lower), None)


def is_star(node: exp.Expr) -> bool:
    """Return whether a node is all columns, perhaps those of one table; COUNT(*) is not."""
    return isinstance(node, exp.Star) or (
        isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
    )


def _deeper(node: exp.Expr, *steps: Step) -> Reference | None:
    inner = reference(node)
    return Reference(inner.names, (*inner.steps, *steps)) if inner and steps else None


def _step(key: exp.Expr) -> Step | None:
    if isinstance(key, exp.Literal) and key.args.get("is_string"):
        return key.name
    # sqlglot counts from 0 what DuckDB counts from 1; a JSON document counts from 0.
    if isinstance(key, exp.Literal) and key.name.isdecimal():
        return int(key.name) + 1
    return 1 - int(key.name) if isinstance(key, exp.Neg) and key.name.isdecimal() else None


def _steps(path: exp.Expr) -> list[Step]:
    steps: list[Step] = []
    for part in path.expressions if isinstance(path, exp.JSONPath) else ():
        if isinstance(part, exp.JSONPathKey | exp.JSONPathSubscript):
            if not isinstance(part.this, str | int):
                return []
            steps.append(part.this)
        elif not isinstance(part, exp.JSONPathRoot):
            return []
    return steps


def value_at(document: Json, steps: Sequence[Step]) -> Json:
    """Return what stands in a document behind steps; NULL, where nothing does."""
    for step in steps:
        if isinstance(document, dict) and isinstance(step, str):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int):
            document = document[step] if -len(document) <= step < len(document) else None
        else:
            return None
    return document


def stepped(scalar: Scalar[C], steps: tuple[Step, ...]) -> Scalar[C]:
    """Return what stands behind steps in the document that a scalar gives."""
    if not steps:
        return scalar
    of, (first, *rest) = scalar.of, steps
    if not rest and isinstance(first, str):

        def member(context: C) -> Json:
            document = of(context)
            return document.get(first) if isinstance(document, dict) else None

        return Scalar(Sort.ANY, member)
    return Scalar(Sort.ANY, lambda context: value_at(of(context), steps))


COLUMNS: Final[Mapping[str, tuple[Sort, Callable[[Event], Json]]]] = {
    "id": (Sort.TEXT, lambda event: event.id),
    "source": (Sort.TEXT, lambda event: event.source),
    "type": (Sort.TEXT, lambda event: event.type),
    "subject": (Sort.TEXT, lambda event: event.subject),
    TIME: (Sort.INSTANT, lambda event: event.time_ms),
    "received_at": (Sort.INSTANT, lambda event: event.received_at_ms),
    "offset": (Sort.NUMBER, lambda event: event.offset),
    "data": (Sort.ANY, lambda event: event.data),
    "extensions": (Sort.ANY, lambda event: event.attributes),
}
"""The columns in the order of `SELECT *`, and what each is of an event."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """
    What a SELECT reads: its columns in the order of `*`, each of an event or what stands for one.

    `times` are those that are event time. Where it is not the events themselves, `giver` is
    what gives the columns, for people, and `evidence` tells the events that a row is of.
    """

    columns: Mapping[str, Scalar[Event]]
    times: frozenset[str]
    giver: str = ""
    evidence: Evidence | None = None

    def named(self, name: str) -> str | None:
        """Return a column's name as the table spells it, whatever the case of `name`."""
        return named(name, self.columns)

    def is_time(self, found: Reference | None, alias: str) -> bool:
        """Return whether a name, perhaps behind the table's, is that of event time."""
        if found is None:
            return False
        found = found.below(alias)
        return not found.path and self.named(found.names[0].name) in self.times

    @property
    def time(self) -> str:
        """Which column is event time, for people."""
        return min(self.times, default="t")

    @property
    def timed(self) -> str:
        """Where the column of event time comes from, for people."""
        return f", as MEASURES … MATCH_ROWTIME() AS {self.time} gives it" if self.giver else ""

    def unknown(self, name: str) -> str:
        """Return what was expected where a name is none of the columns."""
        if not self.giver:
            suggested = nearest(name.lower(), list(self.columns))
            return f"expected a column of events, such as data.{name}, got {name!r}{suggested}"
        columns = ", ".join(self.columns)
        return (
            f"expected a column that {self.giver} gives ({columns}),"
            f" got {name!r}{nearest(name, self.columns)}"
        )


EVENTS: Final = Table(
    {name: Scalar(sort, of) for name, (sort, of) in COLUMNS.items()}, frozenset((TIME,))
)


class EventScope(Scope[Event]):
    """Names are columns of a table, perhaps behind its name."""

    def __init__(self, alias: str = TABLE, table: Table = EVENTS) -> None:
        self.alias = alias
        self._table = table

    def column(self, node: exp.Expr, compiler: Compiler[Event]) -> Scalar[Event] | None:
        """Return what a name or a path stands for."""
        found = reference(node)
        if found is None:
            return None
        found = found.below(self.alias)
        table, spelled = self._table, found.names[0].name
        name = table.named(spelled)
        if name is None:
            raise compiler.refusal(node, table.unknown(spelled))
        return stepped(table.columns[name], found.path)

    def call(self, _: exp.Expr, __: Compiler[Event]) -> Scalar[Event] | None:
        """Return None: events have no functions of their own."""
        return None

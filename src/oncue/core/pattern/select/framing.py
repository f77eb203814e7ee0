"""The innermost SELECT of a statement with OVER: aggregates of the rows up to each row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.select.aggregates import SeveralSliding
from oncue.core.pattern.select.columns import Column, Values, name_of
from oncue.core.pattern.select.grouping import Key, Measures, same
from oncue.core.sql.arithmetic import interval
from oncue.core.sql.columns import reference
from oncue.core.sql.expressions import Expressions
from oncue.core.sql.scalars import Compiler, Scalar, Scope
from oncue.core.sql.select.levels import Query

MAX_ROWS: Final = 100_000
"""Rows that are kept of a key at most."""
_EXAMPLE: Final = "RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW"


@dataclass(frozen=True, slots=True)
class Over:
    """A row with what its frames came to: the columns that are read, and the results of each frame."""

    values: Values
    results: Sequence[Values]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """How far rows look back: so many rows, or so many milliseconds with `is_range`."""

    is_range: bool
    reach: int
    measures: Measures

    def begin(self) -> SeveralSliding:
        """Return the aggregates of no rows."""
        return SeveralSliding([measured.sliding for measured in self.measures.all])

    def sample(self, event: Event) -> Values:
        """Return what the aggregates take of an event."""
        return tuple([measured.of(event) for measured in self.measures.all])


class FrameScope(Scope[Over]):
    """Names are columns of events, of which those are kept that are read; functions have OVER."""

    def __init__(self, query: Query) -> None:
        self.frames: list[Frame] = []
        self.kept: list[Callable[[Event], Json]] = []
        self.partition: list[Key] = []
        self._query = query
        self._events = Expressions(query.piece, query.scope)
        self._places: dict[str, int] = {}
        self._is_first = True

    def call(self, node: exp.Expr, compiler: Compiler[Over]) -> Scalar[Over] | None:
        """Return an aggregate over a frame."""
        if not isinstance(node, exp.Window):
            return None
        if isinstance(node.this, exp.RowNumber):
            raise compiler.refusal(
                node,
                "expected ROW_NUMBER() over rows of windows: a stream has no end to number it up to",
            )
        self._take_partition(node, compiler)
        self._check_order(node, compiler)
        number, frame = self._frame(node, compiler)
        placed = frame.measures.place(node.this)
        if placed is None:
            name = node.this.sql().partition("(")[0].upper()
            raise compiler.refusal(
                node, f"expected COUNT, SUM, AVG, MIN or MAX before OVER, got {name}"
            )
        place, sort = placed
        return Scalar(sort, lambda over: over.results[number][place])

    def column(self, node: exp.Expr, compiler: Compiler[Over]) -> Scalar[Over] | None:  # noqa: ARG002 see Scope
        """Return a column of the event, which is kept until its row is due."""
        if reference(node) is None:
            return None
        key = node.sql()
        scalar = self._events.compile(node)
        if key not in self._places:
            self._places[key] = len(self.kept)
            self.kept.append(scalar.of)
        return Scalar(scalar.sort, _value_at(self._places[key]))

    def star(self) -> list[Column[Over]]:
        """Return the columns of events, all of which are kept."""
        columns: list[Column[Over]] = []
        for name, scalar in self._query.read.columns.items():
            columns.append(Column(name, Scalar(scalar.sort, _value_at(len(self.kept)))))
            self.kept.append(scalar.of)
        return columns

    def _take_partition(self, node: exp.Window, compiler: Compiler[Over]) -> None:
        parts = node.args.get("partition_by") or []
        if self._is_first:
            self._is_first = False
            self.partition = [
                Key(part, name_of(part), self._events.compile(part)) for part in parts
            ]
            return
        is_same = len(parts) == len(self.partition) and all(
            same(part, key.node, self._query.aliases[0])
            for part, key in zip(parts, self.partition, strict=True)
        )
        if not is_same:
            raise compiler.refusal(node, "expected the same PARTITION BY in each OVER")

    def _check_order(self, node: exp.Window, compiler: Compiler[Over]) -> None:
        order = node.args.get("order")
        ordered = order.expressions if order is not None else []
        first = reference(ordered[0].this) if len(ordered) == 1 else None
        read = self._query.read
        if not read.is_time(first, self._query.aliases[0]) or ordered[0].args.get("desc"):
            raise compiler.refusal(
                node,
                f"expected ORDER BY {read.time} in OVER: a stream comes in the order of event"
                f" time{read.timed}",
            )

    def _frame(self, node: exp.Window, compiler: Compiler[Over]) -> tuple[int, Frame]:
        is_range, reach = self._reach(node, compiler)
        for number, frame in enumerate(self.frames):
            if (frame.is_range, frame.reach) == (is_range, reach):
                return number, frame
        self.frames.append(Frame(is_range, reach, Measures(self._query.piece, self._query.scope)))
        return len(self.frames) - 1, self.frames[-1]

    def _reach(self, node: exp.Window, compiler: Compiler[Over]) -> tuple[bool, int]:
        spec = node.args.get("spec")
        start = spec.args.get("start") if spec is not None else None
        if (
            spec is None
            or spec.args.get("end") not in (None, "CURRENT ROW")
            or spec.args.get("exclude")
        ):
            raise self._no_frame(node, compiler)
        is_range = spec.args.get("kind") == "RANGE"
        if start == "CURRENT ROW":
            return is_range, 0
        if spec.args.get("start_side") != "PRECEDING":
            raise self._no_frame(node, compiler)
        if is_range and isinstance(start, exp.Interval):
            length = interval(compiler, start).constant
            return True, length if isinstance(length, int) else 0
        count = start.name if isinstance(start, exp.Literal) else ""
        if spec.args.get("kind") != "ROWS" or not count.isdecimal() or int(count) >= MAX_ROWS:
            raise self._no_frame(node, compiler)
        return False, int(count)

    def _no_frame(self, node: exp.Window, compiler: Compiler[Over]) -> InvalidInput:
        return compiler.refusal(
            node,
            f"expected a frame that goes back so far and up to the row, such as {_EXAMPLE}"
            f" or ROWS 9 PRECEDING (below {MAX_ROWS}): a stream has no begin to count from",
        )


def _value_at(place: int) -> Callable[[Over], Json]:
    return lambda over: over.values[place]

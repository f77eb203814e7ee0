"""SELECT … FROM events WHERE …: each event that is wanted is a row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.operator import Arrival, Hit, Kind, Note, Operator
from oncue.core.pattern.select.columns import Projection
from oncue.core.pattern.select.outer import Outers


@dataclass(frozen=True, slots=True, eq=False)
class EachPlan:
    """Which events are rows, and what the rows are."""

    projection: Projection[Event]
    outers: Outers

    def operator(self) -> Operator:
        """Return an operator that has seen nothing yet."""
        return EachOperator(self)


class EachOperator(Operator):
    """Remembers nothing: an event is judged alone, and never late."""

    has_deadlines = False

    def __init__(self, plan: EachPlan) -> None:
        super().__init__()
        self._plan = plan

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Return the row that an event is."""
        event, plan = arrival.event, self._plan
        self.last_note = Note.IGNORED
        rows = plan.outers.rows([(plan.projection.values(event), event)])
        return [
            Hit(
                kind=Kind.MATCHED,
                key=arrival.key,
                time_ms=event.time_ms,
                bindings=(("", (event.offset,)),),
                event_count=1,
                values=plan.outers.shown(values),
            )
            for values, _ in rows
        ]

    def advance(self, _watermark_ms: int) -> Iterator[Hit]:
        """Yield nothing: time alone makes no row."""
        yield from ()

    def deadline(self) -> int | None:
        """Return nothing, since nothing is ever due."""
        return None

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin with nothing."""

    def describe(self, key: str) -> Mapping[str, Json]:  # noqa: ARG002 see Operator
        """Return nothing: nothing is remembered."""
        return {}

    def states(self) -> Mapping[str, Keyed[Any]]:
        """Return nothing."""
        return {}

    def restored(self) -> None:
        """Leave it at that."""

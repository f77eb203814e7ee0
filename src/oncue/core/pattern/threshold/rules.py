"""What is asked of a window that slides, and how its answer is written down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from oncue.core.json_text import Json
from oncue.core.pattern.operator import Hit, Kind
from oncue.core.pattern.threshold.conditions import Condition
from oncue.core.pattern.threshold.keys import Bounds
from oncue.core.pattern.threshold.measures import Measure
from oncue.core.pattern.threshold.values import Reader

KEPT_FOR_LATE_MS: Final = 15 * 60_000
"""How long times are kept beyond their window for events that arrive late."""
MAX_KEPT: Final = 100_000
"""Events that are kept of one key; then the oldest is given up."""
MAX_KEPT_FOR_LATE: Final = 1_000
"""Of these, events that are kept beyond their window."""
# The years 1 to 9999, which is what instants can be written of.
_FIRST_MS: Final = -62_135_596_800_000
_LAST_MS: Final = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class Rule:
    """
    The condition of a threshold, its measure and window, and when it matches again.

    `on_arrival` says that events are judged that enter the window, and not those that
    leave it. `rearm` is `edge`, `every` or `reset`. `repeats` says that hits are wanted
    also of a condition that stays true, marked as repeats. `for_ms` is how long it must
    hold.
    """

    measure: Measure
    reader: Reader
    condition: Condition
    size_ms: int
    bounds: Bounds
    max_events: int
    on_arrival: bool = True
    rearm: str = "edge"
    repeats: bool = False
    for_ms: int | None = None
    clear: Condition | None = None
    notifies: bool = False

    @property
    def repeats_all(self) -> bool:
        """Whether every event makes a hit while the condition is true."""
        return self.repeats or self.rearm == "every"

    @property
    def is_edge(self) -> bool:
        """Whether a condition that stays true is only repeated."""
        return self.rearm == "edge"

    def is_over(self, value: float | None, *, holds: bool) -> bool:
        """Return whether an alert ends: nothing is left of which it could hold, or it is cleared."""
        if value is None or self.clear is None:
            return not holds
        return self.clear.holds(value)

    def hit(  # noqa: PLR0913 what a hit is made of
        self,
        key: str,
        time_ms: int,
        value: float | None,
        event_count: int,
        offsets: Iterable[int],
        *,
        is_repeat: bool = False,
        kind: Kind = Kind.THRESHOLD,
    ) -> Hit:
        """Return the hit of a window that ends at an instant."""
        named = tuple(offsets)
        return Hit(
            kind=kind,
            key=key,
            time_ms=time_ms,
            bindings=(("", named),),
            # Of events that it does not name, the count tells it from others of this instant.
            row=event_count if event_count > len(named) else 0,
            event_count=event_count,
            values=compared(self.measure, self.condition, value),
            window=(max(time_ms - self.size_ms, _FIRST_MS), min(time_ms, _LAST_MS)),
            is_repeat=is_repeat,
        )


def compared(measure: Measure, condition: Condition, value: float | None) -> Mapping[str, Json]:
    """Return what a match says of the comparison."""
    return {
        "measure": measure.name,
        "value": value,
        "operator": condition.operator,
        "threshold": whole(condition.limit),
    }


def whole(number: float) -> Json:
    """Return a number as people write it: 5 and not 5.0."""
    return int(number) if number.is_integer() else number

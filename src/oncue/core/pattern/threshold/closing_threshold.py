"""A threshold over windows that close: a hit for each window in which the condition holds."""

from collections.abc import Iterator, Mapping, Sequence

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.operator import Arrival, Hit, Kind, Operator
from oncue.core.pattern.threshold.closing import Closing, ClosingWindows, Row
from oncue.core.pattern.threshold.rules import compared
from oncue.core.pattern.threshold.windows import KeyWindows


class ClosingThreshold(Operator):
    """
    Judges each window when it ends. The time of a hit is the end of its window.

    `repeats` says that with `follows` also those windows make hits, as repeats, before
    which the condition held already.
    """

    def __init__(self, closing: Closing, *, repeats: bool) -> None:
        super().__init__()
        assert closing.condition is not None
        self._condition = closing.condition
        self._measure = closing.measure
        self._repeats = repeats
        self._windows = ClosingWindows(closing)
        self.counts = self._windows.counts

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Take an event; a hit is the correction of a window that was judged."""
        rows = self._windows.admit(arrival)
        self.last_note = self._windows.last_note
        return [self._hit(row) for row in rows] if rows else ()

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Yield the windows that end and hold, in the order of (end, key)."""
        for row in self._windows.advance(watermark_ms):
            if self._repeats or not row.is_repeat:
                yield self._hit(row)

    def deadline(self) -> int | None:
        """Return the earliest watermark at which something is due."""
        return self._windows.deadline()

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Know declared keys, and watch their windows from the first whole one on."""
        self._windows.begin(at_ms, keys)

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return the windows of a key that are open or kept."""
        windows: list[Json] = [
            {
                "start_ms": window.span[0],
                "end_ms": window.span[1],
                "value": window.value(),
                "event_count": window.count,
                "is_open": window.is_open,
            }
            for window in self._windows.kept(key)
        ]
        return {"windows": windows} if windows else {}

    def states(self) -> Mapping[str, Keyed[KeyWindows]]:
        """Return what is remembered of the keys."""
        return self._windows.keys.states()

    def restored(self) -> None:
        """Make what is derived from the states."""
        self._windows.restored()

    def _hit(self, row: Row) -> Hit:
        values = compared(self._measure, self._condition, row.value)
        return Hit(
            kind=Kind.THRESHOLD,
            key=row.key,
            time_ms=row.span[1],
            bindings=(("", row.offsets),),
            event_count=row.event_count,
            values={**values, "holds": row.holds} if row.revision else values,
            window=row.span,
            revision=row.revision,
            is_repeat=row.is_repeat,
        )

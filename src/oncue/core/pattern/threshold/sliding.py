"""
The window of a key that slides: (instant - size, instant].

    marks    · · ·│· · · · · ·│· ·        in the order of (time, arrival)
                first       after
                  └─ inside ──┘

It can be moved to any instant in either direction, at the cost of what enters and
leaves; since its accumulator is exact, it then is as if it had been made there.
"""

from array import array
from collections.abc import Sequence
from typing import Final

from oncue.core.pattern.keyed import Remembered
from oncue.core.pattern.threshold.accumulators import Mark, Number, Reversible
from oncue.core.pattern.threshold.marks import insert
from oncue.core.pattern.threshold.values import COUNTED, Sample

NEVER: Final = 2**62


class SlidingWindow(Remembered):
    """
    The samples of a key, and those of them that the window at `position_ms` holds.

    `values` are what was measured, in the order of `marks`; None where events are only
    counted.
    """

    __slots__ = ("after", "first", "kept", "marks", "position_ms", "values")

    def __init__(self, position_ms: int, kept: Reversible, *, has_values: bool) -> None:
        self.marks = array("q")
        self.values: list[Sample] | None = [] if has_values else None
        self.first = 0
        self.after = 0
        self.kept = kept
        self.position_ms = position_ms

    def insert(self, mark: Mark, size_ms: int) -> None:
        """Put a sample in its place; the window stays where it is."""
        place = insert(self.marks, mark[0], mark[1])
        if self.values is not None:
            self.values.insert(place, mark[2])
        if mark[0] <= self.position_ms - size_ms:
            self.first += 1
            self.after += 1
        elif mark[0] <= self.position_ms:
            self.after += 1
            self.kept.add(mark)

    def move_to(self, instant_ms: int, size_ms: int) -> None:
        """Let the window end at an instant."""
        marks, first, after = self.marks, self.first, self.after
        begin_ms, count = instant_ms - size_ms, len(self.marks) // 2
        self.position_ms = instant_ms
        while after < count and marks[2 * after] <= instant_ms:
            self.kept.add(self.mark(after))
            after += 1
        while first > 0 and marks[2 * first - 2] > begin_ms:
            first -= 1
            self.kept.add(self.mark(first))
        while first < after and marks[2 * after - 2] > instant_ms:
            after -= 1
            self.kept.remove(self.mark(after))
        while first < after and marks[2 * first] <= begin_ms:
            self.kept.remove(self.mark(first))
            first += 1
        self.first, self.after = first, after

    def mark(self, place: int) -> Mark:
        """Return the sample at a place."""
        value = COUNTED if self.values is None else self.values[place]
        return self.marks[2 * place], self.marks[2 * place + 1], value

    def value(self, size_ms: int) -> Number | None:
        """Return the measure of the window."""
        return self.kept.value(self.after - self.first, size_ms)

    @property
    def count(self) -> int:
        """How many events are inside."""
        return self.after - self.first

    def offsets(self, limit: int) -> Sequence[int]:
        """Return the offsets of the last events inside."""
        shown = max(self.first, self.after - limit)
        return self.marks[2 * shown + 1 : 2 * self.after : 2]

    def entering_ms(self) -> int:
        """Return when the next sample comes into the window, or NEVER."""
        place = 2 * self.after
        return self.marks[place] if place < len(self.marks) else NEVER

    def leaving_ms(self, size_ms: int) -> int:
        """Return when the next sample leaves it, which may yet have to come in, or NEVER."""
        place = 2 * self.first
        return self.marks[place] + size_ms if place < len(self.marks) else NEVER

    def drop_first(self, count: int) -> None:
        """Forget the earliest samples, whether they are inside or not."""
        for place in range(self.first, min(count, self.after)):
            self.kept.remove(self.mark(place))
        del self.marks[: 2 * count]
        if self.values is not None:
            del self.values[:count]
        self.first = max(0, self.first - count)
        self.after = max(0, self.after - count)

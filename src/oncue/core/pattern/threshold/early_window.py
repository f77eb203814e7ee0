"""The sliding window of a key that is judged on arrival, and where its condition is true."""

from array import array
from typing import Final

from oncue.core.pattern.threshold.accumulators import Mark, Reversible
from oncue.core.pattern.threshold.conditions import Condition
from oncue.core.pattern.threshold.sliding import SlidingWindow
from oncue.core.pattern.threshold.stretches import OPEN, Stretch, report


class EarlyWindow(SlidingWindow):
    """The window of a key, which ends at its newest event, and the stretches reported."""

    __slots__ = ("reported",)

    def __init__(self, position_ms: int, kept: Reversible, *, has_values: bool) -> None:
        super().__init__(position_ms, kept, has_values=has_values)
        self.reported = array("q")

    @property
    def is_open(self) -> bool:
        """Whether the condition is true where the window stands."""
        return bool(self.reported) and self.reported[-1] == OPEN


class Truth:
    """Finds the stretches of event time in which an arrival makes the condition true."""

    def __init__(self, condition: Condition, size_ms: int) -> None:
        self._condition: Final = condition
        self._size_ms: Final = size_ms

    def add(self, state: EarlyWindow, mark: Mark) -> list[int]:
        """Take up a sample; return where stretches begin that were not reported before."""
        if mark[0] >= state.position_ms:
            return self._in_order(state, mark)
        return [
            stretch[0]
            for stretch in self._out_of_order(state, mark)
            if report(state.reported, stretch)
        ]

    def _in_order(self, state: EarlyWindow, mark: Mark) -> list[int]:
        time_ms, size_ms = mark[0], self._size_ms
        while state.is_open:
            leaving_ms = state.leaving_ms(size_ms)
            if leaving_ms >= time_ms:
                break
            if not self.holds_at(state, leaving_ms):
                state.reported[-1] = leaving_ms
        state.insert(mark, size_ms)
        if self.holds_at(state, time_ms):
            is_fresh = not state.is_open and report(state.reported, (time_ms, OPEN))
            return [time_ms] if is_fresh else []
        if state.is_open:
            state.reported[-1] = time_ms
        return []

    def _out_of_order(self, state: EarlyWindow, mark: Mark) -> list[Stretch]:
        """Return where the condition is true in the span that the sample has part in."""
        time_ms, newest_ms, size_ms = mark[0], state.position_ms, self._size_ms
        state.insert(mark, size_ms)
        until_ms = min(time_ms + size_ms, newest_ms)
        stretches: list[Stretch] = []
        begin = time_ms if self.holds_at(state, time_ms) else None
        while (instant_ms := min(state.entering_ms(), state.leaving_ms(size_ms))) <= until_ms:
            holds = self.holds_at(state, instant_ms)
            if begin is not None and not holds:
                stretches.append((begin, instant_ms))
                begin = None
            elif begin is None and holds:
                begin = instant_ms
        if begin is not None:
            stretches.append((begin, OPEN if until_ms == newest_ms else until_ms))
        state.move_to(newest_ms, size_ms)
        return stretches

    def holds_at(self, state: EarlyWindow, instant_ms: int) -> bool:
        """Move the window of a key to an instant; return whether the condition is true there."""
        state.move_to(instant_ms, self._size_ms)
        return self._condition.holds(state.value(self._size_ms))

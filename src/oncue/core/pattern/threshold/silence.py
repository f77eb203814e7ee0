"""
Windows in which nothing happened, where these count.

They exist for declared keys, and with `fills` for every key from its first window
until it is forgotten. They are judged one by one, each when it ends, and only where
the condition holds of nothing: where it does not, none of them could say anything, so
a silence of any length costs nothing.
"""

from dataclasses import dataclass
from typing import Final

from oncue.core.pattern.threshold.grids import Grid, Span
from oncue.core.pattern.threshold.windows import KeyWindows, Trail

MAX_SILENT_WINDOWS: Final = 10_000
"""So many empty windows of a key are judged in a row; then it must be heard of first."""
MAX_TOGETHER: Final = 100_000
_FEWEST: Final = 10
"""Of many keys fewer are, so that when all of them fall silent it is no more than so many in all."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The windows without events of a pattern, by their grid."""

    grid: Grid
    fills: bool

    def begin(self, state: KeyWindows, at_ms: int) -> None:
        """Watch a declared key from the first whole window on."""
        self._start(state, self.grid.beginning_from(at_ms))

    def hear(self, state: KeyWindows, time_ms: int, watermark_ms: int) -> None:
        """Note that a key was heard of: its silence begins again, from the open windows on."""
        trail = state.trail
        if not self.fills and (trail is None or trail.first_ms is None):
            return
        if trail is not None:
            trail.silent = 0
        first = next((span for span in self.grid.around(time_ms) if span[1] > watermark_ms), None)
        if first is not None and (
            trail is None or trail.next_span is None or first < trail.next_span
        ):
            self._start(state, first)

    def was_judged(self, state: KeyWindows, span: Span) -> bool:
        """Return whether a window was judged as an empty one."""
        trail = state.trail
        if trail is None or trail.first_ms is None or span[0] < trail.first_ms:
            return False
        return trail.next_span is None or span < trail.next_span

    def is_next(self, state: KeyWindows, due_ms: int) -> bool:
        """Return whether the window that ends now is judged even if it is empty."""
        trail = state.trail
        return trail is not None and trail.next_span is not None and trail.next_span[1] == due_ms

    def step(self, state: KeyWindows, keys: int, *, is_empty: bool) -> bool:
        """
        Go on to the window after the one that was judged, one of so many keys.

        Returns whether there is one; else the key must be heard of first.
        """
        trail = state.trail
        assert trail is not None
        assert trail.next_span is not None
        trail.silent = trail.silent + 1 if is_empty else 0
        most = max(_FEWEST, min(MAX_SILENT_WINDOWS, MAX_TOGETHER // keys))
        goes_on = trail.silent < most
        trail.next_span = self.grid.after(trail.next_span) if goes_on else None
        return goes_on

    def _start(self, state: KeyWindows, span: Span) -> None:
        trail = state.trail = state.trail or Trail()
        trail.next_span = span
        trail.first_ms = span[0] if trail.first_ms is None else min(span[0], trail.first_ms)

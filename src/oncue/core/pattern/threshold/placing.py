"""Which windows an event takes part in."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from oncue.core.pattern.threshold.grids import Grid, Span
from oncue.core.pattern.threshold.measures import Measure
from oncue.core.pattern.threshold.windows import KeyWindows, Window


class Placing(ABC):
    """Finds the windows of an event, and adds to a key those that were not there."""

    def __init__(self, measure: Measure, allowed_ms: int) -> None:
        self._measure = measure
        self._allowed_ms = allowed_ms

    @abstractmethod
    def join(
        self, state: KeyWindows, time_ms: int, watermark_ms: int, was_held: Callable[[Span], bool]
    ) -> list[Window]:
        """
        Return the windows that are open or kept; none says that the event is late.

        `was_held` says of a window that was over before anything came in it whether it
        held.
        """

    def _begin(self, span: Span, watermark_ms: int, was_held: Callable[[Span], bool]) -> Window:
        window = Window(span, self._measure.closing())
        if span[1] <= watermark_ms:
            window.is_open = False
            window.revision = 0
            window.has_held = was_held(span)
        return window


class OnGrid(Placing):
    """Windows of a grid."""

    def __init__(self, measure: Measure, allowed_ms: int, grid: Grid) -> None:
        super().__init__(measure, allowed_ms)
        self._grid = grid

    def join(
        self, state: KeyWindows, time_ms: int, watermark_ms: int, was_held: Callable[[Span], bool]
    ) -> list[Window]:
        """Return the windows around an instant."""
        closed_ms = watermark_ms - self._allowed_ms
        joined: list[Window] = []
        for span in self._grid.around(time_ms):
            if span[1] <= closed_ms:
                continue
            window = _with_span(state.windows, span)
            if window is None:
                window = self._begin(span, watermark_ms, was_held)
                _put(state, window)
            joined.append(window)
        return joined


class InSessions(Placing):
    """Sessions, which grow with their events and grow together."""

    def __init__(self, measure: Measure, allowed_ms: int, gap_ms: int, max_events: int) -> None:
        super().__init__(measure, allowed_ms)
        self._gap_ms = gap_ms
        self._max_events = max_events

    def join(
        self, state: KeyWindows, time_ms: int, watermark_ms: int, was_held: Callable[[Span], bool]
    ) -> list[Window]:
        """Return the session nearer to an instant than the gap, made one of those around it."""
        closed_ms = watermark_ms - self._allowed_ms
        span = (time_ms, time_ms + self._gap_ms)
        near = [
            each
            for each in state.windows
            if each.span[1] > closed_ms and each.span[0] < span[1] and span[0] < each.span[1]
        ]
        if not near and span[1] <= closed_ms:
            return []
        session = near[0] if near else self._begin(span, watermark_ms, was_held)
        for other in near[1:]:
            session.absorb(other, self._max_events)
        session.span = (min(session.span[0], span[0]), max(session.span[1], span[1]))
        session.is_open = session.span[1] > watermark_ms
        state.windows = [each for each in state.windows if each not in near]
        _put(state, session)
        return [session]


def _with_span(windows: list[Window], span: Span) -> Window | None:
    # The window that is looked for is mostly the last one, or comes behind it.
    for window in reversed(windows):
        if window.span == span:
            return window
        if window.span[1] < span[1]:
            break
    return None


def _put(state: KeyWindows, window: Window) -> None:
    windows = state.windows
    if not windows:
        # A list of one has no room to spare: most keys have one window.
        state.windows = [window]
        return
    windows.append(window)
    if windows[-2].span[1] > window.span[1]:
        windows.sort(key=_end)


def _end(window: Window) -> int:
    return window.span[1]

"""One window that closes, and the windows of one key."""

from array import array
from collections.abc import Sequence

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Remembered
from oncue.core.pattern.threshold.accumulators import Accumulator, Mark
from oncue.core.pattern.threshold.grids import Span
from oncue.core.pattern.threshold.marks import insert_first, insert_once, merged_first
from oncue.core.pattern.threshold.measures import Measure


class Window:
    """
    What came in a span of time.

    `marks` are the first events of it. `is_open` says that its end is still to come.
    `revision` is None until it was judged, then it counts the corrections, and
    `has_held` says whether the condition held when it was judged last.
    """

    __slots__ = ("count", "has_held", "is_open", "kept", "marks", "revision", "span")

    def __init__(self, span: Span, kept: Accumulator) -> None:
        self.span = span
        self.kept = kept
        self.count = 0
        self.marks = array("q")
        self.is_open = True
        self.revision: int | None = None
        self.has_held = False

    def add(self, mark: Mark, max_events: int) -> None:
        """Take up an event."""
        self.count += 1
        self.kept.add(mark)
        insert_first(self.marks, mark[0], mark[1], max_events)

    def add_several(self, mark: Mark, events: Sequence[tuple[int, int]], max_events: int) -> None:
        """Take up what several events led to; one that is shown already is not counted again."""
        self.kept.add(mark)
        for time_ms, offset in events:
            self.count += insert_once(self.marks, time_ms, offset, max_events)

    def absorb(self, other: "Window", max_events: int) -> None:
        """Take up a window that turned out to be part of this one."""
        self.span = (min(self.span[0], other.span[0]), max(self.span[1], other.span[1]))
        self.count += other.count
        self.kept.absorb(other.kept)
        self.marks = merged_first(self.marks, other.marks, max_events)
        self.has_held = self.has_held or other.has_held
        if other.revision is not None:
            self.revision = max(self.revision or 0, other.revision)

    def judge(self, *, holds: bool) -> bool:
        """Note whether the condition holds; return whether that is worth a row."""
        is_first = self.revision is None
        is_worth = holds or self.has_held
        if is_first:
            self.revision = 0
        elif is_worth:
            self.revision = (self.revision or 0) + 1
        self.has_held = holds
        self.is_open = False
        return is_worth

    def value(self) -> float | None:
        """Return the measure."""
        return self.kept.value(self.count, self.span[1] - self.span[0])


class Trail:
    """
    Which windows of a key were judged, where that matters for those to come.

    `next_span` is the window that is judged next even if it is empty, `first_ms` the
    begin of the first such one, `silent` how many were empty in a row. `last_span` is
    the window judged last, `has_held` whether the condition held in it.
    """

    __slots__ = ("first_ms", "has_held", "last_span", "next_span", "silent")

    def __init__(self) -> None:
        self.next_span: Span | None = None
        self.first_ms: int | None = None
        self.silent = 0
        self.last_span: Span | None = None
        self.has_held = False


class KeyWindows(Remembered):
    """The windows of a key, the one that ends first before the others."""

    __slots__ = ("trail", "windows")

    def __init__(self) -> None:
        self.windows: list[Window] = []
        self.trail: Trail | None = None

    def let_go(self, closed_ms: int) -> None:
        """Forget the windows that were told, and ended by an instant."""
        kept = (n for n, w in enumerate(self.windows) if w.is_open or w.span[1] > closed_ms)
        del self.windows[: next(kept, len(self.windows))]

    def due_ms(self, allowed_ms: int) -> int | None:
        """Return when the next window ends, or one is kept no longer that was over `allowed_ms` ago."""
        windows, trail = self.windows, self.trail
        due: list[int] = []
        for window in windows:
            # Those that are over stand before those that are open, of which the first ends next.
            if window.is_open:
                due.append(window.span[1])
                break
            if not due:
                due.append(window.span[1] + allowed_ms)
        if trail is not None and trail.next_span is not None:
            due.append(trail.next_span[1])
        return min(due, default=None)


def dump(state: KeyWindows) -> Json:
    """Return the windows of a key as plain data."""
    windows: list[Json] = [
        [
            list(window.span),
            window.count,
            window.kept.dump(),
            list(window.marks),
            window.is_open,
            window.revision,
            window.has_held,
        ]
        for window in state.windows
    ]
    trail = state.trail
    return [windows, None if trail is None else _dump_trail(trail)]


def _dump_trail(trail: Trail) -> Json:
    return [
        list(trail.next_span) if trail.next_span else None,
        trail.first_ms,
        trail.silent,
        list(trail.last_span) if trail.last_span else None,
        trail.has_held,
    ]


def load(dumped: Json, measure: Measure) -> KeyWindows:
    """Return the windows that were dumped."""
    assert isinstance(dumped, list)
    state = KeyWindows()
    for span, count, kept, marks, is_open, revision, has_held in dumped[0]:
        window = Window((span[0], span[1]), measure.closing())
        window.kept.load(kept)
        window.count = count
        window.marks = array("q", marks)
        window.is_open = is_open
        window.revision = revision
        window.has_held = has_held
        state.windows.append(window)
    if dumped[1] is not None:
        trail = state.trail = Trail()
        next_span, trail.first_ms, trail.silent, last_span, trail.has_held = dumped[1]
        trail.next_span = tuple(next_span) if next_span else None
        trail.last_span = tuple(last_span) if last_span else None
    return state

"""
Windows that close: tumbling, hopping and sessions of a measure, key by key.

    event ─▶ the windows around it ─▶ watermark >= end ─▶ judged: a row if it holds
                                              └─ kept for `allowed_ms`: judged again by
                                                 every late event, a row each time

A window is open while end > watermark, whether events of it came or not. So the
watermark at its arrival alone says which windows an event is late for. All that is
due at that watermark must have been taken from `advance` before.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from oncue.core.pattern.operator import Arrival, Note
from oncue.core.pattern.threshold.accumulators import Accumulator
from oncue.core.pattern.threshold.conditions import Condition
from oncue.core.pattern.threshold.grids import Grid, Span
from oncue.core.pattern.threshold.keys import Bounds, Keys, heard_ms
from oncue.core.pattern.threshold.measures import Measure
from oncue.core.pattern.threshold.placing import InSessions, OnGrid, Placing
from oncue.core.pattern.threshold.schedule import Schedule
from oncue.core.pattern.threshold.silence import Silence
from oncue.core.pattern.threshold.values import Reader, Sample
from oncue.core.pattern.threshold.windows import KeyWindows, Trail, Window, dump, load


@dataclass(frozen=True, slots=True)
class Row:
    """
    A window that was judged, or corrected after that: `revision` is then above 0.

    `kept` is what `value` was made of, to be looked at before anything else comes.
    `is_repeat` says that the condition held in the window before it, too.
    """

    key: str
    span: Span
    value: float | None
    kept: Accumulator
    event_count: int
    offsets: tuple[int, ...]
    holds: bool
    revision: int
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """
    Which windows there are, and what is asked of them.

    Without a `grid` they are sessions that end after a silence of `gap_ms`. Without a
    `condition` every window makes a row, but for those that are not `wanted`, where that is
    given by the key and the window. `fills` judges also the empty windows of keys
    that were not declared, `follows` remembers whether the window before held.
    """

    measure: Measure
    reader: Reader
    bounds: Bounds
    grid: Grid | None = None
    gap_ms: int = 0
    condition: Condition | None = None
    allowed_ms: int = 0
    max_events: int = 0
    fills: bool = False
    follows: bool = False
    wanted: Callable[[str, Window], bool] | None = None

    def holds(self, value: float | None) -> bool:
        """Return whether a window of this measure makes a row."""
        return self.condition is None or self.condition.holds(value)

    def placing(self) -> Placing:
        """Return how events find their windows."""
        if self.grid is None:
            return InSessions(self.measure, self.allowed_ms, self.gap_ms, self.max_events)
        return OnGrid(self.measure, self.allowed_ms, self.grid)

    def silence(self) -> Silence | None:
        """Return how empty windows are judged; None if none of them can make a row."""
        if self.grid is None or not self.holds(self.measure.of_nothing):
            return None
        return Silence(self.grid, self.fills)


class ClosingWindows:
    """The windows of all keys. `counts` and `last_note` are as those of operators."""

    def __init__(self, closing: Closing) -> None:
        self.counts: Counter[str] = Counter()
        self.last_note: Note | None = None
        self.keys = Keys(closing.bounds, dump, partial(load, measure=closing.measure))
        self._closing = closing
        self._placing = closing.placing()
        self._silence = closing.silence()
        self._schedule = Schedule()

    def admit(self, arrival: Arrival) -> list[Row]:
        """Take an event, and return the rows of the judged windows that it corrects."""
        sample = self._closing.reader.read(arrival.values)
        if sample is None:
            self.counts["without_value"] += 1
            self.last_note = Note.IGNORED
            return []
        return self.take(arrival, sample)

    def take(
        self, arrival: Arrival, sample: Sample, events: Sequence[tuple[int, int]] = ()
    ) -> list[Row]:
        """
        Take what was measured of an event, and return the rows that it corrects.

        `events` are those by time and offset that it stands for, if it stands for others.
        """
        event, key, watermark_ms = arrival.event, arrival.key, arrival.watermark_ms
        before = self.keys.edit(key, watermark_ms)
        state = KeyWindows() if before is None else before
        due_before = state.due_ms(self._closing.allowed_ms)
        joined = self._placing.join(
            state, event.time_ms, watermark_ms, partial(self._was_held, before)
        )
        if not joined:
            self.counts["late"] += 1
            self.last_note = Note.LATE
            return []
        rows: list[Row] = []
        mark, max_events = (event.time_ms, event.offset, sample), self._closing.max_events
        for window in joined:
            if events:
                window.add_several(mark, events, max_events)
            else:
                window.add(mark, max_events)
            if not window.is_open:
                rows += self._judge(key, window)
        if self._silence:
            self._silence.hear(state, event.time_ms, watermark_ms)
        if self.keys.put(key, state, heard_ms(arrival), watermark_ms) is not None:
            self.counts["keys_forgotten"] += 1
        self._enter(key, state, due_before)
        self.last_note = None if rows else Note.COUNTED
        return rows

    def advance(self, watermark_ms: int) -> Iterator[Row]:
        """Yield the windows that end, in the order of (end, key)."""
        for due_ms, key in self._schedule.until(watermark_ms):
            # A key that is forgotten at this very instant is still judged at it.
            state = self.keys.edit(key, due_ms - 1)
            if state is None:
                continue
            rows = self._end(key, state, due_ms)
            state.let_go(due_ms - self._closing.allowed_ms)
            if not state.windows and state.trail is None:
                self.keys.drop(key)
            self._enter(key, state, None)
            yield from rows

    def deadline(self) -> int | None:
        """Return the earliest watermark at which something is due."""
        return self._schedule.earliest()

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Know keys before their first event, and watch them from the first whole window on."""
        for key in keys:
            state = KeyWindows()
            if self._silence:
                self._silence.begin(state, at_ms)
            self.keys.declare(key, state, at_ms)
            self._enter(key, state, None)

    def kept(self, key: str) -> Sequence[Window]:
        """Return the windows of a key that are open or kept, to look at."""
        return next((s.windows for each in self.keys.states().values() if (s := each.get(key))), ())

    def restored(self) -> None:
        """Make what is derived from the states."""
        self.keys.restored()
        for key, state in self.keys.items():
            self._enter(key, state, None)

    def _end(self, key: str, state: KeyWindows, due_ms: int) -> list[Row]:
        ending = next((w for w in state.windows if w.is_open and w.span[1] == due_ms), None)
        is_next = self._silence is not None and self._silence.is_next(state, due_ms)
        if ending is None and not is_next:
            return []
        window = ending or Window(_next_span(state), self._closing.measure.closing())
        is_repeat = self._closing.follows and self._follow(state, window)
        rows = self._judge(key, window, is_repeat=is_repeat)
        if self._silence is not None and is_next:
            is_empty = ending is None
            if not self._silence.step(state, len(self.keys), is_empty=is_empty):
                self.counts["silences_cut"] += 1
        return rows

    def _judge(self, key: str, window: Window, *, is_repeat: bool = False) -> list[Row]:
        value = window.value()
        wanted = self._closing.wanted
        holds = wanted(key, window) if wanted else self._closing.holds(value)
        if not window.judge(holds=holds):
            return []
        return [
            Row(
                key=key,
                span=window.span,
                value=value,
                kept=window.kept,
                event_count=window.count,
                offsets=tuple(window.marks[1::2]),
                holds=holds,
                revision=window.revision or 0,
                is_repeat=is_repeat,
            )
        ]

    def _follow(self, state: KeyWindows, window: Window) -> bool:
        """Return whether the condition held in the window before, and remember this one."""
        trail = state.trail = state.trail or Trail()
        has_held, last = trail.has_held, trail.last_span
        grid = self._closing.grid
        if last is not None and grid is not None and grid.after(last) != window.span:
            # Between them was nothing.
            has_held = self._closing.holds(self._closing.measure.of_nothing)
        trail.last_span = window.span
        trail.has_held = self._closing.holds(window.value())
        return has_held

    def _was_held(self, state: KeyWindows | None, span: Span) -> bool:
        return (
            state is not None
            and self._silence is not None
            and self._silence.was_judged(state, span)
        )

    def _enter(self, key: str, state: KeyWindows, due_before: int | None) -> None:
        """See to it that a key is looked at in time; it was when something was due before."""
        due = state.due_ms(self._closing.allowed_ms)
        if due is not None and (due_before is None or due < due_before):
            self._schedule.add(key, due)


def _next_span(state: KeyWindows) -> Span:
    assert state.trail is not None
    assert state.trail.next_span is not None
    return state.trail.next_span

"""
A sliding window that goes through event time, instant by instant.

A measure changes where an event enters its window and where it leaves it. The window
of a key is swept over these instants in their order, and at each of them it is
observed whether the condition holds. Where that may begin a match depends on the
operator: `>` and `>=` are judged when an event enters, the others when one leaves,
for then its window is over.

    sweep ──▶ entering, leaving, `for` over ──▶ observe ──▶ hit, cleared, nothing

An arrival sweeps up to its own time where it is what decides, unless it is ahead of
the watermark and of its own reception: the future of a fast clock waits until it has
come. All else is swept when the watermark reaches it. An event behind the sweep
counts in the window where this stands; if it is older than that, all windows that it
is inside of were judged, and it is late.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from oncue.core.json_text import Json
from oncue.core.pattern.deadlines import Deadlines
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.operator import Arrival, Hit, Note, Operator
from oncue.core.pattern.threshold.keys import Keys, heard_ms
from oncue.core.pattern.threshold.rules import MAX_KEPT, Rule
from oncue.core.pattern.threshold.swept_window import SweptWindow

_WORTH_DROPPING: Final = 32


class SweptThreshold(Operator):
    """Judges a sliding window as event time goes on."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self._rule = rule
        self._size_ms: Final = rule.size_ms
        self._keys = Keys(rule.bounds, _dump, self._load)
        self._deadlines = Deadlines()

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Take an event, and return what it decides."""
        rule, event, key = self._rule, arrival.event, arrival.key
        time_ms, watermark_ms = event.time_ms, arrival.watermark_ms
        sample = rule.reader.read(arrival.values)
        if sample is None:
            self.counts["without_value"] += 1
            self.last_note = Note.IGNORED
            return ()
        before = self._keys.edit(key, watermark_ms)
        state = before or self._window(min(time_ms - 1, watermark_ms))
        if time_ms + self._size_ms <= state.position_ms:
            self.counts["late"] += 1
            self.last_note = Note.LATE
            return ()
        state.insert((time_ms, event.offset, sample), self._size_ms)
        hits: list[Hit] = []
        if time_ms <= state.position_ms:
            hits += state.observe(key, rule, is_judged=rule.on_arrival)
        elif rule.on_arrival and time_ms <= max(watermark_ms, event.received_at_ms):
            hits += self._sweep(key, state, time_ms)
        if len(state.marks) > 2 * MAX_KEPT:
            state.drop_first(1)
            self.counts["events_dropped"] += 1
        if self._keys.put(key, state, heard_ms(arrival), watermark_ms) is not None:
            self.counts["keys_forgotten"] += 1
        self._deadlines.set(key, state.due_ms(self._rule))
        self.last_note = None if hits else Note.COUNTED
        return hits

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Sweep the windows of which something is due."""
        for due_ms, key in self._deadlines.until(watermark_ms):
            # A key that is forgotten at this very instant is still judged at it.
            state = self._keys.edit(key, due_ms - 1)
            if state is None:
                continue
            hits = self._sweep(key, state, due_ms)
            self._deadlines.set(key, state.due_ms(self._rule))
            yield from hits

    def deadline(self) -> int | None:
        """Return the earliest watermark at which something is due."""
        return self._deadlines.earliest()

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Know declared keys, so that their silence is judged from one window later on."""
        if self._rule.on_arrival:
            return
        for key in keys:
            state = self._window(at_ms)
            state.known_ms = at_ms
            self._keys.declare(key, state, at_ms)
            self._deadlines.set(key, state.due_ms(self._rule))

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return the window of a key where it stands."""
        state = next((s for each in self.states().values() if (s := each.get(key))), None)
        if state is None:
            return {}
        return {
            "value": state.value(self._size_ms),
            "event_count": state.count,
            "position_ms": state.position_ms,
            "is_active": state.is_active,
            "holds_since_ms": state.since_ms,
        }

    def states(self) -> Mapping[str, Keyed[SweptWindow]]:
        """Return what is remembered of the keys."""
        return self._keys.states()

    def restored(self) -> None:
        """Make what is derived from the states."""
        self._keys.restored()
        for key, state in self._keys.items():
            self._deadlines.set(key, state.due_ms(self._rule))

    def _sweep(self, key: str, state: SweptWindow, to_ms: int) -> list[Hit]:
        hits: list[Hit] = []
        size_ms, rule = self._size_ms, self._rule
        while (instant_ms := state.next_ms(rule)) <= to_ms:
            is_silent = state.silent_ms(size_ms) == instant_ms
            if rule.on_arrival:
                is_judged = state.entering_ms() == instant_ms
            else:
                is_judged = is_silent or state.leaving_ms(size_ms) == instant_ms
            if is_silent:
                state.known_ms = None
            state.move_to(instant_ms, size_ms)
            hits += state.observe(key, rule, is_judged=is_judged)
        if state.first > _WORTH_DROPPING and 4 * state.first > len(state.marks):
            state.drop_first(state.first)
        return hits

    def _window(self, position_ms: int) -> SweptWindow:
        has_values = self._rule.reader.of is not None
        return SweptWindow(position_ms, self._rule.measure.sliding(), has_values=has_values)

    def _load(self, dumped: Json) -> SweptWindow:
        assert isinstance(dumped, list)
        marks, values, position_ms, since_ms, is_active, known_ms = dumped
        state = self._window(position_ms)
        state.marks = array("q", marks)
        state.values = values
        state.move_to(position_ms, self._size_ms)
        state.since_ms, state.is_active, state.known_ms = since_ms, is_active, known_ms
        return state


def _dump(state: SweptWindow) -> Json:
    return [
        list(state.marks),
        None if state.values is None else list(state.values),
        state.position_ms,
        state.since_ms,
        state.is_active,
        state.known_ms,
    ]

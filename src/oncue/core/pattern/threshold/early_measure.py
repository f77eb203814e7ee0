"""
Measures that events can only bring nearer to their limit, on arrival: `distinct`, `max`
and sums of what is not negative with `>` or `>=`, `min` with `<` or `<=`.

As in `early_count`, a hit is made for each stretch of event time in which an arrival
makes the condition true and that touches no stretch reported before. In order the
window goes on from event to event, and an end of truth is found in passing. An event
that is out of order can change the condition inside of [t, t + size) alone: the window
goes back to t, over what is known of that span, and forth again.

So that this way is never long, an event that is far ahead of its reception, or older
than all that is kept for late ones, is judged among its like only, in a lane of its own.
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import Final

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed
from oncue.core.pattern.operator import Arrival, Hit, Note
from oncue.core.pattern.threshold.early import EarlyOperator
from oncue.core.pattern.threshold.early_window import EarlyWindow, Truth
from oncue.core.pattern.threshold.keys import Keys, heard_ms
from oncue.core.pattern.threshold.rules import (
    KEPT_FOR_LATE_MS,
    MAX_KEPT,
    MAX_KEPT_FOR_LATE,
    Rule,
)

PRESENT: Final = "known"
_LANES: Final = (PRESENT, "ahead", "behind")


class EarlyMeasure(EarlyOperator):
    """Judges a measure over a sliding window on arrival."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self._rule = rule
        self._size_ms: Final = rule.size_ms
        self._truth: Final = Truth(rule.condition, rule.size_ms)
        self._lanes = {name: Keys(rule.bounds, _dump, self._load) for name in _LANES}

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Take up an event."""
        event, key, watermark_ms = arrival.event, arrival.key, arrival.watermark_ms
        sample = self._rule.reader.read(arrival.values)
        if sample is None:
            self.counts["without_value"] += 1
            self.last_note = Note.IGNORED
            return ()
        time_ms = event.time_ms
        keys = self._lanes[self._lane(arrival)]
        before = keys.edit(key, watermark_ms)
        state = before or self._window(time_ms)
        newest_ms = state.position_ms
        mark = (time_ms, event.offset, sample)
        begins = self._truth.add(state, mark)
        hits = [self._hit(key, state, begin) for begin in begins]
        if (
            self._rule.repeats_all
            and time_ms not in begins
            and self._truth.holds_at(state, time_ms)
        ):
            hits.append(self._hit(key, state, time_ms, is_repeat=self._rule.is_edge))
        self.last_note = None if hits else Note.COUNTED
        if hits and self._rule.rearm == "reset":
            keys.drop(key)
            return hits[:1]
        state.move_to(max(newest_ms, time_ms), self._size_ms)
        self._give_up(state, min(time_ms, watermark_ms) - self._size_ms - KEPT_FOR_LATE_MS)
        if keys.put(key, state, heard_ms(arrival), watermark_ms) is not None:
            self.counts["keys_forgotten"] += 1
        return hits

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return the window of a key that ends with its newest event."""
        state = self.states()[PRESENT].get(key)
        if state is None:
            return {}
        return {
            "value": state.value(self._size_ms),
            "event_count": state.count,
            "newest_ms": state.position_ms,
        }

    def states(self) -> Mapping[str, Keyed[EarlyWindow]]:
        """Return what is remembered of the keys."""
        return {name: keys.states()["known"] for name, keys in self._lanes.items()}

    def _lane(self, arrival: Arrival) -> str:
        event, watermark_ms = arrival.event, arrival.watermark_ms
        if event.time_ms < watermark_ms - self._size_ms - KEPT_FOR_LATE_MS:
            return "behind"
        is_ahead = event.time_ms > max(watermark_ms, event.received_at_ms) + KEPT_FOR_LATE_MS
        return "ahead" if is_ahead else PRESENT

    def _hit(self, key: str, state: EarlyWindow, time_ms: int, *, is_repeat: bool = False) -> Hit:
        state.move_to(time_ms, self._size_ms)
        return self._rule.hit(
            key,
            time_ms,
            state.value(self._size_ms),
            state.count,
            state.offsets(self._rule.max_events),
            is_repeat=is_repeat,
        )

    def _give_up(self, state: EarlyWindow, horizon_ms: int) -> None:
        """Give up what is too old and what is too much."""
        marks, reported = state.marks, state.reported
        stale = max(0, state.first - MAX_KEPT_FOR_LATE)
        while stale < state.first and marks[2 * stale] <= horizon_ms:
            stale += 1
        # A part of what is stale stays, so that not every event moves all others.
        if 8 * stale > len(marks) // 2:
            state.drop_first(stale)
        if len(marks) > 2 * MAX_KEPT:
            self.counts["events_dropped"] += 1
            state.drop_first(1)
        if reported and (reported[1] <= horizon_ms or len(reported) > 2 * MAX_KEPT_FOR_LATE):
            del reported[:2]

    def _window(self, position_ms: int) -> EarlyWindow:
        has_values = self._rule.reader.of is not None
        return EarlyWindow(position_ms, self._rule.measure.sliding(), has_values=has_values)

    def _load(self, dumped: Json) -> EarlyWindow:
        assert isinstance(dumped, list)
        marks, values, position_ms, reported = dumped
        state = self._window(position_ms)
        state.marks = array("q", marks)
        state.values = values
        state.reported = array("q", reported)
        state.move_to(position_ms, self._size_ms)
        return state


def _dump(state: EarlyWindow) -> Json:
    return [
        list(state.marks),
        None if state.values is None else list(state.values),
        state.position_ms,
        list(state.reported),
    ]

"""
`count >= N` over a sliding window, on arrival: exact in whatever order events come.

Of the times t1 <= t2 <= … of a key, the condition is true from the N-th of a row on
until the first of them leaves the window:

    T = union over j of [t(j), t(j-N+1) + size)

An arrival can only add to T. It makes a hit for each stretch of T that it adds and
that does not touch a stretch reported before, at the begin of the stretch; so once an
arrival is taken up, all of T is reported. A hit is never taken back: where a late event
joins two stretches that were reported, they stay two. In order, the stretches are
those of the whole, so there is one hit for each.

What is kept of a key: the events whose influence [t, t + size) is not yet all inside of
a reported stretch, and the stretches. Of a key that is busy these are the last N or
so. Where the condition is not reported all that counts is there, so nothing that was
given up can be missed. Both are given up when they are older than the window and
`KEPT_FOR_LATE_MS` before the arrival or the watermark, whichever is earlier; until
then a late event finds every window as it was.
"""

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Final

from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed, Remembered
from oncue.core.pattern.operator import Arrival, Hit, Note
from oncue.core.pattern.threshold.conditions import Condition
from oncue.core.pattern.threshold.early import EarlyOperator
from oncue.core.pattern.threshold.keys import Keys, heard_ms
from oncue.core.pattern.threshold.marks import insert, place_after
from oncue.core.pattern.threshold.rules import (
    KEPT_FOR_LATE_MS,
    MAX_KEPT,
    MAX_KEPT_FOR_LATE,
    Rule,
)
from oncue.core.pattern.threshold.stretches import Stretch, report


class CountState(Remembered):
    """The events of a key by time and offset, and the stretches that were reported, end to end."""

    __slots__ = ("marks", "reported")

    def __init__(self, marks: "array[int]", reported: "array[int] | None") -> None:
        self.marks = marks
        self.reported = reported


def _dump(state: CountState) -> Json:
    return [list(state.marks), None if state.reported is None else list(state.reported)]


def _load(dumped: Json) -> CountState:
    assert isinstance(dumped, list)
    marks, reported = dumped
    return CountState(array("q", marks), None if reported is None else array("q", reported))


class EarlyCount(EarlyOperator):
    """Counts the events of each key over a sliding window, on arrival."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self._rule = rule
        self._repeats_all: Final = rule.repeats_all
        self._resets: Final = rule.rearm == "reset"
        self._size_ms: Final = rule.size_ms
        self._keep_ms: Final = rule.size_ms + KEPT_FOR_LATE_MS
        self._needed: Final = needed(rule.condition)
        self._back: Final = 2 * self._needed
        kept = MAX_KEPT if rule.repeats_all else self._needed + MAX_KEPT_FOR_LATE
        self._longest: Final = 2 * kept
        self._keys = Keys(rule.bounds, _dump, _load)

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Count an event."""
        event, key, watermark_ms = arrival.event, arrival.key, arrival.watermark_ms
        before = self._keys.edit(key, watermark_ms)
        state = CountState(array("q"), None) if before is None else before
        marks, time_ms = state.marks, event.time_ms
        if not marks or marks[-2] <= time_ms:
            marks.append(time_ms)
            marks.append(event.offset)
            hits = self._in_order(key, state, time_ms)
        else:
            hits = self._out_of_order(key, state, time_ms, event.offset)
        self.last_note = None if hits else Note.COUNTED
        if hits and self._resets:
            self._keys.drop(key)
            return hits[:1]
        horizon_ms = (time_ms if time_ms < watermark_ms else watermark_ms) - self._keep_ms
        if marks and (marks[0] <= horizon_ms or len(marks) > self._longest):
            self._give_up(state, horizon_ms)
        if self._keys.put(key, state, heard_ms(arrival), watermark_ms) is not None:
            self.counts["keys_forgotten"] += 1
        return hits

    def _in_order(self, key: str, state: CountState, time_ms: int) -> Sequence[Hit]:
        """Judge the newest event: it goes on with the last stretch, or begins one."""
        marks = state.marks
        first = len(marks) - self._back
        if first < 0 or time_ms - marks[first] >= self._size_ms:
            return ()
        end = marks[first] + self._size_ms
        reported = state.reported
        if reported is None:
            reported = state.reported = array("q")
        if not reported or reported[-1] < time_ms:
            reported.append(time_ms)
            reported.append(end)
            # Without this event the condition was false, so these are all that there are.
            shown = min(self._needed, self._rule.max_events)
            offsets = marks[len(marks) - 2 * shown + 1 :: 2]
            hits: Sequence[Hit] = [
                self._rule.hit(key, time_ms, self._needed, self._needed, offsets)
            ]
        elif time_ms < reported[-2]:
            hits = self._hits(key, state, time_ms, [(time_ms, end)])
        else:
            if reported[-1] < end:
                reported[-1] = end
            hits = self._repeated(key, state, time_ms) if self._repeats_all else ()
        self._forget_covered(state, first)
        return hits

    def _out_of_order(
        self, key: str, state: CountState, time_ms: int, offset: int
    ) -> Sequence[Hit]:
        marks = state.marks
        place = insert(marks, time_ms, offset)
        hits = self._hits(key, state, time_ms, self._stretches(marks, place))
        self._forget_covered(state, len(marks) - self._back)
        return hits

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return how many events of a key are in the window that ends with its newest one."""
        state = next((each.get(key) for each in self.states().values()), None)
        if state is None or not state.marks:
            return {}
        newest = state.marks[-2]
        first, after = self._extent(state.marks, newest)
        return {"value": after - first, "needed": self._needed, "newest_ms": newest}

    def states(self) -> Mapping[str, Keyed[CountState]]:
        """Return what is remembered of the keys."""
        return self._keys.states()

    def _stretches(self, marks: "array[int]", place: int) -> list[Stretch]:
        """Return where the condition is true thanks to the event at a place."""
        needed, stretches = self._needed, list[Stretch]()
        for last in range(max(place, needed - 1), min(place + needed, len(marks) // 2)):
            begin, end = marks[2 * last], marks[2 * (last - needed + 1)] + self._size_ms
            if begin >= end:
                continue
            if stretches and begin <= stretches[-1][1]:
                stretches[-1] = (stretches[-1][0], end)
            else:
                stretches.append((begin, end))
        return stretches

    def _hits(
        self, key: str, state: CountState, time_ms: int, stretches: list[Stretch]
    ) -> Sequence[Hit]:
        """Report stretches; return hits for those that are not part of reported ones."""
        if not stretches and not self._repeats_all:
            return ()
        if state.reported is None:
            state.reported = array("q")
        begins = [stretch[0] for stretch in stretches if report(state.reported, stretch)]
        hits = [self._hit(key, state, begin) for begin in begins]
        if self._repeats_all and time_ms not in begins:
            hits += self._repeated(key, state, time_ms)
        return hits

    def _repeated(self, key: str, state: CountState, time_ms: int) -> list[Hit]:
        first, after = self._extent(state.marks, time_ms)
        if after - first < self._needed:
            return []
        return [self._hit(key, state, time_ms, is_repeat=self._rule.is_edge)]

    def _hit(self, key: str, state: CountState, time_ms: int, *, is_repeat: bool = False) -> Hit:
        first, after = self._extent(state.marks, time_ms)
        shown = max(first, after - self._rule.max_events)
        offsets = state.marks[2 * shown + 1 : 2 * after : 2]
        count = after - first
        return self._rule.hit(key, time_ms, count, count, offsets, is_repeat=is_repeat)

    def _extent(self, marks: "array[int]", time_ms: int) -> tuple[int, int]:
        """Return where the window that ends at an instant begins and ends among the events."""
        return place_after(marks, time_ms - self._size_ms), place_after(marks, time_ms)

    def _forget_covered(self, state: CountState, first: int) -> None:
        """Give up the event at a place if all that it has influence on is reported."""
        marks, reported = state.marks, state.reported
        if not reported or first < 0 or self._repeats_all:
            return
        begin = marks[first]
        if reported[-2] <= begin and begin + self._size_ms <= reported[-1]:
            del marks[first : first + 2]

    def _give_up(self, state: CountState, horizon_ms: int) -> None:
        """Give up what is too old and what is too much."""
        marks, reported = state.marks, state.reported
        stale = 0
        while stale < len(marks) and marks[stale] <= horizon_ms:
            stale += 2
        del marks[:stale]
        if len(marks) > self._longest:
            self.counts["events_dropped"] += 1
            del marks[:2]
        while reported and (reported[1] <= horizon_ms or len(reported) > 2 * MAX_KEPT_FOR_LATE):
            del reported[:2]


def needed(condition: Condition) -> int:
    """
    Return how many events meet a condition at the least.

    >>> needed(Condition(">=", 5)), needed(Condition(">", 5)), needed(Condition(">=", 4.5))
    (5, 6, 5)
    """
    if condition.operator == ">=":
        return math.ceil(condition.limit)
    return math.floor(condition.limit) + 1

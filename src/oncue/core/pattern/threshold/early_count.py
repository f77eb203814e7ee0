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
        self._size_ms: Final = rule.size_ms
        self._needed: Final = needed(rule.condition)
        self._kept: Final = MAX_KEPT if rule.repeats_all else self._needed + MAX_KEPT_FOR_LATE
        self._keys = Keys(rule.bounds, _dump, _load)

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Count an event."""
        event, key, watermark_ms = arrival.event, arrival.key, arrival.watermark_ms
        before = self._keys.edit(key, watermark_ms)
        state = before or CountState(array("q"), None)
        marks = state.marks
        time_ms = event.time_ms
        place = insert(marks, time_ms, event.offset)
        first = len(marks) // 2 - self._needed
        hits: Sequence[Hit] = ()
        if first >= 0:
            if 2 * place + 2 < len(marks):
                hits = self._hits(key, state, time_ms, self._stretches(marks, place))
            elif time_ms - marks[2 * first] < self._size_ms:
                hits = self._hits(
                    key, state, time_ms, [(time_ms, marks[2 * first] + self._size_ms)]
                )
        self.last_note = None if hits else Note.COUNTED
        if hits and self._rule.rearm == "reset":
            self._keys.drop(key)
            return hits[:1]
        self._give_up(state, min(time_ms, watermark_ms) - self._size_ms - KEPT_FOR_LATE_MS)
        if self._keys.put(key, state, heard_ms(arrival), watermark_ms) is not None:
            self.counts["keys_forgotten"] += 1
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
    ) -> list[Hit]:
        """Report stretches; return hits for those that are not part of reported ones."""
        if state.reported is None:
            state.reported = array("q")
        begins = [stretch[0] for stretch in stretches if report(state.reported, stretch)]
        hits = [self._hit(key, state, begin) for begin in begins]
        if self._rule.repeats_all and time_ms not in begins:
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

    def _give_up(self, state: CountState, horizon_ms: int) -> None:
        """Give up what cannot matter any more, what is too old, and what is too much."""
        marks, reported = state.marks, state.reported
        first = len(marks) // 2 - self._needed
        if reported and first >= 0 and not self._rule.repeats_all:
            begins = marks[2 * first]
            if reported[-2] <= begins and begins + self._size_ms <= reported[-1]:
                del marks[2 * first : 2 * first + 2]
        stale = 0
        while 2 * stale < len(marks) and marks[2 * stale] <= horizon_ms:
            stale += 1
        if stale:
            del marks[: 2 * stale]
        if len(marks) > 2 * self._kept:
            self.counts["events_dropped"] += 1
            del marks[:2]
        if reported and (reported[1] <= horizon_ms or len(reported) > 2 * MAX_KEPT_FOR_LATE):
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

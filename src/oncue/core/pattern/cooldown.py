"""After a match, a while without: per key or pattern, in event time or in events."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from oncue.core.json_text import Json
from oncue.core.pattern.event_time import NEVER
from oncue.core.pattern.keyed import Keyed, Remembered
from oncue.core.pattern.kinds.shared import Cooldown


class Matched(Remembered):
    """
    What is remembered of a key that matched.

    `number` counts its matches, `suppressed` the hits since the last of them, and
    `seen` the events since then.
    """

    __slots__ = ("last_ms", "number", "seen", "suppressed")

    def __init__(self, last_ms: int = NEVER, number: int = 0, suppressed: int = 0) -> None:
        self.last_ms = last_ms
        self.number = number
        self.suppressed = suppressed
        self.seen = 0


@dataclass(frozen=True, slots=True)
class Admitted:
    """A hit that is a match: its number among those of its key, and what was suppressed before it."""

    number: int
    suppressed: int


class Cooldowns:
    """The keys of one pattern that matched, and whether they may match again."""

    def __init__(self, cooldown: Cooldown | None, max_keys: int, ttl_ms: int) -> None:
        self._cooldown = cooldown
        self.keys = Keyed(max_keys, ttl_ms, _dump, _load)

    def saw(self, key: str) -> None:
        """Take note of an event of the key."""
        if self._cooldown and self._cooldown.samples:
            place = self._place(key)
            matched = self.keys.edit(place)
            if matched:
                matched.seen += 1

    def admit(self, key: str, time_ms: int, *, is_repeat: bool) -> Admitted | None:
        """
        Return the hit as a match; None says that it is suppressed.

        A repeat of a condition that never ceased to hold is none in itself: it is a
        match once the cooldown has passed, and nothing before.
        """
        place = self._place(key)
        matched = self.keys.edit(place)
        if matched is None:
            matched = Matched()
        if self._is_inside(matched, time_ms):
            if not is_repeat:
                matched.suppressed += 1
                self.keys.put(place, matched, max(time_ms, matched.last_ms))
            return None
        admitted = Admitted(matched.number + 1, matched.suppressed)
        self.keys.put(place, Matched(time_ms, admitted.number), time_ms)
        return admitted

    def _is_inside(self, matched: Matched, time_ms: int) -> bool:
        cooldown = self._cooldown
        if cooldown is None or matched.last_ms == NEVER:
            return False
        if cooldown.samples is not None:
            return matched.seen <= cooldown.samples
        return time_ms < matched.last_ms + (cooldown.for_ or 0)

    def _place(self, key: str) -> str:
        return "" if self._cooldown and self._cooldown.per == "pattern" else key


def _dump(matched: Matched) -> Json:
    return [matched.last_ms, matched.number, matched.suppressed, matched.seen]


def _load(dumped: Json) -> Matched:
    last_ms, number, suppressed, seen = msgspec.convert(dumped, Sequence[int])
    matched = Matched(last_ms, number, suppressed)
    matched.seen = seen
    return matched

"""The sliding window of a key that is observed as event time goes on."""

from oncue.core.pattern.operator import Hit, Kind
from oncue.core.pattern.threshold.accumulators import Number, Reversible
from oncue.core.pattern.threshold.rules import Rule
from oncue.core.pattern.threshold.sliding import NEVER, SlidingWindow


class SweptWindow(SlidingWindow):
    """
    The window of a key, and what was observed of it.

    `since_ms` is the instant from which on the condition held without interruption,
    `is_active` says that it made a hit and is not over. `known_ms` is when a declared key
    began to be known, until the window of that instant was judged.
    """

    __slots__ = ("is_active", "known_ms", "since_ms")

    def __init__(self, position_ms: int, kept: Reversible, *, has_values: bool) -> None:
        super().__init__(position_ms, kept, has_values=has_values)
        self.since_ms: int | None = None
        self.is_active = False
        self.known_ms: int | None = None

    def next_ms(self, rule: Rule) -> int:
        """Return the next instant at which something changes that may matter, or NEVER."""
        if rule.on_arrival and not self.is_active and self.since_ms is None:
            return self.entering_ms()
        return min(
            self.entering_ms(),
            self._over_ms(rule.for_ms),
            self.leaving_ms(rule.size_ms),
            self.silent_ms(rule.size_ms),
        )

    def due_ms(self, rule: Rule) -> int | None:
        """Return the next instant that cannot wait until an event sweeps over it."""
        is_watched = self.is_active and rule.notifies
        due = self._over_ms(rule.for_ms)
        if is_watched or rule.on_arrival:
            due = min(due, self.entering_ms())
        if is_watched or not rule.on_arrival:
            due = min(due, self.leaving_ms(rule.size_ms), self.silent_ms(rule.size_ms))
        return None if due == NEVER else due

    def silent_ms(self, size_ms: int) -> int:
        """Return when the first window of a declared key is over, or NEVER."""
        return NEVER if self.known_ms is None else self.known_ms + size_ms

    def _over_ms(self, for_ms: int | None) -> int:
        if for_ms is None or self.since_ms is None or self.is_active:
            return NEVER
        return self.since_ms + for_ms

    def observe(self, key: str, rule: Rule, *, is_judged: bool) -> list[Hit]:
        """Return what follows from the value where the window stands."""
        value = self.value(rule.size_ms)
        holds = rule.condition.holds(value)
        if self.is_active:
            if rule.is_over(value, holds=holds):
                self.is_active, self.since_ms = False, None
                return [self._hit(key, rule, value, kind=Kind.CLEARED)] if rule.notifies else []
            if is_judged and holds and rule.repeats_all and rule.clear is None:
                return [self._hit(key, rule, value, is_repeat=rule.is_edge)]
            return []
        if not holds or (self.since_ms is None and not is_judged):
            self.since_ms = None
            return []
        if self.since_ms is None:
            self.since_ms = self.position_ms
        if self.position_ms - self.since_ms < (rule.for_ms or 0):
            return []
        hit = self._hit(key, rule, value)
        self.is_active = True
        if rule.rearm == "reset":
            self.drop_first(self.after)
            self.is_active, self.since_ms = False, None
        return [hit]

    def _hit(
        self,
        key: str,
        rule: Rule,
        value: Number | None,
        *,
        kind: Kind = Kind.THRESHOLD,
        is_repeat: bool = False,
    ) -> Hit:
        return rule.hit(
            key,
            self.position_ms,
            value,
            self.count,
            self.offsets(rule.max_events),
            is_repeat=is_repeat,
            kind=kind,
        )

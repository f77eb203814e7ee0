"""When the patterns of an account have something due: by how long each waits for silence to end."""

from collections.abc import Iterator
from typing import Final

from oncue.core.pattern.deadlines import Deadlines
from oncue.core.pattern.event_time import NEVER, EventTime
from oncue.core.pattern.watch import Watch

FAR: Final = 2**62


class Agenda:
    """The next deadline of each pattern, in terms of event time."""

    def __init__(self, time: EventTime) -> None:
        self._time = time
        self._by_timeout: dict[int, Deadlines] = {}
        # No deadline is before it; it may be of one that was put off.
        self._earliest_ms = FAR

    def set(self, watch: Watch) -> None:
        """Take note of what a pattern has due next."""
        if watch.operator:
            timeout_ms = watch.pattern.plan.idle_timeout_ms
            deadlines = self._by_timeout.get(timeout_ms)
            if deadlines is None:
                deadlines = self._by_timeout[timeout_ms] = Deadlines()
            due_ms = watch.due_ms()
            deadlines.set(watch.pattern.id, due_ms)
            if due_ms is not None and due_ms < self._earliest_ms:
                self._earliest_ms = due_ms

    def forget(self, pattern_id: str) -> None:
        """Forget a pattern."""
        for deadlines in self._by_timeout.values():
            deadlines.set(pattern_id, None)

    @property
    def has_due(self) -> bool:
        """Whether time may have come for something."""
        return self._earliest_ms <= self._time.latest_ms

    def due(self) -> Iterator[tuple[int, str]]:
        """Yield what time has come for, and forget it; what is set meanwhile is found too."""
        for timeout_ms, deadlines in self._by_timeout.items():
            yield from deadlines.until(self._time.reached(timeout_ms, NEVER))
        next_ms = self.next_due_ms()
        self._earliest_ms = FAR if next_ms is None else next_ms

    def next_due_ms(self) -> int | None:
        """Return how far event time must come for something to be due; None: nothing waits."""
        dues = (deadlines.earliest() for deadlines in self._by_timeout.values())
        return min((due for due in dues if due is not None), default=None)

    def next_tick_ms(self) -> int | None:
        """Return the instant at which silence will have made something due; None: nothing waits."""
        instants = (
            self._time.comes_ms(due, timeout)
            for timeout, deadlines in self._by_timeout.items()
            if (due := deadlines.earliest()) is not None
        )
        return min(instants, default=None)

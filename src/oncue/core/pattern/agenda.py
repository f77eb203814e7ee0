"""When the patterns of an account have something due: by how long each waits for silence to end."""

from collections.abc import Iterator

from oncue.core.pattern.deadlines import Deadlines
from oncue.core.pattern.event_time import EventTime
from oncue.core.pattern.watch import Watch


class Agenda:
    """The next deadline of each pattern, in terms of event time."""

    def __init__(self, time: EventTime) -> None:
        self._time = time
        self._by_timeout: dict[int, Deadlines] = {}

    def set(self, watch: Watch) -> None:
        """Take note of what a pattern has due next."""
        if watch.operator:
            timeout_ms = watch.pattern.plan.idle_timeout_ms
            deadlines = self._by_timeout.setdefault(timeout_ms, Deadlines())
            deadlines.set(watch.pattern.id, watch.due_ms())

    def forget(self, pattern_id: str) -> None:
        """Forget a pattern."""
        for deadlines in self._by_timeout.values():
            deadlines.set(pattern_id, None)

    def has_due(self) -> bool:
        """Return whether time has come for something."""
        for timeout_ms, deadlines in self._by_timeout.items():
            earliest = deadlines.earliest()
            if earliest is not None and earliest <= self._time.reached(timeout_ms, 0):
                return True
        return False

    def due(self) -> Iterator[tuple[int, str]]:
        """Yield what time has come for, and forget it; what is set meanwhile is found too."""
        for timeout_ms, deadlines in self._by_timeout.items():
            yield from deadlines.until(self._time.reached(timeout_ms, 0))

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

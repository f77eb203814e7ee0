"""
Timers: the heap holds what is due within a minute; the journal holds the rest.

A sleeping execution is a row, not a coroutine: a million may sleep.
"""

import heapq
from collections.abc import Callable

from oncue.engine.alarm import Alarm
from oncue.engine.loop import Loop
from oncue.ports import Clock, Journal, Timer

HORIZON_MS = 60_000


class TimerLoop(Loop):
    """Calls `on_due` for each timer whose instant has come."""

    def __init__(self, journal: Journal, clock: Clock, on_due: Callable[[Timer], None]) -> None:
        super().__init__("timers", clock)
        self._journal = journal
        self._on_due = on_due
        self._heap: list[tuple[int, str, str, str]] = []
        self._held: set[tuple[int, str, str, str]] = set()
        self._loaded_until_ms = 0
        self._alarm = Alarm(clock, self.wake, "alarm")

    def add(self, timer: Timer) -> None:
        """Take a timer that was just written."""
        if timer.due_ms < self._loaded_until_ms:
            self._hold(timer)
            self.wake()

    @property
    def count(self) -> int:
        """How many are held in memory: those that are due soon."""
        return len(self._heap)

    @property
    def is_asleep(self) -> bool:
        """Whether nothing is due now."""
        is_due = self._heap and self._heap[0][0] <= self._clock.now_ms()
        return super().is_asleep and not is_due and self._clock.now_ms() < self._loaded_until_ms

    def next_due_ms(self) -> int | None:
        """Return the first instant in the heap."""
        return self._heap[0][0] if self._heap else None

    async def stop(self) -> None:
        """End."""
        self._alarm.stop()
        await super().stop()

    async def _turn(self) -> bool:
        now = self._clock.now_ms()
        # Half a horizon ahead, so that no timer is found only after its instant.
        if now + HORIZON_MS // 2 >= self._loaded_until_ms:
            await self._load_until(now + HORIZON_MS)
        while self._heap and self._heap[0][0] <= now:
            key = heapq.heappop(self._heap)
            self._held.discard(key)
            due_ms, account, execution_id, path = key
            self._on_due(Timer(account, execution_id, path, due_ms))
        self._set_alarm()
        return False

    async def _load_until(self, until_ms: int) -> None:
        # Raised first: what `add` is told while we read must not be passed over.
        before, self._loaded_until_ms = self._loaded_until_ms, until_ms
        try:
            timers = await self._journal.timers_before(until_ms)
        except BaseException:
            self._loaded_until_ms = before
            raise
        for timer in timers:
            self._hold(timer)

    def _hold(self, timer: Timer) -> None:
        key = (timer.due_ms, timer.account, timer.execution_id, timer.path)
        if key not in self._held:
            self._held.add(key)
            heapq.heappush(self._heap, key)

    def _set_alarm(self) -> None:
        reload_ms = self._loaded_until_ms - HORIZON_MS // 2
        self._alarm.set(min(reload_ms, self._heap[0][0]) if self._heap else reload_ms)

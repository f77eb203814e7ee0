"""A clock that stands still until it is told the time."""

import asyncio
import heapq
from itertools import count
from typing import Final

# 2026-01-01T00:00:00Z: a plain instant, far from any change of the clocks.
START_MS: Final = 1_767_225_600_000


class VirtualClock:
    """Time as data: a day passes by saying so."""

    def __init__(self, start_ms: int = START_MS) -> None:
        self._now_ms = start_ms
        self._order = count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        """Return the instant that was told last."""
        return self._now_ms

    async def sleep_until(self, instant_ms: int) -> None:
        """Return when the clock was told that instant or a later one."""
        if instant_ms > self._now_ms:
            woken = asyncio.get_running_loop().create_future()
            heapq.heappush(self._sleepers, (instant_ms, next(self._order), woken))
            await woken

    def is_awaited(self, instant_ms: int) -> bool:
        """Return whether somebody sleeps until that instant."""
        return any(
            until_ms == instant_ms and not woken.done() for until_ms, _, woken in self._sleepers
        )

    def advance(self, duration_ms: int) -> None:
        """Let time pass."""
        self._now_ms += duration_ms
        while self._sleepers and self._sleepers[0][0] <= self._now_ms:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)

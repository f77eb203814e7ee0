"""A clock that rings once: set anew, it forgets what it was set to before."""

import asyncio
from collections.abc import Callable

from oncue.ports import Clock


class Alarm:
    """Calls `ring` when an instant has come."""

    def __init__(self, clock: Clock, ring: Callable[[], None], name: str) -> None:
        self._clock = clock
        self._ring = ring
        self._name = name
        self._task: asyncio.Task[None] | None = None

    def set(self, instant_ms: int | None) -> None:
        """Ring at an instant, and not when it was set to before; None: never."""
        self.stop()
        if instant_ms is not None:
            self._task = asyncio.create_task(self._wait(instant_ms), name=self._name)

    def stop(self) -> None:
        """Do not ring."""
        if self._task:
            self._task.cancel()
            self._task = None

    async def _wait(self, instant_ms: int) -> None:
        await self._clock.sleep_until(instant_ms)
        self._task = None
        self._ring()

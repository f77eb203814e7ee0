"""A loop that turns when it is woken, survives a failed turn, and can be waited for."""

import asyncio
import logging
from abc import ABC, abstractmethod

from oncue.ports import Clock

_log = logging.getLogger(__name__)

# Long enough for a full disk or a locked file not to be hammered, short enough
# for people not to notice that it has passed.
PAUSE_AFTER_FAILURE_MS = 1_000


class Loop(ABC):
    """Calls `_turn` until that says that nothing is left to do, then sleeps until `wake`."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._woken = asyncio.Event()
        self._asleep = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Say that there is something to do."""
        self._asleep.clear()
        self._woken.set()

    def start(self) -> None:
        """Begin to turn."""
        self.wake()
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End; a turn under way is broken off."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def asleep(self) -> None:
        """Return when there is nothing to do."""
        await self._asleep.wait()

    @property
    def is_asleep(self) -> bool:
        """Whether there is nothing to do."""
        return self._asleep.is_set()

    @abstractmethod
    async def _turn(self) -> bool:
        """Return whether there may be more to do."""

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while await self._turn_safely():
                pass
            if not self._woken.is_set():
                self._asleep.set()

    async def _turn_safely(self) -> bool:
        try:
            return await self._turn()
        except Exception:  # noqa: BLE001 a failed turn must not end the loop
            _log.exception("turn of %s failed, trying again", self._name)
            await self._clock.sleep_until(self._clock.now_ms() + PAUSE_AFTER_FAILURE_MS)
            return True

"""When what a matcher remembers is written down: now and then, and at the end."""

import asyncio
import logging
from typing import Final

from oncue.engine.reading import Reading, Readings

_log = logging.getLogger(__name__)

RECORDS_PER_CHECKPOINT: Final = 50_000
"""Also how many records a start after a crash has to read again, about."""


class Saving:
    """The checkpoint of one account that is under way, if one is."""

    def __init__(self, account: str, readings: Readings) -> None:
        self._account = account
        self._readings = readings
        self._task: asyncio.Task[None] | None = None

    def consider(self, reading: Reading) -> None:
        """Begin a checkpoint if it is time for one."""
        is_due = reading.unsaved >= RECORDS_PER_CHECKPOINT or not reading.has_save
        is_free = self._task is None or self._task.done()
        if is_due and is_free and reading.is_stateful:
            self._task = asyncio.create_task(self._save(reading), name="checkpoint")

    async def finish(self, reading: Reading | None) -> None:
        """Write down what changed since the last checkpoint."""
        if self._task:
            await self._task
        if reading and reading.is_stateful and (reading.unsaved or not reading.has_save):
            await self._save(reading)

    async def _save(self, reading: Reading) -> None:
        try:
            await self._readings.save(self._account, reading)
        except OSError as exc:
            # Without a checkpoint nothing is lost but the time of the next start.
            _log.warning("checkpoint of %s not written: %s", self._account, exc)

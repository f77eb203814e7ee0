"""Deletes what was kept long enough, and looks again every hour."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from oncue.engine.loop import Loop
from oncue.ports import Accounts, Checkpoints, Clock, Finished, Journal

_log = logging.getLogger(__name__)

DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000

Drop: TypeAlias = Callable[[int, Mapping[str, int]], Awaitable[int]]
"""From an instant, and the offset below which no account needs the log, to how many segments."""


class Retention(Loop):
    """Keeps events for so many days, and longer where they were not matched yet."""

    def __init__(
        self, drop: Drop, journal: Journal, checkpoints: Checkpoints, clock: Clock, days: int
    ) -> None:
        super().__init__("retention", clock)
        self._drop = drop
        self._journal = journal
        self._checkpoints = checkpoints
        self._keep_ms = days * DAY_MS

    async def _turn(self) -> bool:
        needed = await self._needed()
        dropped = await self._drop(self._clock.now_ms() - self._keep_ms, needed)
        if dropped:
            _log.info("retention segments_deleted=%d", dropped)
        await self._clock.sleep_until(self._clock.now_ms() + _HOUR_MS)
        return True

    async def _needed(self) -> dict[str, int]:
        """Return from which offset on the matcher of each account may read the log again."""
        needed = await self._journal.cursors()
        for account, cursor in needed.items():
            saved = await self._checkpoints.oldest(account)
            needed[account] = cursor if saved is None else min(cursor, saved)
        return needed


class FinishedRetention(Loop):
    """Keeps executions that ended, and what belongs to them, for so many days."""

    def __init__(self, finished: Finished, accounts: Accounts, clock: Clock, days: int) -> None:
        super().__init__("retention of executions", clock)
        self._finished = finished
        self._accounts = accounts
        self._keep_ms = days * DAY_MS

    async def _turn(self) -> bool:
        before_ms, dropped = self._clock.now_ms() - self._keep_ms, 0
        for account in await self._accounts.ids():
            while part := await self._finished.drop(account, before_ms):
                dropped += part
        if dropped:
            _log.info("retention executions_deleted=%d", dropped)
        await self._clock.sleep_until(self._clock.now_ms() + _HOUR_MS)
        return True

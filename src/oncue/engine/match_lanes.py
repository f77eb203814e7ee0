"""
A matcher for each account, so that none waits for a turn of another.

One matcher that took accounts in turn let each wait until the turn of the one
before was committed: measured, 20 ms while another account floods.
"""

import asyncio
from collections.abc import Callable, Sequence

from oncue.core.pattern.matcher import Misses
from oncue.engine.match import MatchLoop


class MatchLanes:
    """The matchers of all accounts; `make` gives one that knows no account yet."""

    def __init__(self, make: Callable[[], MatchLoop]) -> None:
        self._make = make
        self._lanes: dict[str, MatchLoop] = {}
        self._is_started = False

    async def recover(self, accounts: Sequence[str]) -> None:
        """Take up each account where it was left."""
        for account in accounts:
            await self._lane(account).recover([account])

    def start(self) -> None:
        """Begin to match."""
        self._is_started = True
        for lane in self._lanes.values():
            lane.start()

    async def stop(self) -> None:
        """End; turns under way are broken off."""
        self._is_started = False
        await asyncio.gather(*(lane.stop() for lane in self._lanes.values()))

    def notify(self, account: str) -> None:
        """Say that the log of an account has grown."""
        self._lane(account).notify(account)

    def misses(self, account: str) -> Misses | None:
        """Return what matched nothing for a reason, counted since the start."""
        lane = self._lanes.get(account)
        return lane.misses(account) if lane else None

    @property
    def matches(self) -> int:
        """How many matches were found since the start."""
        return sum(lane.matches for lane in self._lanes.values())

    @property
    def unmatched(self) -> int:
        """How many records of the logs were not read yet."""
        return sum(lane.unmatched for lane in self._lanes.values())

    @property
    def is_asleep(self) -> bool:
        """Whether there is nothing to do."""
        return all(lane.is_asleep for lane in self._lanes.values())

    async def asleep(self) -> None:
        """Return when there is nothing to do."""
        for lane in [*self._lanes.values()]:
            await lane.asleep()

    def _lane(self, account: str) -> MatchLoop:
        lane = self._lanes.get(account)
        if lane is None:
            lane = self._lanes[account] = self._make()
            if self._is_started:
                lane.start()
        return lane

"""
A matcher for each account, so that none waits for a turn of another.

One matcher that took accounts in turn let each wait until the turn of the one
before was committed: measured, 20 ms while another account floods.
"""

import asyncio
from collections.abc import Callable, Sequence

from oncue.core.pattern.watch import Watch
from oncue.engine.match import MatchLoop


class MatchLanes:
    """The matchers of all accounts; `make` gives one that has not looked at its account yet."""

    def __init__(self, make: Callable[[str], MatchLoop]) -> None:
        self._make = make
        self._lanes: dict[str, MatchLoop] = {}
        self._is_started = False

    async def recover(self, accounts: Sequence[str]) -> None:
        """Take up each account where it was left."""
        for account in accounts:
            await self.of(account).recover()

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
        self.of(account).wake()

    def watch(self, account: str, pattern_id: str) -> Watch | None:
        """Return a pattern as it is being matched, to look at."""
        lane = self._lanes.get(account)
        return lane.watch(pattern_id) if lane else None

    def where_errors(self, account: str, pattern_id: str) -> int:
        """Return how often a `where` met a value that it cannot take, since the start."""
        lane = self._lanes.get(account)
        return lane.where_errors(pattern_id) if lane else 0

    def next_tick_ms(self) -> int | None:
        """Return the first instant at which something is due in some account though nothing comes."""
        instants = (lane.next_tick_ms() for lane in self._lanes.values())
        return min((instant for instant in instants if instant is not None), default=None)

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

    def of(self, account: str) -> MatchLoop:
        """Return the matcher of an account."""
        lane = self._lanes.get(account)
        if lane is None:
            lane = self._lanes[account] = self._make(account)
            if self._is_started:
                lane.start()
        return lane

"""
Queries that are due: each is asked, and what came of it becomes an event in the account's log.

    due ─▶ accounts in turn ─▶ a few at once ─▶ query.polled, or query.failed

The event comes last, and under an id of its occasion: what a crash broke off is asked again,
and what was appended is not. Instants that were missed are one: the query sees all that
came meanwhile.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

from oncue.engine.active_patterns import ActivePatterns
from oncue.engine.alarm import Alarm
from oncue.engine.fair_queue import FairQueue
from oncue.engine.loop import Loop
from oncue.engine.poll_asking import PollAsking
from oncue.engine.poll_queries import Place, Queries, Query
from oncue.ports import Clock, EventLog, PatternVersion

_log = logging.getLogger(__name__)

POLLS_AT_ONCE: Final = 3
POLLS_PER_ACCOUNT: Final = 2
"""Fewer than `POLLS_AT_ONCE`: slow queries of one account leave a place to the others."""


class PollLoop(Loop):
    """Asks the queries of all accounts, a few at once, and none twice at once."""

    def __init__(
        self, active: ActivePatterns, log: EventLog, asking: PollAsking, clock: Clock
    ) -> None:
        super().__init__("polls", clock)
        self._active = active
        self._event_log = log
        self.asking = asking
        self._alarm = Alarm(clock, self.wake, "poll")
        self._queries = Queries()
        self._changes: deque[tuple[str, PatternVersion]] = deque()
        self._waiting: FairQueue[Query] = FairQueue()
        self._places: set[Place] = set()
        """Those that wait or run."""
        self._running: dict[Place, asyncio.Task[None]] = {}
        self._next_due_ms: int | None = None

    async def recover(self, accounts: Sequence[str]) -> None:
        """Take up the patterns that there are."""
        for account in accounts:
            for pattern in await self._active.at(account, self._event_log.head(account)):
                begin = await self._active.state_begin(account, pattern)
                self._queries.put(account, pattern, begin)

    def take(self, account: str, pattern: PatternVersion) -> None:
        """Take note of a version that is seen from now on."""
        self._changes.append((account, pattern))
        self.wake()

    def next_ms(self, account: str, pattern_id: str) -> int | None:
        """Return when the query of a pattern is asked next; None if it asks nothing."""
        query = self._queries.of(account, pattern_id)
        return query.next_ms(self._clock.now_ms()) if query else None

    async def stop(self) -> None:
        """End; what is under way is asked again at the next start."""
        self._alarm.stop()
        await super().stop()
        running = [*self._running.values()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def asleep(self) -> None:
        """Return when nothing is asked, and nothing is to do."""
        while self._running:
            await asyncio.wait([*self._running.values()])
        await super().asleep()

    @property
    def is_asleep(self) -> bool:
        """Whether nothing is asked, and nothing is due now."""
        is_due = self._next_due_ms is not None and self._next_due_ms <= self._clock.now_ms()
        return super().is_asleep and not is_due and not self._running

    async def _turn(self) -> bool:
        self._take_in()
        await self._take_changes()
        now = self._clock.now_ms()
        for query in self._queries:
            if query.place not in self._places and query.is_due(now):
                self._places.add(query.place)
                self._waiting.put(query.account, query)
        self._begin()
        free = (query for query in self._queries if query.place not in self._places)
        self._next_due_ms = min((query.next_ms(now) for query in free), default=None)
        self._alarm.set(self._next_due_ms)
        return False

    def _take_in(self) -> None:
        """Let go of those that were asked; a bug in one breaks off that one alone."""
        for place in [place for place, task in self._running.items() if task.done()]:
            self._places.discard(place)
            if bug := self._running.pop(place).exception():
                _log.error("poll account=%s query=%s broke off", *place, exc_info=bug)

    async def _take_changes(self) -> None:
        while self._changes:
            account, version = self._changes[0]
            if version.is_active:
                pattern = self._active.ready(account, version)
                begin = await self._active.state_begin(account, pattern)
                self._queries.put(account, pattern, begin)
            else:
                self._queries.drop(account, version.id)
            self._changes.popleft()

    def _begin(self) -> None:
        """Begin to ask as many as there is room for, accounts in turn."""
        while len(self._running) < POLLS_AT_ONCE and (query := self._waiting.take(self._has_room)):
            if not query.patterns:
                self._places.discard(query.place)
                continue
            task = asyncio.create_task(self.asking.ask(query), name="poll")
            task.add_done_callback(lambda _: self.wake())
            self._running[query.place] = task

    def _has_room(self, account: str) -> bool:
        return sum(owner == account for owner, _ in self._running) < POLLS_PER_ACCOUNT

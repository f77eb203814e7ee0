"""
Queries that are due: each is asked, and what it gave becomes an event in the account's log.

The event comes last, and under an id of its instant: what a crash broke off is asked again,
and what was appended is not. Instants that were missed are one: the query sees all that
came meanwhile.
"""

import logging
from collections.abc import Sequence

from oncue.core.errors import InvalidInput, Overloaded
from oncue.core.event import OWN_SOURCE
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.polled.poll import Answer, Poll
from oncue.engine.active_patterns import ActivePatterns
from oncue.engine.alarm import Alarm
from oncue.engine.loop import Loop
from oncue.engine.poll_answers import answer_to
from oncue.ports import Clock, EventLog, EventQuestions, PatternVersion

_log = logging.getLogger(__name__)


class PollLoop(Loop):
    """Asks the queries of all accounts, one after the other."""

    def __init__(
        self, active: ActivePatterns, log: EventLog, questions: EventQuestions, clock: Clock
    ) -> None:
        super().__init__("polls", clock)
        self._active = active
        self._event_log = log
        self._questions = questions
        self._alarm = Alarm(clock, self.wake, "poll")
        self._polls: dict[tuple[str, str], Poll] = {}
        self._asked: dict[tuple[str, str], int] = {}
        self.next_due_ms: int | None = None

    async def recover(self, accounts: Sequence[str]) -> None:
        """Take up the patterns that there are."""
        for account in accounts:
            for pattern in await self._active.at(account, self._event_log.head(account)):
                self._put(account, pattern)

    def take(self, account: str, pattern: PatternVersion) -> None:
        """Take note of a version that is seen from now on."""
        self._polls.pop((account, pattern.id), None)
        if pattern.is_active:
            self._put(account, self._active.ready(account, pattern))
        self.wake()

    async def stop(self) -> None:
        """End; what is under way is asked again at the next start."""
        self._alarm.stop()
        await super().stop()

    @property
    def is_asleep(self) -> bool:
        """Whether nothing is due now."""
        is_due = self.next_due_ms is not None and self.next_due_ms <= self._clock.now_ms()
        return super().is_asleep and not is_due

    def _put(self, account: str, pattern: ActivePattern) -> None:
        poll = pattern.plan.looking.poll
        if poll is not None:
            self._polls[account, pattern.id] = poll

    async def _turn(self) -> bool:
        again: list[int] = []
        for (account, _), poll in list(self._polls.items()):
            try:
                await self._ask_if_due(account, poll)
            except Overloaded as exc:
                _log.warning("poll account=%s query=%s waits: %s", account, poll.name, exc)
                again.append(self._clock.now_ms() + exc.retry_after_s * 1_000)
        now = self._clock.now_ms()
        due = [*again, *(poll.tick_ms(now) + poll.every_ms for poll in self._polls.values())]
        self.next_due_ms = min(due, default=None)
        self._alarm.set(self.next_due_ms)
        return False

    async def _ask_if_due(self, account: str, poll: Poll) -> None:
        tick_ms, asked = poll.tick_ms(self._clock.now_ms()), (account, poll.name)
        if self._asked.get(asked) == tick_ms:
            return
        past = self._event_log.past
        if not await past.find(account, poll.event_id(tick_ms), OWN_SOURCE):
            offset = self._event_log.head(account)
            answer = await self._answer(account, poll)
            if answer is not None:
                await self._event_log.append(account, [poll.event(tick_ms, offset, answer)])
        # Only now: what nobody had room for is asked again.
        self._asked[asked] = tick_ms

    async def _answer(self, account: str, poll: Poll) -> Answer | None:
        try:
            return await answer_to(self._questions, account, poll)
        except InvalidInput as exc:
            _log.warning("poll account=%s query=%s failed: %s", account, poll.name, exc)
            return None

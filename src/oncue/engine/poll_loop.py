"""
Queries that are due: each is asked, and what it gave becomes an event in the account's log.

The event comes last, and under an id of its instant: what a crash broke off is asked again,
and what was appended is not. Instants that were missed are one: the query sees all that
came meanwhile.
"""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from oncue.core.errors import InvalidInput, Overloaded, Problem
from oncue.core.event import OWN_SOURCE
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.plan import ActivePattern
from oncue.core.pattern.polled.poll import MAX_ROWS, Answer, Poll
from oncue.core.problems import nearest
from oncue.engine.active_patterns import ActivePatterns
from oncue.engine.alarm import Alarm
from oncue.engine.loop import Loop
from oncue.ports import Clock, EventLog, EventQuestion, EventQuestions, PatternVersion

_log = logging.getLogger(__name__)

MAX_BYTES: Final = 1 << 20
"""Of the rows of a poll together, as JSON."""


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


async def answer_to(questions: EventQuestions, account: str, poll: Poll) -> Answer:
    """
    Return what a query gives now.

    Raises:
        InvalidInput: it is none, or over a bound.
        Overloaded: too many ask.
    """
    found = await questions.ask(account, EventQuestion(poll.sql, limit=MAX_ROWS))
    rows: Json = msgspec.json.decode(found.body)
    assert isinstance(rows, list)
    columns = [name for name, _ in found.columns]
    is_truncated = found.is_truncated
    while len(msgspec.json.encode(rows)) > MAX_BYTES:
        rows, is_truncated = rows[: len(rows) // 2], True
    return Answer(columns, [row for row in rows if isinstance(row, list)], is_truncated)


async def try_poll(questions: EventQuestions, account: str, document: Json) -> None:
    """
    Return if the query of a pattern can be asked over stored events, or is not to be.

    Raises:
        InvalidInput: it cannot, or does not give the columns of its identity.
        Overloaded: too many ask.
    """
    parsed = parse_pattern(document)
    poll = parsed.plan.looking.poll
    if poll is None or not parsed.definition.enabled:
        return
    try:
        answer = await answer_to(questions, account, poll)
    except InvalidInput as exc:
        problems = [Problem("pattern.query", problem.message) for problem in exc.problems]
        raise InvalidInput(problems) from exc
    problems = [
        Problem(
            f"pattern.identity[{place}]",
            f"expected a column of the query ({', '.join(answer.columns)}), got {name!r}"
            f"{nearest(name, answer.columns)}",
        )
        for place, name in enumerate(poll.identity)
        if name not in answer.columns
    ]
    if problems:
        raise InvalidInput(problems)

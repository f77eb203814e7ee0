"""One query: asked, and what came of it appended to the log of its account."""

import asyncio
import logging
from collections import Counter
from typing import Final

from oncue.core.errors import InvalidInput, Overloaded
from oncue.core.event import OWN_SOURCE, IncomingEvent
from oncue.core.pattern.polled.operator import PolledOperator
from oncue.core.pattern.polled.poll import Failure, LastPoll, Occasion
from oncue.core.schedule.firing import GRACE_MS
from oncue.engine.loop import PAUSE_AFTER_FAILURE_MS
from oncue.engine.match_lanes import MatchLanes
from oncue.engine.poll_answers import answer_to
from oncue.engine.poll_queries import Query
from oncue.ports import Accounts, Clock, EventLog, EventQuestions

_log = logging.getLogger(__name__)

LOOK_AGAIN_MS: Final = 60_000
"""After so long, whether an account was enabled that was not."""


class PollAsking:
    """Asks queries that are due. `counts` are those `polled`, `failed` and `missed` since the start."""

    def __init__(
        self,
        log: EventLog,
        accounts: Accounts,
        questions: EventQuestions,
        clock: Clock,
        matching: MatchLanes,
    ) -> None:
        self._event_log = log
        self._accounts = accounts
        self._questions = questions
        self._clock = clock
        self._matching = matching
        self._began_ms = clock.now_ms()
        self._heads: dict[str, int] = {}
        """How long the logs were when they were asked about first."""
        self.counts: Counter[str] = Counter()

    async def ask(self, query: Query) -> None:
        """Return when it is written down what came of a query; or that there is no room for it now."""
        now = self._clock.now_ms()
        # Whatever breaks it off, it is asked again, and not at once.
        query.again_ms = now + PAUSE_AFTER_FAILURE_MS
        if not (await self._accounts.account(query.account)).is_enabled:
            query.again_ms = now + LOOK_AGAIN_MS
            return
        await self._recall(query.account)
        occasion = query.occasion(now)
        if not await self._is_over(query, occasion, now):
            try:
                event, failed_in_row = await self._came_of(query, occasion)
                if query.patterns:
                    await self._event_log.append(query.account, [event])
                query.failed_in_row = failed_in_row
            except Overloaded as exc:
                _log.warning("poll account=%s query=%s waits: %s", *query.place, exc)
                query.again_ms = self._clock.now_ms() + exc.retry_after_s * 1_000
                return
        query.met, query.again_ms = occasion, 0

    async def _recall(self, account: str) -> None:
        """Return when patterns know what came of the polls before the start."""
        head = self._heads.setdefault(account, self._event_log.head(account))
        await self._matching.of(account).read.by(head)

    async def _is_over(self, query: Query, occasion: Occasion, now_ms: int) -> bool:
        """Return whether an occasion was met before the start, or was missed and is not wanted late."""
        if occasion.tick_ms <= self._began_ms:
            event_id = query.poll.event_id(occasion)
            if await self._event_log.past.find(query.account, event_id, OWN_SOURCE):
                return True
        is_missed = query.skips_missed and now_ms - occasion.tick_ms > GRACE_MS
        # Of a pattern that just began nothing was missed.
        if not is_missed or None in self._last(query):
            return False
        _log.warning("poll account=%s query=%s missed its instant (skip)", *query.place)
        self.counts["missed"] += 1
        return True

    async def _came_of(self, query: Query, occasion: Occasion) -> tuple[IncomingEvent, int]:
        """Return the event that tells what came of a query, and how often in a row it failed."""
        elapsed = asyncio.get_running_loop().time
        offset, began = self._event_log.head(query.account), elapsed()
        try:
            answer = await answer_to(self._questions, query.account, query.poll)
        except InvalidInput as exc:
            error = "; ".join(problem.message for problem in exc.problems)
            _log.warning("poll account=%s query=%s failed: %s", *query.place, error)
            names = sorted(pattern.name for pattern, _ in query.patterns.values())
            in_row = self._failed_in_row(query) + 1
            elapsed_ms = round((elapsed() - began) * 1_000)
            self.counts["failed"] += 1
            return query.poll.failed(occasion, Failure(names, error, in_row, elapsed_ms)), in_row
        self.counts["polled"] += 1
        return query.poll.answered(occasion, offset, answer), 0

    def _failed_in_row(self, query: Query) -> int:
        if query.failed_in_row is not None:
            return query.failed_in_row
        return max((last.failed_in_row for last in self._last(query) if last), default=0)

    def _last(self, query: Query) -> list[LastPoll | None]:
        """Return what came of the last poll, as each pattern knows it."""
        watches = (self._matching.watch(query.account, id_) for id_ in query.patterns)
        operators = (watch and watch.operator for watch in watches)
        return [
            operator.last if isinstance(operator, PolledOperator) else None
            for operator in operators
        ]

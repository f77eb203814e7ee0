"""
The outbox: events of our own, on their way from the journal to the log.

An event is written down with the decision that it tells of. Here it is appended to the log, and
then let go of in the journal. A crash between the two has it appended again: by its id the log
knows it.

    decision + event ──▶ journal ──▶ log ──▶ journal, without the event
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from oncue.core.event import MAX_DEPTH, OWN_SOURCE, IncomingEvent
from oncue.core.json_text import Json
from oncue.core.own_events import PATTERN_MATCHED
from oncue.core.pattern.match import Match
from oncue.core.workflow.state import ExecutionState
from oncue.engine.audience import Audience
from oncue.engine.loop import Loop
from oncue.engine.telling import TOLD_OF_ENDS, execution_ended, pattern_matched
from oncue.ports import Clock, EventLog, Journal, NewExecution

EVENTS_PER_TURN: Final = 512
"""What is appended for one account at once."""


class Outbox(Loop):
    """Says what is to be told, and sees that it comes into the log, once."""

    def __init__(self, log: EventLog, journal: Journal, audience: Audience, clock: Clock) -> None:
        super().__init__("outbox", clock)
        self._log = log
        self._journal = journal
        self._audience = audience
        self._waiting: dict[str, list[IncomingEvent]] = {}
        self.emitted = 0

    async def recover(self) -> None:
        """Take up what was written down and not yet let go of when we died."""
        for account, event in await self._journal.outbox():
            # The log tells a repeat from a new event only for as long as its dedupe window.
            if await self._log.past.find(account, event.id, OWN_SOURCE):
                await self._journal.clear_outbox(account, [event.id])
            else:
                self.send(account, [event])

    async def of_end(
        self, account: str, new: NewExecution, state: ExecutionState
    ) -> IncomingEvent | None:
        """Return what is to be told of an execution; nothing, if it goes on or nobody would see it."""
        event_type = TOLD_OF_ENDS.get(state.final) if state.final else None
        if event_type and await self._audience.wants(account, event_type):
            return execution_ended(new, state)
        return None

    async def of_match(
        self, account: str, match: Match, outcome: Mapping[str, Json] | None
    ) -> IncomingEvent | None:
        """Return what is to be told of a match; nothing, if it is part of a loop or nobody would see it."""
        if match.depth <= MAX_DEPTH and await self._audience.wants(account, PATTERN_MATCHED):
            return pattern_matched(match, outcome)
        return None

    def send(self, account: str, events: Sequence[IncomingEvent]) -> None:
        """Append events that are written down in the journal."""
        if events:
            self._waiting.setdefault(account, []).extend(events)
            self.wake()

    async def _turn(self) -> bool:
        telling = [self._tell(account) for account in [*self._waiting]]
        # All are waited for: two at once would tell the same events.
        for result in await asyncio.gather(*telling, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        return bool(self._waiting)

    async def _tell(self, account: str) -> None:
        waiting = self._waiting[account]
        events = waiting[:EVENTS_PER_TURN]
        await self._log.append(account, events)
        await self._journal.clear_outbox(account, [event.id for event in events])
        self.emitted += len(events)
        del waiting[: len(events)]
        if not waiting:
            del self._waiting[account]

"""What a webhook began: the execution whose output its sender waits for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from oncue.engine.explanations import Explanations
from oncue.engine.match_lanes import MatchLanes
from oncue.ports import Clock, EventLog, Hook, StoredExecution

Finished: TypeAlias = Callable[[str, str, int], Awaitable[StoredExecution]]
"""From account, execution and how long to wait to the execution as it then is."""


class HookOutcomes:
    """Waits for what follows from events."""

    def __init__(
        self,
        matching: MatchLanes,
        explanations: Explanations,
        finished: Finished,
        log: EventLog,
        clock: Clock,
    ) -> None:
        self._matching = matching
        self._explanations = explanations
        self._finished = finished
        self._log = log
        self._clock = clock

    async def of(
        self, account: str, hook: Hook, offset: int, timeout_ms: int
    ) -> StoredExecution | None:
        """
        Return the execution that the event at `offset` began, once it has ended or time is up.

        It is one of the workflow that owns the hook, if one does; else the first of
        whatever the event began. Nothing, if nothing began.
        """
        end_ms = self._clock.now_ms() + timeout_ms
        if not await self._is_matched(account, offset, end_ms):
            return None
        for event in await self._log.past.at(account, [offset]):
            begun = await self._explanations.begun(account, event, hook.owner_id)
            if begun:
                left_ms = max(end_ms - self._clock.now_ms(), 0)
                return await self._finished(account, begun, left_ms)
        return None

    async def _is_matched(self, account: str, offset: int, end_ms: int) -> bool:
        matched = asyncio.create_task(self._matching.of(account).reached.by(offset))
        late = asyncio.create_task(self._clock.sleep_until(end_ms))
        try:
            await asyncio.wait({matched, late}, return_when=asyncio.FIRST_COMPLETED)
            return matched.done()
        finally:
            matched.cancel()
            late.cancel()

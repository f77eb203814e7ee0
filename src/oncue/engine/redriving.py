"""
Many dead letters tried again, at a rate that whoever failed them can bear.

Which they are, and how far it has come, stands in the journal: after a crash it
goes on with the next one. Here is only when that is due.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from oncue.core.dead_letters import RedriveState
from oncue.core.errors import Conflict, InvalidInput, NotFound, QuotaExceeded
from oncue.core.instants import parse_rate
from oncue.core.json_text import Json
from oncue.engine.alarm import Alarm
from oncue.engine.dead_letters import DeadLetters
from oncue.engine.loop import Loop
from oncue.engine.replays import VersionChoice
from oncue.ports import Clock, LetterFilter, Redrive, Redrives

_log = logging.getLogger(__name__)

AT_ONCE: Final = 32
"""Letters that share a turn where the rate is high."""


class Redriving(Loop):
    """Redrives the letters of all redrives that run, each at its rate."""

    def __init__(
        self,
        redrives: Redrives,
        dead_letters: DeadLetters,
        clock: Clock,
        fresh_id: Callable[[str], str],
    ) -> None:
        super().__init__("redriving", clock)
        self._redrives = redrives
        self._dead_letters = dead_letters
        self._fresh_id = fresh_id
        self._due: dict[str, float] = {}
        self._alarm = Alarm(clock, self.wake, "redrive")

    async def begin(
        self,
        account: str,
        shown: Mapping[str, Json],
        wanted: LetterFilter,
        rate: str,
        version: VersionChoice,
    ) -> Redrive:
        """
        Return a redrive of all letters that are wanted; `shown` is the filter as it was written.

        Raises:
            ValueError: the rate is none.
        """
        redrive = Redrive(
            id=self._fresh_id("rdr"),
            filter=shown,
            rate=rate,
            interval_ms=parse_rate(rate),
            version=version.value,
            created_at_ms=self._clock.now_ms(),
        )
        begun = await self._redrives.begin(account, redrive, wanted)
        self.wake()
        return begun

    async def cancel(self, account: str, redrive_id: str) -> Redrive:
        """
        Return a redrive that goes no further.

        Raises:
            NotFound: this account has none of that id.
            Conflict: it has ended.
        """
        await self._redrives.redrive(account, redrive_id)
        now = self._clock.now_ms()
        if not await self._redrives.end(account, redrive_id, RedriveState.CANCELLED, now):
            raise Conflict(f"expected a running redrive, got {redrive_id!r}, which has ended")
        return await self._redrives.redrive(account, redrive_id)

    async def stop(self) -> None:
        """End; what is left is taken up at the next start."""
        self._alarm.stop()
        await super().stop()

    @property
    def is_asleep(self) -> bool:
        """Whether nothing is due now."""
        due_ms = self.next_due_ms()
        return super().is_asleep and (due_ms is None or due_ms > self._clock.now_ms())

    def next_due_ms(self) -> int | None:
        """Return the instant at which the next letter is due."""
        # Rounded up: at that instant it is.
        return -int(-min(self._due.values()) // 1) if self._due else None

    async def _turn(self) -> bool:
        running = await self._redrives.running()
        known = self._due
        self._due = {
            redrive.id: known.get(redrive.id, self._first_due_ms(redrive)) for _, redrive in running
        }
        has_acted = False
        for account, redrive in running:
            if self._due[redrive.id] <= self._clock.now_ms():
                await self._go_on(account, redrive)
                has_acted = True
        self._alarm.set(self.next_due_ms())
        return has_acted

    def _first_due_ms(self, redrive: Redrive) -> float:
        now = self._clock.now_ms()
        return now if redrive.last_at_ms is None else redrive.last_at_ms + redrive.interval_ms

    async def _go_on(self, account: str, redrive: Redrive) -> None:
        now, due_ms = self._clock.now_ms(), self._due[redrive.id]
        most = min(int((now - due_ms) // redrive.interval_ms) + 1, AT_ONCE)
        coming = await self._redrives.coming(account, redrive.id, most)
        version = VersionChoice(redrive.version)
        await asyncio.gather(*(self._redrive(account, one, version) for one in coming))
        if len(coming) >= redrive.left:
            del self._due[redrive.id]
            await self._redrives.end(account, redrive.id, RedriveState.DONE, now)
            _log.info("redrive %s done total=%d", redrive.id, redrive.total)
            return
        # What was missed while nobody could go on is not caught up in one go.
        self._due[redrive.id] = max(
            due_ms + len(coming) * redrive.interval_ms, now + redrive.interval_ms - 1_000
        )

    async def _redrive(self, account: str, letter_id: str, version: VersionChoice) -> None:
        try:
            await self._dead_letters.redrive(account, letter_id, version)
        except (Conflict, InvalidInput, NotFound, QuotaExceeded) as exc:
            await self._redrives.refuse(account, letter_id, str(exc), self._clock.now_ms())

"""
Schedules that fire: each due tick becomes an event in the account's log.

    due rows ─▶ plan (pure) ─▶ events appended ─▶ progress written ─▶ alarm at the next

The event comes first. A crash before the progress is written decides the same
ticks again, under the same ids, and the log refuses a second one. Nothing is held
in memory but the instant of the next tick.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfoNotFoundError

from oncue.core.errors import InvalidInput
from oncue.core.event import OWN_SOURCE, IncomingEvent
from oncue.core.schedule.document import parse_schedule
from oncue.core.schedule.fired import Occasion, fired_event, fired_id
from oncue.core.schedule.firing import plan_firing
from oncue.engine.alarm import Alarm
from oncue.engine.loop import Loop
from oncue.ports import Advance, Clock, EventLog, Progress, Schedule, Schedules

_log = logging.getLogger(__name__)

SCHEDULES_PER_TURN: Final = 200
EVENTS_PER_APPEND: Final = 500


@dataclass(frozen=True, slots=True)
class _Fired:
    """What one schedule fires in one turn, and how far it has come then."""

    events: Sequence[IncomingEvent]
    advance: Advance


class ScheduleLoop(Loop):
    """Fires the schedules of all accounts."""

    def __init__(self, schedules: Schedules, log: EventLog, clock: Clock) -> None:
        super().__init__("schedules", clock)
        self._schedules = schedules
        self._event_log = log
        self._alarm = Alarm(clock, self.wake, "schedule")
        self._began_ms = clock.now_ms()
        self.next_due_ms: int | None = None
        self.fired = 0
        self.missed = 0

    async def stop(self) -> None:
        """End; what is under way is decided again at the next start."""
        self._alarm.stop()
        await super().stop()

    @property
    def is_asleep(self) -> bool:
        """Whether nothing is due now."""
        is_due = self.next_due_ms is not None and self.next_due_ms <= self._clock.now_ms()
        return super().is_asleep and not is_due

    async def _turn(self) -> bool:
        now = self._clock.now_ms()
        due = await self._schedules.due(now, SCHEDULES_PER_TURN)
        for account, rows in groupby(sorted(due, key=_account_of), key=_account_of):
            await self._fire(account, [schedule for _, schedule in rows], now)
        self.next_due_ms = await self._schedules.next_due_ms()
        if self.next_due_ms is not None and self.next_due_ms <= self._clock.now_ms():
            return True
        self._alarm.set(self.next_due_ms)
        return False

    async def _fire(self, account: str, schedules: Sequence[Schedule], now: int) -> None:
        fired = []
        for schedule in schedules:
            fired.append(await self._decide(account, schedule, now))
            # After an outage each takes milliseconds: others get their turn between.
            await asyncio.sleep(0)
        events = [event for one in fired for event in one.events]
        for start in range(0, len(events), EVENTS_PER_APPEND):
            receipts = await self._event_log.append(
                account, events[start : start + EVENTS_PER_APPEND]
            )
            self.fired += sum(not receipt.is_duplicate for receipt in receipts)
        await self._schedules.advance(account, [one.advance for one in fired])

    async def _decide(self, account: str, schedule: Schedule, now: int) -> _Fired:
        before = schedule.progress
        assert before.next_ms is not None
        try:
            definition = parse_schedule(schedule.document).definition
            ticks = definition.ticks(before.zone, before.anchor_ms)
            firing = plan_firing(ticks, before.next_ms, now, definition.misfire)
        except (InvalidInput, ZoneInfoNotFoundError) as exc:
            # Saved by a release that took what this one does not, or where there was that zone.
            _log.error("schedule %s of %s is paused: %s", schedule.name, account, exc)
            return _Fired((), Advance(schedule, replace(before, next_ms=None)))
        if firing.missed:
            self.missed += firing.missed
            _log.warning(
                "schedule %s of %s missed %d ticks (%s)",
                schedule.name, account, firing.missed, definition.misfire.value,
            )  # fmt: skip
        occasion = Occasion(schedule.id, schedule.name, before.zone, definition.data)
        last_ms, missed = before.last_ms, before.missed + firing.missed
        events: list[IncomingEvent] = []
        known = await self._known(account, schedule.id, firing.ticks)
        for place, tick in enumerate(firing.ticks):
            if place >= known:
                events.append(fired_event(occasion, tick, last_ms, missed))
            last_ms, missed = tick, 0
        after = Progress(before.zone, before.anchor_ms, firing.next_ms, last_ms, missed)
        return _Fired(events, Advance(schedule, after))

    async def _known(self, account: str, schedule_id: str, ticks: Sequence[int]) -> int:
        """
        Return how many ticks, at the front, fired before a crash.

        The log refuses them, too, but only within its window for duplicates.
        """
        for place, tick in enumerate(ticks):
            event_id = fired_id(schedule_id, tick)
            if tick >= self._began_ms or not await self._event_log.past.find(
                account, event_id, OWN_SOURCE
            ):
                return place
        return len(ticks)


def _account_of(row: tuple[str, Schedule]) -> str:
    return row[0]

"""Schedules: kept and changed; that they fire is the loop's part."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from oncue.core.documents import MAX_NAME
from oncue.core.ids import derived_id
from oncue.core.json_text import Json, same_json
from oncue.core.schedule.document import (
    ScheduleDocument,
    is_same_rhythm,
    parse_schedule,
)
from oncue.core.schedule.firing import upcoming
from oncue.engine.owned import check_is_free
from oncue.ports import Accounts, Advance, Clock, Progress, Schedule, Schedules


class ScheduleBook:
    """The schedules of all accounts; `on_change` hears that one may be due earlier than thought."""

    def __init__(
        self,
        store: Schedules,
        accounts: Accounts,
        clock: Clock,
        fresh_id: Callable[[str], str],
        on_change: Callable[[], None],
    ) -> None:
        self.store = store
        self._accounts = accounts
        self._clock = clock
        self._fresh_id = fresh_id
        self.wake = on_change

    async def create(self, account: str, document: Json) -> Schedule:
        """
        Return the first version of a schedule, which fires from now on.

        Raises:
            InvalidInput: with all problems.
            Conflict: another schedule of the account has that name.
        """
        schedule = await self.first(account, document)
        await self.store.save(account, schedule)
        self.wake()
        return schedule

    async def first(self, account: str, document: Json) -> Schedule:
        """
        Return the first version of a schedule, which is not saved.

        Raises:
            InvalidInput: with all problems.
        """
        parsed = parse_schedule(document)
        zone = await self.zone_of(account)
        return first_version(self._fresh_id("sch"), parsed.document, zone, self._clock.now_ms())

    async def change(self, account: str, current: Schedule, document: Json) -> Schedule:
        """
        Return the version after `current`, or `current` itself if nothing changes.

        Raises:
            InvalidInput: with all problems.
            Conflict: a workflow owns it, the name is taken, or somebody saved that version meanwhile.
        """
        check_is_free("schedule", current)
        changed = await self.next(account, current, document)
        if changed is not current:
            await self.store.save(account, changed)
            self.wake()
        return changed

    async def next(self, account: str, current: Schedule, document: Json) -> Schedule:
        """
        Return the version after `current`, which is not saved, or `current` if nothing changes.

        Raises:
            InvalidInput: with all problems.
        """
        parsed = parse_schedule(document)
        zone, now = await self.zone_of(account), self._clock.now_ms()
        wanted = first_version(current.id, parsed.document, zone, now)
        return version_after(current, wanted) or current

    async def delete(self, account: str, current: Schedule) -> None:
        """
        Let go of a schedule; what it fired stays.

        Raises:
            Conflict: a workflow owns it.
        """
        check_is_free("schedule", current)
        await self.store.delete(account, current.id)

    async def realign(self) -> None:
        """Let schedules without a time zone of their own follow that of their account."""
        now = self._clock.now_ms()
        for account, schedule in await self.store.adrift():
            progress = replace(schedule.progress, zone=await self.zone_of(account))
            if progress.next_ms is not None:
                definition = parse_schedule(schedule.document).definition
                progress = replace(progress, next_ms=_next_ms(definition, progress, now))
            await self.store.advance(account, [Advance(schedule, progress)])
        self.wake()

    async def zone_of(self, account: str) -> str:
        """Return the time zone of an account."""
        return (await self._accounts.account(account)).time_zone


def first_version(
    schedule_id: str, document: Json, zone: str, now_ms: int, owner_id: str | None = None
) -> Schedule:
    """Return the first version of a schedule that a valid document spells, in an account in `zone`."""
    parsed = parse_schedule(document)
    definition = parsed.definition
    begun = Progress(definition.time_zone or zone, now_ms, None)
    return Schedule(
        id=schedule_id,
        name=definition.name,
        document=parsed.document,
        owner_id=owner_id,
        is_enabled=definition.enabled,
        has_own_zone=definition.time_zone is not None,
        version=1,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
        progress=replace(begun, next_ms=_next_ms(definition, begun, now_ms)),
    )


def version_after(before: Schedule | None, wanted: Schedule) -> Schedule | None:
    """
    Return `wanted`, made now, as the version after `before`; nothing if it is the same.

    Only other times, or a pause that ends, let it begin anew: what was due while it
    was paused never fires.
    """
    if before is None:
        return wanted
    if same_json(before.document, wanted.document):
        return None
    old, definition = (parse_schedule(one.document).definition for one in (before, wanted))
    is_same = is_same_rhythm(old, definition)
    progress = wanted.progress
    if is_same:
        begun = replace(progress, anchor_ms=before.progress.anchor_ms)
        progress = replace(begun, next_ms=_next_ms(definition, begun, wanted.updated_at_ms))
    return replace(
        wanted,
        version=before.version + 1,
        created_at_ms=before.created_at_ms,
        progress=replace(progress, last_ms=before.progress.last_ms),
        begins_anew=not is_same or before.is_enabled != wanted.is_enabled,
    )


def ended(schedule: Schedule) -> Schedule:
    """Return the version that ends a schedule."""
    return replace(schedule, version=schedule.version + 1, is_deleted=True)


def upcoming_of(schedule: Schedule, count: int) -> Sequence[int]:
    """Return when a schedule fires next."""
    progress = schedule.progress
    if progress.next_ms is None:
        return []
    definition = parse_schedule(schedule.document).definition
    return upcoming(definition.ticks(progress.zone, progress.anchor_ms), progress.next_ms, count)


def owned_id(workflow_id: str, created_at_ms: int, index: int) -> str:
    """Return the id of the schedule that the nth trigger of a workflow makes."""
    return derived_id("sch", created_at_ms, [workflow_id, index])


def owned_name(workflow: str, index: int) -> str:
    """Return the name of what the nth trigger of a workflow makes."""
    return f"{workflow}-{index + 1}"[-MAX_NAME:] if index else workflow


def _next_ms(definition: ScheduleDocument, progress: Progress, now_ms: int) -> int | None:
    if not definition.enabled:
        return None
    ticks = definition.ticks(progress.zone, progress.anchor_ms)
    return next(ticks.after(now_ms), None)

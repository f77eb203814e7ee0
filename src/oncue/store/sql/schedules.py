"""Schedules, and how far each has come."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from oncue.core.errors import NotFound
from oncue.ports import Advance, Progress, Schedule
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase, Write
from oncue.store.sql.statements import newest_first

_COLUMNS = tables.schedule.c


class SqlSchedules:
    """The schedules of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def save(self, account: str, schedule: Schedule) -> None:
        """
        Keep a version: the first, or the one after the current, which it replaces.

        Raises:
            Conflict: the name is taken, or somebody saved that version meanwhile.
        """
        keep = Write(f"schedule {schedule.name!r}", keep_schedule(account, schedule))
        await self._database.write_exactly([keep])

    async def delete(self, account: str, schedule_id: str) -> None:
        """Forget a schedule."""
        forget = sa.delete(tables.schedule).where(*_of(account, schedule_id))
        await self._database.write("schedule", forget)

    async def current(self, account: str, reference: str) -> Schedule:
        """
        Return the schedule with that id or name; of several names one that no workflow owns.

        Raises:
            NotFound: this account has none.
        """
        select = (
            sa.select(tables.schedule)
            .where(
                _COLUMNS.account == account,
                sa.or_(_COLUMNS.id == reference, _COLUMNS.name == reference),
            )
            .order_by(_COLUMNS.owner_id.is_not(None))
        )
        for row in await self._database.rows(select):
            return _schedule_of(row)
        raise NotFound(f"no schedule {reference!r}")

    async def all(self, account: str, limit: int, before: tuple[int, str] | None) -> list[Schedule]:
        """Return schedules, newest first, from below (created_at_ms, id) `before`."""
        select = newest_first(tables.schedule, account).limit(limit)
        if before:
            select = select.where(sa.tuple_(_COLUMNS.created_at, _COLUMNS.id) < sa.tuple_(*before))
        return [_schedule_of(row) for row in await self._database.rows(select)]

    async def owned_by(self, account: str, workflow_id: str) -> list[Schedule]:
        """Return the schedules that a workflow brought."""
        select = sa.select(tables.schedule).where(
            _COLUMNS.account == account, _COLUMNS.owner_id == workflow_id
        )
        return [_schedule_of(row) for row in await self._database.rows(select)]

    async def advance(self, account: str, advances: Sequence[Advance]) -> None:
        """Write down how far schedules have come, but not of those that changed meanwhile."""
        each = [
            {
                "of_account": account,
                "of_id": one.schedule.id,
                "of_version": one.schedule.version,
                "of_next_at": one.schedule.progress.next_ms,
                **_columns_of(one.progress),
            }
            for one in advances
        ]
        await self._database.write("schedule", _ADVANCE, each=each)

    async def due(self, instant_ms: int, limit: int) -> list[tuple[str, Schedule]]:
        """Return account and schedule of what is due at an instant, earliest first."""
        select = (
            _of_enabled(sa.select(tables.schedule))
            .where(_COLUMNS.next_at <= instant_ms)
            .order_by(_COLUMNS.next_at, _COLUMNS.account, _COLUMNS.id)
            .limit(limit)
        )
        return [(row.account, _schedule_of(row)) for row in await self._database.rows(select)]

    async def next_due_ms(self) -> int | None:
        """Return the first instant at which anything is due."""
        # Not min(): with it SQLite would look through all of them.
        select = _of_enabled(sa.select(_COLUMNS.next_at)).order_by(_COLUMNS.next_at).limit(1)
        for row in await self._database.rows(select.where(_COLUMNS.next_at.is_not(None))):
            first: int = row.next_at
            return first
        return None

    async def adrift(self) -> list[tuple[str, Schedule]]:
        """Return account and schedule of all that follow another time zone than the account's."""
        select = sa.select(tables.schedule).where(
            _COLUMNS.account == tables.account.c.id,
            _COLUMNS.zone != tables.account.c.time_zone,
            _COLUMNS.has_own_zone.is_(False),
        )
        return [(row.account, _schedule_of(row)) for row in await self._database.rows(select)]


_ADVANCE = (
    sa.update(tables.schedule)
    .where(
        _COLUMNS.account == sa.bindparam("of_account"),
        _COLUMNS.id == sa.bindparam("of_id"),
        _COLUMNS.version == sa.bindparam("of_version"),
        # Null is no value that anything equals: what is paused may move to another zone, too.
        _COLUMNS.next_at.is_not_distinct_from(sa.bindparam("of_next_at")),
    )
    .values(
        {name: sa.bindparam(name) for name in ("zone", "anchor_at", "next_at", "last_at", "missed")}
    )
)


def keep_schedule(account: str, schedule: Schedule) -> sa.Insert | sa.Update | sa.Delete:
    """Return the statement that keeps a version, or ends the schedule."""
    if schedule.is_deleted:
        return sa.delete(tables.schedule).where(*_of(account, schedule.id))
    row: dict[str, Any] = {
        "name": schedule.name,
        "document": schedule.document,
        "enabled": schedule.is_enabled,
        "has_own_zone": schedule.has_own_zone,
        "version": schedule.version,
        "updated_at": schedule.updated_at_ms,
    }
    if schedule.begins_anew:
        row |= _columns_of(schedule.progress)
    if schedule.version == 1:
        row |= {"owner_id": schedule.owner_id, "created_at": schedule.created_at_ms}
        return sa.insert(tables.schedule).values(account=account, id=schedule.id, **row)
    of_before = (*_of(account, schedule.id), _COLUMNS.version == schedule.version - 1)
    return sa.update(tables.schedule).where(*of_before).values(row)


def _of(account: str, schedule_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _COLUMNS.account == account, _COLUMNS.id == schedule_id


def _of_enabled(select: sa.Select[Any]) -> sa.Select[Any]:
    is_enabled = sa.and_(tables.account.c.id == _COLUMNS.account, tables.account.c.enabled)
    return select.join(tables.account, is_enabled)


def _columns_of(progress: Progress) -> dict[str, Any]:
    return {
        "zone": progress.zone,
        "anchor_at": progress.anchor_ms,
        "next_at": progress.next_ms,
        "last_at": progress.last_ms,
        "missed": progress.missed,
    }


def _schedule_of(row: sa.Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        name=row.name,
        document=row.document,
        owner_id=row.owner_id,
        is_enabled=row.enabled,
        has_own_zone=row.has_own_zone,
        version=row.version,
        created_at_ms=row.created_at,
        updated_at_ms=row.updated_at,
        progress=Progress(row.zone, row.anchor_at, row.next_at, row.last_at, row.missed),
    )

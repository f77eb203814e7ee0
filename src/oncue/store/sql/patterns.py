"""Every saved version of every pattern."""

from typing import Any

import sqlalchemy as sa

from oncue.core.errors import NotFound
from oncue.ports import PatternVersion
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase


class SqlPatterns:
    """The patterns of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def save(self, account: str, pattern: PatternVersion) -> None:
        """
        Keep a version: the first, or the one after the current, which it replaces.

        Raises:
            Conflict: another pattern has that name, or somebody saved that version meanwhile.
        """
        what = f"version {pattern.version} of pattern {pattern.name!r}"
        if pattern.version == 1:
            what = f"pattern {pattern.name!r}"
        await self._database.write(what, *add_version(account, pattern))

    async def current(self, account: str, reference: str) -> PatternVersion:
        """
        Return the current version of the pattern with that id or name.

        Raises:
            NotFound: this account has none.
        """
        select = _CURRENT.where(
            tables.pattern.c.account == account,
            tables.pattern.c.deleted_at.is_(None),
            sa.or_(tables.pattern.c.id == reference, tables.pattern.c.name == reference),
        ).order_by(tables.pattern.c.owner_id.is_not(None))
        for row in await self._database.rows(select):
            return _pattern_of(row)
        raise NotFound(f"no pattern {reference!r}")

    async def all(
        self, account: str, limit: int, before: tuple[int, str] | None
    ) -> list[PatternVersion]:
        """Return the current versions, newest pattern first, from below (created, id) `before`."""
        place = sa.tuple_(tables.pattern.c.created_at, tables.pattern.c.id)
        select = (
            _CURRENT.where(
                tables.pattern.c.account == account, tables.pattern.c.deleted_at.is_(None)
            )
            .order_by(tables.pattern.c.created_at.desc(), tables.pattern.c.id.desc())
            .limit(limit)
        )
        if before:
            select = select.where(place < sa.tuple_(*before))
        return [_pattern_of(row) for row in await self._database.rows(select)]

    async def version(self, account: str, pattern_id: str, version: int) -> PatternVersion:
        """
        Return one version.

        Raises:
            NotFound: this account has none of that id and version.
        """
        select = _VERSIONS.where(
            tables.pattern_version.c.account == account,
            tables.pattern_version.c.pattern_id == pattern_id,
            tables.pattern_version.c.version == version,
        )
        for row in await self._database.rows(select):
            return _pattern_of(row)
        raise NotFound(f"no pattern {pattern_id!r} of version {version}")

    async def owned_by(self, account: str, workflow_id: str) -> list[PatternVersion]:
        """Return the newest version of each pattern that a workflow brought, also of ended ones."""
        select = _CURRENT.where(
            tables.pattern.c.account == account, tables.pattern.c.owner_id == workflow_id
        ).order_by(tables.pattern.c.created_at, tables.pattern.c.id)
        return [_pattern_of(row) for row in await self._database.rows(select)]

    async def announced(self, account: str, pattern_id: str, version: int, offset: int) -> None:
        """Write down from which offset a version is seen."""
        await self._database.write(
            "pattern",
            sa.update(tables.pattern_version)
            .where(
                tables.pattern_version.c.account == account,
                tables.pattern_version.c.pattern_id == pattern_id,
                tables.pattern_version.c.version == version,
            )
            .values(seen_from=offset),
        )

    async def unannounced(self) -> list[tuple[str, PatternVersion]]:
        """Return account and version of all that are saved and not known to be in the log."""
        select = _VERSIONS.where(tables.pattern_version.c.seen_from.is_(None)).order_by(
            tables.pattern_version.c.account,
            tables.pattern_version.c.pattern_id,
            tables.pattern_version.c.version,
        )
        return [(row.account, _pattern_of(row)) for row in await self._database.rows(select)]

    async def seen_at(self, account: str, offset: int) -> list[PatternVersion]:
        """Return the version of each pattern that is seen after the record at `offset`."""
        select = _VERSIONS.where(
            tables.pattern_version.c.account == account,
            tables.pattern_version.c.seen_from <= offset,
        ).order_by(tables.pattern_version.c.version)
        rows = await self._database.rows(select)
        return [*{row.pattern_id: _pattern_of(row) for row in rows}.values()]

    async def state_begin(self, account: str, pattern_id: str, state_version: int) -> int:
        """Return the offset of the record with which a state of a pattern began."""
        version = tables.pattern_version
        select = sa.select(sa.func.min(version.c.seen_from).label("begin")).where(
            version.c.account == account,
            version.c.pattern_id == pattern_id,
            version.c.state_version == state_version,
        )
        for row in await self._database.rows(select):
            begin: int | None = row.begin
            return begin or 0
        return 0


def add_version(account: str, pattern: PatternVersion) -> list[sa.Insert | sa.Update]:
    """Return the statements that keep a version."""
    deleted_at = pattern.updated_at_ms if pattern.is_deleted else None
    head = {"name": pattern.name, "version": pattern.version, "deleted_at": deleted_at}
    place = {"account": account, "id": pattern.id}
    version = {
        "account": account,
        "pattern_id": pattern.id,
        "version": pattern.version,
        "state_version": pattern.state_version,
        "workflow_id": pattern.workflow_id,
        "document": pattern.document,
        "active": pattern.is_active,
        "created_at": pattern.updated_at_ms,
    }
    keep_head: sa.Insert | sa.Update
    if pattern.version == 1:
        first = {"owner_id": pattern.owner_id, "created_at": pattern.created_at_ms}
        keep_head = sa.insert(tables.pattern).values(place | head | first)
    else:
        keep_head = (
            sa.update(tables.pattern)
            .where(tables.pattern.c.account == account, tables.pattern.c.id == pattern.id)
            .values(head)
        )
    return [keep_head, sa.insert(tables.pattern_version).values(version)]


_VERSIONS = sa.select(
    tables.pattern.c.name,
    tables.pattern.c.owner_id,
    tables.pattern.c.deleted_at,
    tables.pattern.c.created_at.label("first_at"),
    tables.pattern_version,
).select_from(
    tables.pattern_version.join(
        tables.pattern,
        sa.and_(
            tables.pattern.c.account == tables.pattern_version.c.account,
            tables.pattern.c.id == tables.pattern_version.c.pattern_id,
        ),
    )
)
_CURRENT = _VERSIONS.where(tables.pattern_version.c.version == tables.pattern.c.version)


def _pattern_of(row: sa.Row[Any]) -> PatternVersion:
    return PatternVersion(
        id=row.pattern_id,
        name=row.name,
        version=row.version,
        state_version=row.state_version,
        document=row.document,
        workflow_id=row.workflow_id,
        owner_id=row.owner_id,
        created_at_ms=row.first_at,
        updated_at_ms=row.created_at,
        is_active=row.active,
        is_deleted=row.deleted_at is not None,
    )

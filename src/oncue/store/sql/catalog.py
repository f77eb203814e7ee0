"""The catalog: every saved version of what users defined."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from oncue.core.errors import NotFound
from oncue.core.json_text import Json
from oncue.ports import PatternVersion, WorkflowVersion
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase


class SqlCatalog:
    """The catalog of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def save_workflow(self, account: str, workflow: WorkflowVersion) -> None:
        """
        Keep the first version of a workflow and its patterns.

        Raises:
            Conflict: another workflow of the account has that name.
        """
        head = {
            "account": account,
            "id": workflow.id,
            "name": workflow.name,
            "version": workflow.version,
            "enabled": workflow.is_enabled,
            "created_at": workflow.created_at_ms,
            "updated_at": workflow.updated_at_ms,
        }
        add_head = sa.insert(tables.workflow).values(head)
        what = f"workflow {workflow.name!r}"
        await self._database.write(what, add_head, *_add_version(account, workflow))

    async def save_version(self, account: str, workflow: WorkflowVersion) -> None:
        """
        Keep the version after the current one, which it replaces.

        Raises:
            Conflict: another workflow has that name, or somebody saved that version meanwhile.
        """
        change_head = (
            sa.update(tables.workflow)
            .where(*_of_workflow(account, workflow.id))
            .values(
                name=workflow.name,
                version=workflow.version,
                enabled=workflow.is_enabled,
                updated_at=workflow.updated_at_ms,
            )
        )
        what = f"version {workflow.version} of workflow {workflow.name!r}"
        await self._database.write(what, change_head, *_add_version(account, workflow))

    async def delete_workflow(
        self, account: str, workflow_id: str, at_ms: int, patterns: Sequence[PatternVersion]
    ) -> None:
        """Let go of a workflow; `patterns` are the versions that end its patterns."""
        mark = (
            sa.update(tables.workflow)
            .where(*_of_workflow(account, workflow_id))
            .values(deleted_at=at_ms)
        )
        add = [sa.insert(tables.pattern_version).values(_pattern_rows(account, patterns))]
        await self._database.write("workflow", mark, *(add if patterns else ()))

    async def workflow_id(self, account: str, reference: str) -> str:
        """
        Return the id of the workflow with that id or name.

        Raises:
            NotFound: this account has none.
        """
        select = sa.select(tables.workflow.c.id).where(
            tables.workflow.c.account == account,
            tables.workflow.c.deleted_at.is_(None),
            sa.or_(tables.workflow.c.id == reference, tables.workflow.c.name == reference),
        )
        for row in await self._database.rows(select):
            return str(row.id)
        raise NotFound(f"no workflow {reference!r}")

    async def workflow(
        self, account: str, workflow_id: str, version: int | None = None
    ) -> WorkflowVersion:
        """
        Return one version, by default the current one; also of a workflow that was deleted.

        Raises:
            NotFound: this account has none of that id and version.
        """
        of_version = (
            tables.workflow_version.c.version == version
            if version is not None
            else tables.workflow_version.c.version == tables.workflow.c.version
        )
        select = _WORKFLOWS.where(
            tables.workflow_version.c.account == account,
            tables.workflow_version.c.workflow_id == workflow_id,
            of_version,
        )
        for row in await self._database.rows(select):
            return _workflow_of(row)
        of = "" if version is None else f" of version {version}"
        raise NotFound(f"no workflow {workflow_id!r}{of}")

    async def workflows(
        self, account: str, limit: int, before: tuple[int, str] | None
    ) -> list[WorkflowVersion]:
        """Return the current versions, newest workflow first, from below (created, id) `before`."""
        place = sa.tuple_(tables.workflow.c.created_at, tables.workflow.c.id)
        select = (
            _WORKFLOWS.where(
                tables.workflow.c.account == account,
                tables.workflow.c.deleted_at.is_(None),
                tables.workflow_version.c.version == tables.workflow.c.version,
            )
            .order_by(tables.workflow.c.created_at.desc(), tables.workflow.c.id.desc())
            .limit(limit)
        )
        if before:
            select = select.where(place < sa.tuple_(*before))
        return [_workflow_of(row) for row in await self._database.rows(select)]

    async def versions(self, account: str, workflow_id: str) -> list[WorkflowVersion]:
        """Return all versions of a workflow, newest first."""
        select = _WORKFLOWS.where(
            tables.workflow.c.account == account, tables.workflow.c.id == workflow_id
        ).order_by(tables.workflow_version.c.version.desc())
        return [_workflow_of(row) for row in await self._database.rows(select)]

    async def patterns_of(self, account: str, workflow_id: str) -> list[PatternVersion]:
        """Return the newest version of each pattern that a workflow owns, in the order made."""
        select = (
            sa.select(tables.pattern_version)
            .where(
                tables.pattern_version.c.account == account,
                tables.pattern_version.c.workflow_id == workflow_id,
            )
            .order_by(tables.pattern_version.c.version)
        )
        newest = {row.id: _pattern_of(row) for row in await self._database.rows(select)}
        return list(newest.values())

    async def pattern(self, account: str, pattern_id: str, version: int) -> PatternVersion:
        """
        Return one version.

        Raises:
            NotFound: this account has none of that id and version.
        """
        of_version = (
            tables.pattern_version.c.account == account,
            tables.pattern_version.c.id == pattern_id,
            tables.pattern_version.c.version == version,
        )
        for row in await self._database.rows(sa.select(tables.pattern_version).where(*of_version)):
            return _pattern_of(row)
        raise NotFound(f"no pattern {pattern_id!r} of version {version}")

    async def announced(self, account: str, pattern_id: str, version: int, offset: int) -> None:
        """Write down from which offset a version is seen."""
        await self._database.write(
            "pattern",
            sa.update(tables.pattern_version)
            .where(
                tables.pattern_version.c.account == account,
                tables.pattern_version.c.id == pattern_id,
                tables.pattern_version.c.version == version,
            )
            .values(seen_from=offset),
        )

    async def unannounced(self) -> list[tuple[str, PatternVersion]]:
        """Return account and version of all that are saved and not known to be in the log."""
        select = (
            sa.select(tables.pattern_version)
            .where(tables.pattern_version.c.seen_from.is_(None))
            .order_by(
                tables.pattern_version.c.account,
                tables.pattern_version.c.id,
                tables.pattern_version.c.version,
            )
        )
        return [(row.account, _pattern_of(row)) for row in await self._database.rows(select)]

    async def seen_at(self, account: str, offset: int) -> list[PatternVersion]:
        """Return the version of each pattern that is seen after the record at `offset`."""
        select = (
            sa.select(tables.pattern_version)
            .where(
                tables.pattern_version.c.account == account,
                tables.pattern_version.c.seen_from <= offset,
            )
            .order_by(tables.pattern_version.c.version)
        )
        newest = {row.id: _pattern_of(row) for row in await self._database.rows(select)}
        return list(newest.values())


_WORKFLOWS = sa.select(
    tables.workflow.c.name,
    tables.workflow.c.enabled,
    tables.workflow.c.deleted_at,
    tables.workflow.c.created_at.label("first_at"),
    tables.workflow_version,
).select_from(
    tables.workflow_version.join(
        tables.workflow,
        sa.and_(
            tables.workflow.c.account == tables.workflow_version.c.account,
            tables.workflow.c.id == tables.workflow_version.c.workflow_id,
        ),
    )
)


def _of_workflow(account: str, workflow_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        tables.workflow.c.account == account,
        tables.workflow.c.id == workflow_id,
        tables.workflow.c.deleted_at.is_(None),
    )


def _add_version(account: str, workflow: WorkflowVersion) -> list[sa.Insert]:
    version = {
        "account": account,
        "workflow_id": workflow.id,
        "version": workflow.version,
        "document": workflow.document,
        "created_at": workflow.updated_at_ms,
    }
    statements = [sa.insert(tables.workflow_version).values(version)]
    if workflow.patterns:
        rows = _pattern_rows(account, workflow.patterns)
        statements.append(sa.insert(tables.pattern_version).values(rows))
    return statements


def _pattern_rows(account: str, patterns: Sequence[PatternVersion]) -> list[dict[str, object]]:
    return [
        {
            "account": account,
            "id": pattern.id,
            "version": pattern.version,
            "workflow_id": pattern.workflow_id,
            "document": pattern.document,
            "active": pattern.is_active,
        }
        for pattern in patterns
    ]


def _workflow_of(row: sa.Row[Any]) -> WorkflowVersion:
    return WorkflowVersion(
        id=row.workflow_id,
        name=row.name,
        version=row.version,
        is_enabled=row.enabled and row.deleted_at is None,
        document=row.document,
        created_at_ms=row.first_at,
        updated_at_ms=row.created_at,
    )


def _pattern_of(row: sa.Row[Any]) -> PatternVersion:
    document: Json = row.document
    return PatternVersion(row.id, row.version, row.workflow_id, document, row.active)

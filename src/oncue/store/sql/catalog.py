"""The catalog: every saved version of what users defined."""

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
        Keep a version of a workflow and its patterns.

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
        }
        version = {
            "account": account,
            "workflow_id": workflow.id,
            "version": workflow.version,
            "document": workflow.document,
            "created_at": workflow.created_at_ms,
        }
        patterns = [
            {
                "account": account,
                "id": pattern.id,
                "version": pattern.version,
                "workflow_id": pattern.workflow_id,
                "document": pattern.document,
            }
            for pattern in workflow.patterns
        ]
        statements: list[sa.Insert] = [
            sa.insert(tables.workflow).values(head),
            sa.insert(tables.workflow_version).values(version),
        ]
        if patterns:
            statements.append(sa.insert(tables.pattern_version).values(patterns))
        await self._database.write(f"workflow {workflow.name!r}", *statements)

    async def workflow(
        self, account: str, workflow_id: str, version: int | None = None
    ) -> WorkflowVersion:
        """
        Return one version, by default the current one.

        Raises:
            NotFound: this account has none of that id and version.
        """
        joined = tables.workflow_version.join(
            tables.workflow,
            sa.and_(
                tables.workflow.c.account == tables.workflow_version.c.account,
                tables.workflow.c.id == tables.workflow_version.c.workflow_id,
            ),
        )
        select = (
            sa.select(tables.workflow.c.name, tables.workflow.c.enabled, tables.workflow_version)
            .select_from(joined)
            .where(
                tables.workflow_version.c.account == account,
                tables.workflow_version.c.workflow_id == workflow_id,
                tables.workflow_version.c.version
                == (tables.workflow.c.version if version is None else version),
            )
        )
        for row in await self._database.rows(select):
            return WorkflowVersion(
                id=row.workflow_id,
                name=row.name,
                version=row.version,
                is_enabled=row.enabled,
                document=row.document,
                created_at_ms=row.created_at,
            )
        raise NotFound(f"no workflow {workflow_id!r}")

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


def _pattern_of(row: sa.Row[Any]) -> PatternVersion:
    document: Json = row.document
    return PatternVersion(row.id, row.version, row.workflow_id, document)

"""Every saved version of every workflow."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from oncue.core.errors import NotFound
from oncue.ports import Brought, WorkflowVersion
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase
from oncue.store.sql.hooks import keep_hook
from oncue.store.sql.patterns import add_version
from oncue.store.sql.schedules import keep_schedule


class SqlCatalog:
    """The catalog of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def save_workflow(self, account: str, workflow: WorkflowVersion) -> None:
        """
        Keep the first version of a workflow and what it brings.

        Raises:
            Conflict: another workflow of the account has that name.
        """
        what = f"workflow {workflow.name!r}"
        await self._database.write(what, *keep_workflow(account, workflow))

    async def save_version(self, account: str, workflow: WorkflowVersion) -> None:
        """
        Keep the version after the current one, which it replaces.

        Raises:
            Conflict: another workflow has that name, or somebody saved that version meanwhile.
        """
        what = f"version {workflow.version} of workflow {workflow.name!r}"
        await self._database.write(what, *keep_workflow(account, workflow))

    async def delete_workflow(
        self, account: str, workflow_id: str, at_ms: int, ends: Brought
    ) -> None:
        """Let go of a workflow; `ends` ends what it brought."""
        mark = (
            sa.update(tables.workflow)
            .where(*_of_workflow(account, workflow_id))
            .values(deleted_at=at_ms)
        )
        await self._database.write("workflow", mark, *_keep_brought(account, ends))

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

    async def workflow_count(self, account: str, but: Sequence[str] = ()) -> int:
        """Return how many workflows an account has beside those of some ids."""
        select = (
            sa.select(sa.func.count())
            .select_from(tables.workflow)
            .where(
                tables.workflow.c.account == account,
                tables.workflow.c.deleted_at.is_(None),
                tables.workflow.c.id.not_in(but),
            )
        )
        return int((await self._database.rows(select))[0][0])

    async def versions(self, account: str, workflow_id: str) -> list[WorkflowVersion]:
        """Return all versions of a workflow, newest first."""
        select = _WORKFLOWS.where(
            tables.workflow.c.account == account, tables.workflow.c.id == workflow_id
        ).order_by(tables.workflow_version.c.version.desc())
        return [_workflow_of(row) for row in await self._database.rows(select)]


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


def keep_workflow(
    account: str, workflow: WorkflowVersion
) -> list[sa.Insert | sa.Update | sa.Delete]:
    """Return the statements that keep a version of a workflow, and what it brings."""
    head: dict[str, Any] = {
        "name": workflow.name,
        "version": workflow.version,
        "enabled": workflow.is_enabled,
        "updated_at": workflow.updated_at_ms,
    }
    keep_head: sa.Insert | sa.Update
    if workflow.version == 1:
        place = {"account": account, "id": workflow.id, "created_at": workflow.created_at_ms}
        keep_head = sa.insert(tables.workflow).values(place | head)
    else:
        keep_head = (
            sa.update(tables.workflow).where(*_of_workflow(account, workflow.id)).values(head)
        )
    version = {
        "account": account,
        "workflow_id": workflow.id,
        "version": workflow.version,
        "document": workflow.document,
        "created_at": workflow.updated_at_ms,
    }
    return [
        keep_head,
        sa.insert(tables.workflow_version).values(version),
        *_keep_brought(account, workflow.brought),
    ]


def _keep_brought(account: str, brought: Brought) -> list[sa.Insert | sa.Update | sa.Delete]:
    return [
        *(add for pattern in brought.patterns for add in add_version(account, pattern)),
        *(keep_schedule(account, schedule) for schedule in brought.schedules),
        *(keep_hook(account, hook) for hook in brought.hooks),
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

"""Hooks: what they are in clear, their secrets as ciphertexts."""

from typing import Any

import sqlalchemy as sa

from oncue.ports import Hook
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase, Write
from oncue.store.sql.statements import newest_first

_COLUMNS = tables.hook.c


class SqlHooks:
    """The hooks of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def all(self, account: str) -> list[Hook]:
        """Return the hooks of an account, newest first."""
        rows = await self._database.rows(newest_first(tables.hook, account))
        return [_hook_of(row) for row in rows]

    async def save(self, account: str, hook: Hook) -> None:
        """
        Keep a version: the first, or the one after the current, which it replaces.

        Raises:
            Conflict: the name is taken, or somebody saved that version meanwhile.
        """
        await self._database.write_exactly([Write(f"hook {hook.name!r}", keep_hook(account, hook))])

    async def delete(self, account: str, hook_id: str) -> None:
        """Forget a hook and its secrets."""
        await self._database.write("hook", sa.delete(tables.hook).where(*_of(account, hook_id)))

    async def reseal(self, account: str, hook_id: str, before: bytes, after: bytes) -> bool:
        """Put one ciphertext in the place of another; return whether that one still stood there."""
        change = (
            sa.update(tables.hook)
            .where(*_of(account, hook_id), _COLUMNS.sealed == before)
            .values(sealed=after)
        )
        return await self._database.changed(change)


def keep_hook(account: str, hook: Hook) -> sa.Insert | sa.Update | sa.Delete:
    """Return the statement that keeps a version, or ends the hook."""
    if hook.is_deleted:
        return sa.delete(tables.hook).where(*_of(account, hook.id))
    row = {
        "name": hook.name,
        "document": hook.document,
        "hints": [*hook.hints],
        "sealed": hook.sealed,
        "owner_id": hook.owner_id,
        "enabled": hook.is_enabled,
        "version": hook.version,
        "created_at": hook.created_at_ms,
        "updated_at": hook.updated_at_ms,
    }
    if hook.version == 1:
        return sa.insert(tables.hook).values(account=account, id=hook.id, **row)
    of_before = (*_of(account, hook.id), _COLUMNS.version == hook.version - 1)
    return sa.update(tables.hook).where(*of_before).values(row)


def _of(account: str, hook_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _COLUMNS.account == account, _COLUMNS.id == hook_id


def _hook_of(row: sa.Row[Any]) -> Hook:
    return Hook(
        id=row.id,
        name=row.name,
        document=row.document,
        hints=tuple(row.hints),
        sealed=row.sealed,
        owner_id=row.owner_id,
        is_enabled=row.enabled,
        version=row.version,
        created_at_ms=row.created_at,
        updated_at_ms=row.updated_at,
    )

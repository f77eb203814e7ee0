"""Accounts and their keys."""

from typing import Any

import sqlalchemy as sa

from oncue.ports import ApiKey
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase


class SqlAccounts:
    """All accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def ids(self) -> list[str]:
        """Return the ids of all accounts, oldest first."""
        rows = await self._database.rows(
            sa.select(tables.account.c.id).order_by(
                tables.account.c.created_at, tables.account.c.id
            )
        )
        return [row.id for row in rows]

    async def add(self, account: str, name: str, created_at_ms: int) -> None:
        """
        Keep an account.

        Raises:
            Conflict: there is one of that name.
        """
        values = {"id": account, "name": name, "created_at": created_at_ms}
        await self._database.write(f"account {name!r}", sa.insert(tables.account).values(values))

    async def put_api_key(self, account: str, key: ApiKey) -> None:
        """Keep a key by its hash; one that is there already stays as it is."""
        known = await self.api_key(key.hash)
        if known is None:
            values = {
                "id": key.id,
                "account": account,
                "hash": key.hash,
                "scopes": list(key.scopes),
                "created_at": key.created_at_ms,
            }
            await self._database.write("API key", sa.insert(tables.api_key).values(values))

    async def api_key(self, hash_: str) -> ApiKey | None:
        """Return the key with that hash, of whichever account."""
        rows = await self._database.rows(
            sa.select(tables.api_key).where(tables.api_key.c.hash == hash_)
        )
        return next((_api_key_of(row) for row in rows), None)


def _api_key_of(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(row.id, row.account, row.hash, frozenset(row.scopes), row.created_at)

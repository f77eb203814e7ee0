"""Accounts and their keys."""

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from oncue.core.errors import NotFound
from oncue.ports import Account, ApiKey, QueryBounds, Quotas
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase
from oncue.store.sql.statements import newest_first


class SqlAccounts:
    """All accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def all(self, limit: int, before: tuple[int, str] | None = None) -> list[Account]:
        """Return accounts, newest first, from below (created_at_ms, id) `before`."""
        place = sa.tuple_(tables.account.c.created_at, tables.account.c.id)
        select = (
            sa.select(tables.account)
            .order_by(tables.account.c.created_at.desc(), tables.account.c.id.desc())
            .limit(limit)
        )
        if before:
            select = select.where(place < sa.tuple_(*before))
        return [_account_of(row) for row in await self._database.rows(select)]

    async def ids(self) -> list[str]:
        """Return the ids of all accounts, oldest first."""
        rows = await self._database.rows(
            sa.select(tables.account.c.id).order_by(
                tables.account.c.created_at, tables.account.c.id
            )
        )
        return [row.id for row in rows]

    async def account(self, reference: str) -> Account:
        """
        Return the account with that id or name.

        Raises:
            NotFound: there is none.
        """
        select = sa.select(tables.account).where(
            sa.or_(tables.account.c.id == reference, tables.account.c.name == reference)
        )
        for row in await self._database.rows(select):
            return _account_of(row)
        raise NotFound(f"no account {reference!r}")

    async def query_bounds(self, account: str) -> QueryBounds:
        """
        Return what the queries of an account may take.

        Raises:
            NotFound: there is none.
        """
        return (await self.account(account)).query_bounds

    async def add(self, account: Account) -> None:
        """
        Keep an account.

        Raises:
            Conflict: there is one of that name.
        """
        add = sa.insert(tables.account).values(_row_of(account))
        await self._database.write(f"account {account.name!r}", add)

    async def change(self, account: Account) -> None:
        """
        Keep an account as it is now.

        Raises:
            Conflict: another one has that name.
        """
        change = sa.update(tables.account).where(tables.account.c.id == account.id)
        await self._database.write(f"account {account.name!r}", change.values(_row_of(account)))

    async def keys(self, account: str) -> list[ApiKey]:
        """Return the keys of an account, newest first."""
        rows = await self._database.rows(newest_first(tables.api_key, account))
        return [_api_key_of(row) for row in rows]

    async def put_api_key(self, account: str, key: ApiKey) -> None:
        """Keep a key, in place of the one with that id if there is one."""
        values = {
            "id": key.id,
            "account": account,
            "hash": key.hash,
            "scopes": sorted(key.scopes),
            "name": key.name,
            "hint": key.hint,
            "created_at": key.created_at_ms,
        }
        forget = sa.delete(tables.api_key).where(*_of_key(account, key.id))
        add = sa.insert(tables.api_key).values(values)
        await self._database.write("API key", forget, add)

    async def revoke(self, account: str, key_id: str) -> ApiKey:
        """
        Forget a key, and return it.

        Raises:
            NotFound: this account has none of that id.
        """
        select = sa.select(tables.api_key).where(*_of_key(account, key_id))
        for row in await self._database.rows(select):
            forget = sa.delete(tables.api_key).where(*_of_key(account, key_id))
            await self._database.write("API key", forget)
            return _api_key_of(row)
        raise NotFound(f"no key {key_id!r}")

    async def api_key(self, hash_: str) -> ApiKey | None:
        """Return the key with that hash, of whichever account that is enabled."""
        select = sa.select(tables.api_key).where(
            tables.api_key.c.hash == hash_,
            tables.api_key.c.account == tables.account.c.id,
            tables.account.c.enabled,
        )
        return next((_api_key_of(row) for row in await self._database.rows(select)), None)


def _of_key(account: str, key_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return tables.api_key.c.account == account, tables.api_key.c.id == key_id


def _row_of(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "enabled": account.is_enabled,
        "time_zone": account.time_zone,
        "created_at": account.created_at_ms,
        **asdict(account.quotas),
        **{f"query_{name}": bound for name, bound in asdict(account.query_bounds).items()},
    }


def _account_of(row: sa.Row[Any]) -> Account:
    quotas = Quotas(row.max_workflows, row.max_executions_per_month, row.max_events_per_month)
    bounds = QueryBounds(row.query_timeout_ms, row.query_memory_mb, row.query_max_bytes)
    return Account(row.id, row.name, row.created_at, quotas, row.enabled, row.time_zone, bounds)


def _api_key_of(row: sa.Row[Any]) -> ApiKey:
    scopes = frozenset(row.scopes)
    return ApiKey(row.id, row.account, row.hash, scopes, row.created_at, row.name, row.hint)

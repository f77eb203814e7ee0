"""Secrets as ciphertexts, and variables in clear: both under a name in their account."""

from collections.abc import Callable
from typing import Any, Generic

import sqlalchemy as sa

from oncue.core.json_text import encode_json, parse_json
from oncue.ports import NamedValue, Secret, Variable
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase, Write
from oncue.store.sql.statements import newest_first

_SECRET = tables.secret.c


class _SqlNamedValues(Generic[NamedValue]):
    def __init__(
        self,
        database: SqlDatabase,
        table: sa.Table,
        keep: Callable[[str, NamedValue], sa.Insert | sa.Update],
        value_of: Callable[[sa.Row[Any]], NamedValue],
    ) -> None:
        self._database = database
        self._table = table
        self._keep = keep
        self._value_of = value_of

    async def all(self, account: str) -> list[NamedValue]:
        """Return those of an account, newest first."""
        rows = await self._database.rows(newest_first(self._table, account, "name"))
        return [self._value_of(row) for row in rows]

    async def add(self, account: str, value: NamedValue) -> None:
        """
        Keep one.

        Raises:
            Conflict: the account has one of that name.
        """
        await self._write(account, value)

    async def change(self, account: str, value: NamedValue) -> None:
        """
        Keep the version after the current one.

        Raises:
            Conflict: somebody saved that version meanwhile.
        """
        await self._write(account, value)

    async def delete(self, account: str, name: str) -> None:
        """Forget one."""
        columns = self._table.c
        forget = sa.delete(self._table).where(columns.account == account, columns.name == name)
        await self._database.write(self._table.name, forget)

    async def _write(self, account: str, value: NamedValue) -> None:
        what = f"{self._table.name} {value.name!r}"
        await self._database.write_exactly([Write(what, self._keep(account, value))])


class SqlSecrets(_SqlNamedValues[Secret]):
    """The secrets of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        super().__init__(database, tables.secret, keep_secret, _secret_of)

    async def reseal(self, account: str, name: str, before: bytes, after: bytes) -> bool:
        """Put one ciphertext in the place of another; return whether that one still stood there."""
        change = (
            sa.update(tables.secret)
            .where(_SECRET.account == account, _SECRET.name == name, _SECRET.sealed == before)
            .values(sealed=after)
        )
        return await self._database.changed(change)


class SqlVariables(_SqlNamedValues[Variable]):
    """The variables of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        super().__init__(database, tables.variable, keep_variable, _variable_of)


def keep_secret(account: str, secret: Secret) -> sa.Insert | sa.Update:
    """Return the statement that keeps a version of a secret; it finds the one before it, or none."""
    return _keep(tables.secret, account, secret, {"sealed": secret.sealed})


def keep_variable(account: str, variable: Variable) -> sa.Insert | sa.Update:
    """Return the statement that keeps a version of a variable; it finds the one before it, or none."""
    return _keep(
        tables.variable, account, variable, {"value": encode_json(variable.value).decode()}
    )


def _keep(
    table: sa.Table, account: str, kept: Secret | Variable, value: dict[str, Any]
) -> sa.Insert | sa.Update:
    row = {
        **value,
        "description": kept.description,
        "version": kept.version,
        "updated_at": kept.updated_at_ms,
    }
    if kept.version == 1:
        place = {"account": account, "name": kept.name, "created_at": kept.created_at_ms}
        return sa.insert(table).values(place | row)
    return (
        sa.update(table)
        .where(
            table.c.account == account,
            table.c.name == kept.name,
            table.c.version == kept.version - 1,
        )
        .values(row)
    )


def _secret_of(row: sa.Row[Any]) -> Secret:
    return Secret(
        row.name, row.description, row.sealed, row.version, row.created_at, row.updated_at
    )


def _variable_of(row: sa.Row[Any]) -> Variable:
    value = parse_json(row.value.encode())
    return Variable(row.name, row.description, value, row.version, row.created_at, row.updated_at)

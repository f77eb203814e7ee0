"""Secrets as ciphertexts, and variables in clear: both under a name in their account."""

from typing import Any

import sqlalchemy as sa

from oncue.core.errors import Conflict
from oncue.core.json_text import encode_json, parse_json
from oncue.ports import Secret, Variable
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase

_SECRET = tables.secret.c
_VARIABLE = tables.variable.c


class SqlSecrets:
    """The secrets of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def all(self, account: str) -> list[Secret]:
        """Return the secrets of an account, newest first."""
        rows = await self._database.rows(_newest_first(tables.secret, account))
        return [
            Secret(
                row.name, row.description, row.sealed, row.version, row.created_at, row.updated_at
            )
            for row in rows
        ]

    async def add(self, account: str, secret: Secret) -> None:
        """
        Keep a secret.

        Raises:
            Conflict: the account has one of that name.
        """
        await self._database.write(f"secret {secret.name!r}", keep_secret(account, secret))

    async def change(self, account: str, secret: Secret) -> None:
        """
        Keep the version after the current one.

        Raises:
            Conflict: somebody saved that version meanwhile.
        """
        if not await self._database.changed(keep_secret(account, secret)):
            raise _changed_meanwhile(f"secret {secret.name!r}")

    async def delete(self, account: str, name: str) -> None:
        """Forget a secret."""
        forget = sa.delete(tables.secret).where(_SECRET.account == account, _SECRET.name == name)
        await self._database.write("secret", forget)

    async def reseal(self, account: str, name: str, before: bytes, after: bytes) -> bool:
        """Put one ciphertext in the place of another; return whether that one still stood there."""
        change = (
            sa.update(tables.secret)
            .where(_SECRET.account == account, _SECRET.name == name, _SECRET.sealed == before)
            .values(sealed=after)
        )
        return await self._database.changed(change)


class SqlVariables:
    """The variables of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def all(self, account: str) -> list[Variable]:
        """Return the variables of an account, newest first."""
        rows = await self._database.rows(_newest_first(tables.variable, account))
        return [
            Variable(
                row.name,
                row.description,
                parse_json(row.value.encode()),
                row.version,
                row.created_at,
                row.updated_at,
            )
            for row in rows
        ]

    async def add(self, account: str, variable: Variable) -> None:
        """
        Keep a variable.

        Raises:
            Conflict: the account has one of that name.
        """
        await self._database.write(f"variable {variable.name!r}", keep_variable(account, variable))

    async def change(self, account: str, variable: Variable) -> None:
        """
        Keep the version after the current one.

        Raises:
            Conflict: somebody saved that version meanwhile.
        """
        if not await self._database.changed(keep_variable(account, variable)):
            raise _changed_meanwhile(f"variable {variable.name!r}")

    async def delete(self, account: str, name: str) -> None:
        """Forget a variable."""
        forget = sa.delete(tables.variable).where(
            _VARIABLE.account == account, _VARIABLE.name == name
        )
        await self._database.write("variable", forget)


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


def _newest_first(table: sa.Table, account: str) -> sa.Select[Any]:
    return (
        sa.select(table)
        .where(table.c.account == account)
        .order_by(table.c.created_at.desc(), table.c.name.desc())
    )


def _changed_meanwhile(what: str) -> Conflict:
    return Conflict(f"expected {what} as it was, got one that changed meanwhile")

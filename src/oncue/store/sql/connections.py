"""Connections: their settings in clear, their secrets as ciphertexts."""

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from oncue.ports import Connection, Tested
from oncue.store.sql import tables
from oncue.store.sql.database import SqlDatabase, Write
from oncue.store.sql.statements import newest_first

_COLUMNS = tables.connection.c


class SqlConnections:
    """The connections of all accounts in one SQL database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def all(self, account: str) -> list[Connection]:
        """Return the connections of an account, newest first."""
        rows = await self._database.rows(newest_first(tables.connection, account))
        return [_connection_of(row) for row in rows]

    async def add(self, account: str, connection: Connection) -> None:
        """
        Keep a connection; if it is the default of its integration, no other is any more.

        Raises:
            Conflict: the account has one of that name.
        """
        await self._database.write_exactly(keep_connection(account, connection))

    async def change(self, account: str, connection: Connection) -> None:
        """
        Keep the version after the current one.

        Raises:
            Conflict: the name is taken, or somebody saved that version meanwhile.
        """
        await self._database.write_exactly(keep_connection(account, connection))

    async def delete(self, account: str, connection_id: str) -> None:
        """Forget a connection and its secrets."""
        forget = sa.delete(tables.connection).where(*_of(account, connection_id))
        await self._database.write("connection", forget)

    async def reseal(self, account: str, connection_id: str, before: bytes, after: bytes) -> bool:
        """Put one ciphertext in the place of another; return whether that one still stood there."""
        change = (
            sa.update(tables.connection)
            .where(*_of(account, connection_id), _COLUMNS.sealed == before)
            .values(sealed=after)
        )
        return await self._database.changed(change)

    async def note_use(self, account: str, connection_id: str, at_ms: int) -> None:
        """Note when a connection was used."""
        await self._note(account, connection_id, last_used_at=at_ms)

    async def note_test(self, account: str, connection_id: str, tested: Tested) -> None:
        """Note how a test of a connection went."""
        await self._note(account, connection_id, last_test=asdict(tested))

    async def _note(self, account: str, connection_id: str, **values: Any) -> None:
        note = sa.update(tables.connection).where(*_of(account, connection_id)).values(**values)
        await self._database.write("connection", note)


def _of(account: str, connection_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _COLUMNS.account == account, _COLUMNS.id == connection_id


def keep_connection(account: str, connection: Connection) -> list[Write]:
    """Return what keeps a version, which finds the one before it or none, and the one default."""
    keep: sa.Insert | sa.Update
    if connection.version == 1:
        keep = sa.insert(tables.connection).values(account=account, **_row_of(connection))
    else:
        of_before = (*_of(account, connection.id), _COLUMNS.version == connection.version - 1)
        keep = sa.update(tables.connection).where(*of_before).values(_row_of(connection))
    what = f"connection {connection.name!r}"
    if not connection.is_default:
        return [Write(what, keep)]
    no_other = (
        sa.update(tables.connection)
        .where(
            _COLUMNS.account == account,
            _COLUMNS.integration == connection.integration,
            _COLUMNS.id != connection.id,
        )
        .values(is_default=False)
    )
    return [Write(what, no_other, may_miss=True), Write(what, keep)]


def _row_of(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "name": connection.name,
        "integration": connection.integration,
        "is_default": connection.is_default,
        "settings": dict(connection.settings),
        "hints": dict(connection.hints),
        "sealed": connection.sealed,
        "version": connection.version,
        "created_at": connection.created_at_ms,
        "updated_at": connection.updated_at_ms,
    }


def _connection_of(row: sa.Row[Any]) -> Connection:
    return Connection(
        id=row.id,
        name=row.name,
        integration=row.integration,
        is_default=row.is_default,
        settings=row.settings,
        hints=row.hints,
        sealed=row.sealed,
        version=row.version,
        created_at_ms=row.created_at,
        updated_at_ms=row.updated_at,
        last_used_at_ms=row.last_used_at,
        last_test=Tested(**row.last_test) if row.last_test else None,
    )

"""One SQL database: its tables, its reads, and writes that fit together."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from oncue.core.errors import Conflict, NewerFormat
from oncue.store.sql.migrations import NEWEST, found_form, make_tables, migrate_tables
from oncue.store.sqlite.copies import keep_copy
from oncue.store.sqlite.file import as_ours


@dataclass(frozen=True, slots=True)
class Write:
    """A statement, and what it keeps."""

    what: str
    statement: sa.Insert | sa.Update | sa.Delete
    may_miss: bool = False


class SqlDatabase:
    """What accounts and definitions are kept in."""

    def __init__(self, engine: AsyncEngine, path: Path | None = None) -> None:
        self._engine = engine
        self._path = path

    @classmethod
    def on_sqlite(cls, path: Path) -> "SqlDatabase":
        """Return a database in a SQLite file that others may write to as well."""
        engine = create_async_engine(sa.URL.create("sqlite+aiosqlite", database=str(path)))
        event.listen(engine.sync_engine, "connect", _set_up)
        return cls(engine, path)

    async def migrate(self) -> None:
        """
        Bring the tables to the newest form; of an older one a copy is kept beside it.

        Raises:
            NewerFormat: they are newer than that.
            Overloaded: the disk is full, or takes nothing.
        """
        try:
            await self._migrate()
        except OperationalError as exc:
            raise as_ours(exc.orig or exc) from exc

    async def _migrate(self) -> None:
        async with self._engine.connect() as connection:
            found = await connection.run_sync(found_form)
        if found == NEWEST:
            return
        if found is not None and found > NEWEST:
            raise NewerFormat(str(self._path or "the catalog"), found, NEWEST)
        if found is not None and self._path:
            await asyncio.to_thread(keep_copy, self._path, found)
        async with self._engine.begin() as connection:
            await connection.run_sync(make_tables if found is None else migrate_tables)

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()

    async def rows(self, select: sa.Select[Any]) -> list[sa.Row[Any]]:
        """Return what `select` finds."""
        async with self._engine.connect() as connection:
            return list((await connection.execute(select)).all())

    async def write(
        self,
        what: str,
        *statements: sa.Insert | sa.Update | sa.Delete,
        each: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """
        Carry out all statements or none; with `each` once for each of these parameters.

        Raises:
            Conflict: one of them would make a second `what`.
            Overloaded: the disk is full, or takes nothing.
        """
        # Each begins with a write, so that SQLite waits for its lock: a
        # transaction that begins with a read is refused when it comes to write.
        try:
            async with self._transaction() as connection:
                for statement in statements:
                    await connection.execute(statement, each)
        except IntegrityError as exc:
            raise _second(what) from exc

    async def write_exactly(self, writes: Sequence[Write]) -> None:
        """
        Carry out all statements or none; each changes something, unless it may miss.

        Raises:
            Conflict: one would make a second of what it keeps, or does not find what it changes.
            Overloaded: the disk is full, or takes nothing.
        """
        what = ""
        try:
            async with self._transaction() as connection:
                for write in writes:
                    what = write.what
                    found = (await connection.execute(write.statement)).rowcount
                    if not found and not write.may_miss:
                        raise Conflict(f"expected {what} as it was, got one that changed meanwhile")
        except IntegrityError as exc:
            raise _second(what) from exc

    async def changed(self, change: sa.Update) -> bool:
        """
        Return whether `change` found the row that it changes.

        Raises:
            Overloaded: the disk is full, or takes nothing.
        """
        async with self._transaction() as connection:
            return bool((await connection.execute(change)).rowcount)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except OperationalError as exc:
            raise as_ours(exc.orig or exc) from exc


def _second(what: str) -> Conflict:
    article = "an" if what.startswith("a") else "a"
    return Conflict(f"expected {article} {what} that does not exist yet, got one that does")


def _set_up(connection: Any, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA busy_timeout = 10000")
    cursor.close()

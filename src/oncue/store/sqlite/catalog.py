"""The catalog: accounts, keys and every saved version of what users defined."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from oncue.core.errors import Conflict, NotFound
from oncue.core.json_text import Json
from oncue.ports import ApiKey, PatternVersion, WorkflowVersion

_metadata = sa.MetaData()

_account = sa.Table(
    "account",
    _metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
_api_key = sa.Table(
    "api_key",
    _metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
_workflow = sa.Table(
    "workflow",
    _metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("account", "name"),
)
_workflow_version = sa.Table(
    "workflow_version",
    _metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("workflow_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
_pattern_version = sa.Table(
    "pattern_version",
    _metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("workflow_id", sa.Text),
    sa.Column("document", sa.JSON, nullable=False),
    # The offset of its change record; null until that record is known to be in the log.
    sa.Column("seen_from", sa.BigInteger),
)


class SqlCatalog:
    """The catalog of all accounts in one SQL database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    def on_sqlite(cls, path: Path) -> "SqlCatalog":
        """Return a catalog in a SQLite file that others may write to as well."""
        engine = create_async_engine(sa.URL.create("sqlite+aiosqlite", database=str(path)))
        event.listen(engine.sync_engine, "connect", _set_up)
        return cls(engine)

    async def create_tables(self) -> None:
        """Make the tables that are not there."""
        async with self._engine.begin() as connection:
            await connection.run_sync(_metadata.create_all)

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()

    async def accounts(self) -> list[str]:
        """Return the ids of all accounts, oldest first."""
        rows = await self._all(sa.select(_account.c.id).order_by(_account.c.created_at, _account.c.id))
        return [row.id for row in rows]

    async def add_account(self, account: str, name: str, created_at_ms: int) -> None:
        """
        Keep an account.

        Raises:
            Conflict: there is one of that name.
        """
        values = {"id": account, "name": name, "created_at": created_at_ms}
        await self._write(f"account {name!r}", sa.insert(_account).values(values))

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
            await self._write("API key", sa.insert(_api_key).values(values))

    async def api_key(self, hash_: str) -> ApiKey | None:
        """Return the key with that hash, of whichever account."""
        rows = await self._all(sa.select(_api_key).where(_api_key.c.hash == hash_))
        return next((_api_key_of(row) for row in rows), None)

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
            sa.insert(_workflow).values(head),
            sa.insert(_workflow_version).values(version),
        ]
        if patterns:
            statements.append(sa.insert(_pattern_version).values(patterns))
        await self._write(f"workflow {workflow.name!r}", *statements)

    async def workflow(
        self, account: str, workflow_id: str, version: int | None = None
    ) -> WorkflowVersion:
        """
        Return one version, by default the current one.

        Raises:
            NotFound: this account has none of that id and version.
        """
        joined = _workflow_version.join(
            _workflow,
            sa.and_(
                _workflow.c.account == _workflow_version.c.account,
                _workflow.c.id == _workflow_version.c.workflow_id,
            ),
        )
        select = (
            sa.select(_workflow.c.name, _workflow.c.enabled, _workflow_version)
            .select_from(joined)
            .where(
                _workflow_version.c.account == account,
                _workflow_version.c.workflow_id == workflow_id,
                _workflow_version.c.version == (_workflow.c.version if version is None else version),
            )
        )
        for row in await self._all(select):
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
            _pattern_version.c.account == account,
            _pattern_version.c.id == pattern_id,
            _pattern_version.c.version == version,
        )
        for row in await self._all(sa.select(_pattern_version).where(*of_version)):
            return _pattern_of(row)
        raise NotFound(f"no pattern {pattern_id!r} of version {version}")

    async def announced(self, account: str, pattern_id: str, version: int, offset: int) -> None:
        """Write down from which offset a version is seen."""
        await self._write(
            "pattern",
            sa.update(_pattern_version)
            .where(
                _pattern_version.c.account == account,
                _pattern_version.c.id == pattern_id,
                _pattern_version.c.version == version,
            )
            .values(seen_from=offset),
        )

    async def unannounced(self) -> list[tuple[str, PatternVersion]]:
        """Return account and version of all that are saved and not known to be in the log."""
        select = (
            sa.select(_pattern_version)
            .where(_pattern_version.c.seen_from.is_(None))
            .order_by(_pattern_version.c.account, _pattern_version.c.id, _pattern_version.c.version)
        )
        return [(row.account, _pattern_of(row)) for row in await self._all(select)]

    async def seen_at(self, account: str, offset: int) -> list[PatternVersion]:
        """Return the version of each pattern that is seen after the record at `offset`."""
        select = (
            sa.select(_pattern_version)
            .where(_pattern_version.c.account == account, _pattern_version.c.seen_from <= offset)
            .order_by(_pattern_version.c.version)
        )
        newest = {row.id: _pattern_of(row) for row in await self._all(select)}
        return list(newest.values())

    async def _all(self, select: sa.Select[Any]) -> list[sa.Row[Any]]:
        async with self._engine.connect() as connection:
            return list((await connection.execute(select)).all())

    async def _write(self, what: str, *statements: sa.Insert | sa.Update) -> None:
        # Each begins with a write, so that SQLite waits for its lock: a
        # transaction that begins with a read is refused when it comes to write.
        try:
            async with self._engine.begin() as connection:
                for statement in statements:
                    await connection.execute(statement)
        except IntegrityError as exc:
            raise Conflict(f"expected a {what} that does not exist yet, got one that does") from exc


def _pattern_of(row: sa.Row[Any]) -> PatternVersion:
    document: Json = row.document
    return PatternVersion(row.id, row.version, row.workflow_id, document)


def _api_key_of(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(row.id, row.account, row.hash, frozenset(row.scopes), row.created_at)


def _set_up(connection: Any, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA busy_timeout = 10000")
    cursor.close()

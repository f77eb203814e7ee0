"""Older data folders open, newer ones are refused, and nothing of a migration is half done."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from oncue.core.errors import NewerFormat
from oncue.core.key_values import Namespace, Slot
from oncue.store.sql.database import SqlDatabase
from oncue.store.sql.migrations import NEWEST, UNMARKED, found_form, make_tables, migrate_tables
from oncue.store.sql.migrations.forms import VERSIONS
from oncue.store.sql.tables import metadata
from oncue.store.sqlite.copies import BEFORE_UPGRADE
from oncue.testing.clock import VirtualClock
from tests.installation import ACCOUNT, RecordingActions, installed
from tests.store.folders.dumps import HERE, SIGNUP, undump

OLD_FOLDERS = sorted(path.name for path in HERE.iterdir() if path.name[0].isdigit())
DAY_MS = 86_400_000
REMEDY = "add a migration: python -m scripts.make_migration TITLE"


@contextmanager
def catalog(path: Path) -> Iterator[sa.Connection]:
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def open_catalog(path: Path) -> None:
    async def main() -> None:
        database = SqlDatabase.on_sqlite(path)
        try:
            await database.migrate()
        finally:
            await database.close()

    asyncio.run(main())


def shape(path: Path) -> Any:
    """Return all that a file says of its tables, whatever the order of columns."""
    with closing(sqlite3.connect(path)) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        columns = {
            name: sorted(row[1:] for row in connection.execute(f"PRAGMA table_info('{name}')"))
            for name in names
        }
        indexes = {
            (row[1] if row[3] == "c" else row[3], name, *map(tuple, _indexed(connection, row[1])))
            for name in names
            for row in connection.execute(f"PRAGMA index_list('{name}')")
        }
        partial = connection.execute("SELECT sql FROM sqlite_master WHERE sql LIKE 'CREATE%INDEX%'")
        return columns, indexes, {re.sub(r"\s+", " ", sql) for (sql,) in partial}


def _indexed(connection: sqlite3.Connection, index: str) -> list[Any]:
    return connection.execute(f"PRAGMA index_info('{index}')").fetchall()


def made(path: Path, make: Callable[[sa.Connection], None]) -> Path:
    with catalog(path) as connection:
        make(connection)
    return path


def break_off(path: Path, change: Callable[[sa.Connection], None]) -> None:
    with catalog(path) as connection:
        change(connection)
        connection.rollback()


def test_migrations_lead_to_what_the_code_declares(tmp_path: Path) -> None:
    migrated = made(tmp_path / "migrated.db", migrate_tables)
    fresh = made(tmp_path / "fresh.db", make_tables)

    with catalog(migrated) as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert differences == [], REMEDY
    assert shape(migrated) == shape(fresh), REMEDY


def test_migrations_are_a_row_without_gaps() -> None:
    numbers = sorted(path.stem for path in VERSIONS.glob("*.py") if path.stem != "__init__")

    assert numbers == [f"catalog_{number:04}" for number in range(1, NEWEST + 1)]


@pytest.mark.parametrize("name", OLD_FOLDERS)
def test_a_folder_of_older_code_goes_on(tmp_path: Path, name: str) -> None:
    undump(name, tmp_path)
    actions, clock = RecordingActions(), VirtualClock()

    async def main() -> Any:
        async with installed(tmp_path, actions=actions, clock=clock) as world:
            await world.settle_after(DAY_MS)
            first = await world.statuses()
            await world.send(**{**SIGNUP, "id": "e-2"})
            await world.send(**SIGNUP)
            await world.engine.settled()
            matches = await world.parts.history.matches(ACCOUNT, await _id(world), 10, None)
            kept = await world.parts.keys.get(ACCOUNT, Slot(Namespace.STATE, "seen"))
            connection = await world.engine.connections.find(ACCOUNT, "shop-crm")
            opened = await world.parts.connected.values(ACCOUNT, connection)
            return first, world.log.head(ACCOUNT), len(matches), kept and kept.value, opened

    async def _id(world: Any) -> str:
        return (await world.parts.patterns.current(ACCOUNT, "two-signups")).id

    first, head, matches, kept, opened = asyncio.run(main())

    assert first == ["completed"]
    assert [text for text, _ in actions.calls] == ["bye", "hello"]
    assert (matches, kept, opened["api_key"]) == (1, {"n": 1}, "pat-na1-0123456789")
    assert head >= 4


def test_a_catalog_without_a_number_is_brought_forward_and_a_copy_kept(tmp_path: Path) -> None:
    undump(OLD_FOLDERS[0], tmp_path)
    path = tmp_path / "catalog.db"

    open_catalog(path)

    with catalog(path) as now, catalog(tmp_path / BEFORE_UPGRADE / "catalog-0.db") as before:
        assert (found_form(now), found_form(before)) == (NEWEST, UNMARKED)
        select = sa.text("SELECT id FROM workflow")
        assert now.execute(select).all() == before.execute(select).all() != []


def test_a_migration_that_is_broken_off_leaves_all_as_it_was(tmp_path: Path) -> None:
    undump(OLD_FOLDERS[0], tmp_path)
    path = tmp_path / "catalog.db"
    before = shape(path)

    break_off(path, migrate_tables)

    assert shape(path) == before
    open_catalog(path)
    with catalog(path) as connection:
        assert found_form(connection) == NEWEST


def test_a_catalog_that_is_being_made_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"

    break_off(path, make_tables)

    with catalog(path) as connection:
        assert found_form(connection) is None


def test_a_newer_catalog_is_refused_by_name(tmp_path: Path) -> None:
    path = made(tmp_path / "catalog.db", make_tables)
    with catalog(path) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NewerFormat, match=r"catalog\.db has format 9999, .* reads up to"):
        open_catalog(path)


@pytest.mark.parametrize("name", ["journal.db", "kv.db", "log/0000000000000001.db"])
def test_a_newer_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    undump(OLD_FOLDERS[-1], tmp_path)
    with closing(sqlite3.connect(tmp_path / name)) as connection:
        connection.execute("PRAGMA user_version = 9999")

    async def main() -> None:
        async with installed(tmp_path):
            pass

    with pytest.raises(NewerFormat, match=rf"{name} has format 9999, .* reads up to"):
        asyncio.run(main())

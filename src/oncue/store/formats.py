"""The formats of the files in a data folder, without opening them for work."""

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from oncue.core.errors import NewerFormat
from oncue.store.sql.migrations import NEWEST, found_form
from oncue.store.sqlite.file import FORMAT


def check_formats(folder: Path) -> None:
    """
    Let nobody open what only a newer OnCue can read.

    Raises:
        NewerFormat: a file is of a newer form.
    """
    ours = (folder / name for name in ("journal.db", "kv.db", "archive.db"))
    for path in (*ours, *sorted((folder / "log").glob("*.db"))):
        if path.exists() and (found := _number_of(path)) > FORMAT:
            raise NewerFormat(str(path), found, FORMAT)
    catalog = folder / "catalog.db"
    if catalog.exists() and (form := _form_of(catalog) or 0) > NEWEST:
        raise NewerFormat(str(catalog), form, NEWEST)


def _number_of(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return found


def _form_of(path: Path) -> int | None:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    try:
        with engine.connect() as connection:
            return found_form(connection)
    finally:
        engine.dispose()

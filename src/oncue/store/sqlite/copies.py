"""Copies of SQLite files, taken while others write to them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

BEFORE_UPGRADE: Final = "before-upgrade"
"""The folder of the copies that are kept of what is brought to a newer form."""


def keep_copy(path: Path, found: int) -> Path:
    """Return the copy that is kept of a file of the form `found`, beside it."""
    folder = path.parent / BEFORE_UPGRADE
    folder.mkdir(exist_ok=True, mode=0o700)
    kept = folder / f"{path.stem}-{found}{path.suffix}"
    unfinished = kept.with_suffix(".part")
    copy_database(path, unfinished)
    unfinished.replace(kept)
    return kept


def copy_database(path: Path, copy: Path) -> None:
    """
    Copy a file as it was at one instant; writers of it go on, and what is copied to is replaced.

    Raises:
        sqlite3.Error: there is no such file, or it is no database.
    """
    copy.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        # In one step: between steps somebody else's commit would make it begin anew.
        source.backup(target, pages=-1)

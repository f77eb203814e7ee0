"""
Which files the archive has: a table of its own, in which a file begins and ends.

    being written ──▶ kept ──▶ let go of ──▶ (no row)

A file counts once its row says `kept`, which is committed after the file is
durable; it is deleted after its row says that it was let go of. So whatever a
crash leaves behind has a row that names it, and is deleted at the next start.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from oncue.store.archive.files import ArchivedFile, Wanted
from oncue.store.sqlite.file import Commit, SqliteFile

_WRITING: Final = 0
_KEPT: Final = 1
_GONE: Final = 2

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS file (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    state INTEGER NOT NULL,
    first INTEGER NOT NULL DEFAULT 0,
    last INTEGER NOT NULL DEFAULT 0,
    oldest INTEGER NOT NULL DEFAULT 0,
    newest INTEGER NOT NULL DEFAULT 0,
    first_arrival INTEGER NOT NULL DEFAULT 0,
    last_arrival INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, name)
) WITHOUT ROWID;
-- How far the log was archived, whether or not the files are still there.
CREATE TABLE IF NOT EXISTS reached (
    account TEXT PRIMARY KEY,
    "offset" INTEGER NOT NULL
) WITHOUT ROWID;
"""
_FILES: Final = """
SELECT account, name, first, last, oldest, newest, first_arrival, last_arrival, events, size
FROM file WHERE state = ? ORDER BY account, first
"""
_LEFT: Final = "SELECT account, name FROM file WHERE state <> ?"
_REACHED: Final = 'SELECT account, "offset" FROM reached'
_BEGIN: Final = "INSERT INTO file (account, name, state) VALUES (?, ?, ?)"
_KEEP: Final = """
UPDATE file SET state = ?, first = ?, last = ?, oldest = ?, newest = ?, first_arrival = ?,
    last_arrival = ?, events = ?, size = ? WHERE account = ? AND name = ?
"""
_REACH: Final = """
INSERT INTO reached (account, "offset") VALUES (?, ?)
ON CONFLICT (account) DO UPDATE SET "offset" = excluded."offset"
"""
_LET_GO: Final = "UPDATE file SET state = ? WHERE account = ? AND name = ?"
_FORGET: Final = "DELETE FROM file WHERE account = ? AND name = ?"


class ArchiveIndex:
    """The rows of all files, in a file of SQLite."""

    def __init__(self, path: Path, commit: Commit) -> None:
        self._file = SqliteFile(path, _SCHEMA, commit=commit)

    def kept(self) -> list[ArchivedFile]:
        """Return all files that count, those of an account in order."""
        rows = self._file.read_now(lambda c: c.execute(_FILES, (_KEPT,)).fetchall())
        return [
            ArchivedFile(account, name, Wanted((a, b), (c, d), (e, f)), events, size)
            for account, name, a, b, c, d, e, f, events, size in rows
        ]

    def left_behind(self) -> list[tuple[str, str]]:
        """Return account and name of what a crash came between."""
        return self._file.read_now(lambda c: c.execute(_LEFT, (_KEPT,)).fetchall())

    def reached(self) -> dict[str, int]:
        """Return the last offset that was archived, by account."""
        return dict(self._file.read_now(lambda c: c.execute(_REACHED).fetchall()))

    async def begin(self, account: str, name: str) -> None:
        """Write down that a file of that name is going to be written."""
        await self._file.write(lambda c: c.execute(_BEGIN, (account, name, _WRITING)))

    async def keep(self, file: ArchivedFile) -> None:
        """Let a file count from now on."""
        bounds = [bound for pair in file.wanted for bound in pair]

        def keep(connection: sqlite3.Connection) -> None:
            values = (_KEPT, *bounds, file.events, file.size, file.account, file.name)
            connection.execute(_KEEP, values)
            connection.execute(_REACH, (file.account, file.last))

        await self._file.write(keep)

    async def let_go(self, files: Iterable[ArchivedFile]) -> None:
        """Let files count no more."""
        rows = [(_GONE, file.account, file.name) for file in files]
        await self._file.write(lambda c: c.executemany(_LET_GO, rows))

    def take_back(self, account: str, names: Iterable[str], reached: int) -> None:
        """Let files count no more, and their records be archived anew; for the time before the loop runs."""

        def take_back(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_LET_GO, [(_GONE, account, name) for name in names])
            connection.execute(_REACH, (account, reached))
            connection.execute("COMMIT")

        self._file.read_now(take_back)

    async def forget(self, account: str, name: str) -> None:
        """Let go of the row of a file that is no more."""
        await self._file.write(lambda c: c.execute(_FORGET, (account, name)))

    async def close(self) -> None:
        """Let go of the file."""
        await self._file.close()

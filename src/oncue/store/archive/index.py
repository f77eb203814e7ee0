"""
Which files the archive has: a table of its own, in which a file begins and ends.

    being written ──▶ kept ──▶ let go of ──▶ (no row)

A file counts once its row says `kept`, which is committed after the file is
durable; it is deleted after its row says that it was let go of. So whatever a
crash leaves behind has a row that names it, and is deleted at the next start.

A file that takes the place of others counts from the commit on in which these are
let go of. They are deleted some days later: a backup that is being written, or one
of an archive that it does not hold, may still name them.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from oncue.store.archive.files import ArchivedFile, Wanted
from oncue.store.archive.ids import may_have
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
-- What is not needed to find a file by its bounds; files of old have no row.
CREATE TABLE IF NOT EXISTS content (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    bodies INTEGER NOT NULL,
    ids BLOB NOT NULL,
    PRIMARY KEY (account, name)
);
-- What another file took the place of, and when it may be deleted.
CREATE TABLE IF NOT EXISTS replaced (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) WITHOUT ROWID;
-- How far the log was archived, whether or not the files are still there.
CREATE TABLE IF NOT EXISTS reached (
    account TEXT PRIMARY KEY,
    "offset" INTEGER NOT NULL
) WITHOUT ROWID;
"""
# Of files of old it is not known how much they unpack to; most are a sixteenth.
_FILES: Final = """
SELECT account, name, first, last, oldest, newest, first_arrival, last_arrival, events, size,
    coalesce(bodies, size * 16)
FROM file LEFT JOIN content USING (account, name) WHERE state = ? ORDER BY account, first
"""
_LEFT: Final = """
SELECT account, name, coalesce(until, 0), last_arrival
FROM file LEFT JOIN replaced USING (account, name) WHERE state <> ?
"""
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
_REPLACED: Final = "INSERT INTO replaced (account, name, until) VALUES (?, ?, ?)"
_CONTENT: Final = "INSERT INTO content (account, name, bodies, ids) VALUES (?, ?, ?, ?)"
_IDS: Final = "SELECT ids FROM content WHERE account = ? AND name = ?"
_FORGET: Final = (
    "DELETE FROM file WHERE account = ? AND name = ?",
    "DELETE FROM content WHERE account = ? AND name = ?",
    "DELETE FROM replaced WHERE account = ? AND name = ?",
)


class Left(NamedTuple):
    """A file that does not count: it may be deleted from an instant on, or once what is in it is old."""

    account: str
    name: str
    until_ms: int = 0
    arrived_ms: int = 0


class ArchiveIndex:
    """The rows of all files, in a file of SQLite."""

    def __init__(self, path: Path, commit: Commit) -> None:
        self._file = SqliteFile(path, _SCHEMA, commit=commit)

    def kept(self) -> list[ArchivedFile]:
        """Return all files that count, those of an account in order."""
        rows = self._file.read_now(lambda c: c.execute(_FILES, (_KEPT,)).fetchall())
        return [
            ArchivedFile(account, name, Wanted((a, b), (c, d), (e, f)), *sizes)
            for account, name, a, b, c, d, e, f, *sizes in rows
        ]

    def left_behind(self) -> list[Left]:
        """Return the files that do not count, whether a crash came between or they were let go of."""
        rows = self._file.read_now(lambda c: c.execute(_LEFT, (_KEPT,)).fetchall())
        return [Left(*row) for row in rows]

    def reached(self) -> dict[str, int]:
        """Return the last offset that was archived, by account."""
        return dict(self._file.read_now(lambda c: c.execute(_REACHED).fetchall()))

    async def begin(self, account: str, name: str) -> None:
        """Write down that a file of that name is going to be written."""
        await self._file.write(lambda c: c.execute(_BEGIN, (account, name, _WRITING)))

    async def keep(self, file: ArchivedFile, ids: bytes) -> None:
        """Let a file count from now on, up to which the log is archived."""

        def keep(connection: sqlite3.Connection) -> None:
            _keep(connection, file, ids)
            connection.execute(_REACH, (file.account, file.last))

        await self._file.write(keep)

    async def replace(
        self, files: Sequence[ArchivedFile], file: ArchivedFile, ids: bytes, until_ms: int
    ) -> None:
        """Let a file count in the place of others, which stay until an instant."""
        names = [(one.account, one.name) for one in files]

        def replace(connection: sqlite3.Connection) -> None:
            _keep(connection, file, ids)
            connection.executemany(_LET_GO, [(_GONE, *name) for name in names])
            connection.executemany(_REPLACED, [(*name, until_ms) for name in names])

        await self._file.write(replace)

    async def that_may_have(
        self, files: Sequence[ArchivedFile], event_id: str
    ) -> list[ArchivedFile]:
        """Return the files that may have an event of an id."""

        def look(connection: sqlite3.Connection) -> list[ArchivedFile]:
            return [
                file
                for file in files
                if may_have(
                    connection.execute(_IDS, (file.account, file.name)).fetchone(), event_id
                )
            ]

        return await self._file.read(look)

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
        """Let go of the rows of a file that is no more."""

        def forget(connection: sqlite3.Connection) -> None:
            for delete in _FORGET:
                connection.execute(delete, (account, name))

        await self._file.write(forget)

    async def close(self) -> None:
        """Let go of the file."""
        await self._file.close()


def _keep(connection: sqlite3.Connection, file: ArchivedFile, ids: bytes) -> None:
    bounds = [bound for pair in file.wanted for bound in pair]
    values = (_KEPT, *bounds, file.events, file.size, file.account, file.name)
    connection.execute(_KEEP, values)
    connection.execute(_CONTENT, (file.account, file.name, file.bodies, ids))

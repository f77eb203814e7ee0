"""Patterns that were paused because they failed again and again, in the journal's file."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from oncue.ports import Pause
from oncue.store.sqlite.file import SqliteFile

SCHEMA: Final = """
-- The last of each pattern; it holds as long as the version after `version` is the current one.
CREATE TABLE IF NOT EXISTS pattern_pause (
    account TEXT NOT NULL,
    pattern_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (account, pattern_id)
) WITHOUT ROWID;
"""
_ADD: Final = """
INSERT INTO pattern_pause (account, pattern_id, version, at, reason) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account, pattern_id) DO UPDATE
SET version = excluded.version, at = excluded.at, reason = excluded.reason
WHERE excluded.version > pattern_pause.version
"""
_ALL: Final = "SELECT account, pattern_id, version, at, reason FROM pattern_pause"
_OF: Final = "SELECT pattern_id, version, at, reason FROM pattern_pause WHERE account = ?"


def add(connection: sqlite3.Connection, account: str, pauses: Sequence[Pause]) -> None:
    """Keep pauses, in the transaction of the failures that they follow."""
    rows = [(account, one.pattern_id, one.version, one.at_ms, one.reason) for one in pauses]
    connection.executemany(_ADD, rows)


class SqlitePauses:
    """The pauses of all accounts in the file of a journal."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def all(self) -> list[tuple[str, Pause]]:
        """Return account and pause of all patterns that were paused last."""
        rows = await self._file.read(lambda c: c.execute(_ALL).fetchall())
        return [(account, Pause(*row)) for account, *row in rows]

    async def of(self, account: str) -> dict[str, Pause]:
        """Return the last pause of each pattern of an account that had one, by its id."""
        rows = await self._file.read(lambda c: c.execute(_OF, (account,)).fetchall())
        return {row[0]: Pause(*row) for row in rows}

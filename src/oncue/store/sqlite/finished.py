"""What is over and old, deleted from the journal's file some at a time."""

import sqlite3
from typing import Final

from oncue.store.sqlite.file import SqliteFile, give_back

_AT_ONCE: Final = 200
"""Executions in one transaction: whoever writes meanwhile waits for no more."""
# What a dead letter may still need is kept with it. Whatever has ended began before that, so that
# the index on the begin finds it.
_OLD: Final = """
SELECT id FROM execution WHERE account = ? AND created_at < ? AND finished_at < ?
AND NOT EXISTS (
    SELECT 1 FROM dead_letter AS kept
    WHERE kept.account = execution.account AND kept.execution_id = execution.id
    AND kept.state = 'open'
) ORDER BY created_at, id LIMIT ?
"""
_OLD_LETTERS: Final = """
SELECT id FROM dead_letter WHERE account = ? AND created_at < ? AND closed_at < ?
ORDER BY created_at, id LIMIT ?
"""
_OF_EXECUTION: Final = (
    "DELETE FROM turn WHERE account = ? AND execution_id = ?",
    "DELETE FROM replay WHERE account = ? AND execution_id = ?",
    "DELETE FROM execution WHERE account = ? AND id = ?",
)
_OF_LETTER: Final = (
    "DELETE FROM dead_event WHERE account = ? AND letter_id = ?",
    "DELETE FROM dead_letter WHERE account = ? AND id = ?",
)
_DROP_REDRIVES: Final = "DELETE FROM redrive WHERE account = ? AND finished_at < ?"


class SqliteFinished:
    """The executions and dead letters of all accounts that are over."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def drop(self, account: str, before_ms: int) -> int:
        """
        Delete some of what was over before an instant, and return how much; 0 when nothing is left.

        Executions whose dead letters are open stay.
        """

        def write(connection: sqlite3.Connection) -> int:
            bounds = (account, before_ms, before_ms, _AT_ONCE)
            count = 0
            for select, deletes in ((_OLD, _OF_EXECUTION), (_OLD_LETTERS, _OF_LETTER)):
                ids = [(account, row[0]) for row in connection.execute(select, bounds).fetchall()]
                for delete in deletes:
                    connection.executemany(delete, ids)
                count += len(ids)
            count += connection.execute(_DROP_REDRIVES, (account, before_ms)).rowcount
            if count:
                give_back(connection)
            return count

        return await self._file.write(write)

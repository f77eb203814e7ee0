"""
The redriving of many dead letters, in the journal's file.

Which letters it is about is written down when it begins: what fails again
meanwhile is none of them. Each waits in a row of its own, which goes in the
transaction that redrives the letter, whoever asked for that.
"""

import sqlite3
from typing import Final

import msgspec

from oncue.core.dead_letters import RedriveState
from oncue.core.errors import NotFound
from oncue.ports import LetterFilter, Redrive
from oncue.store.sqlite.file import SqliteFile
from oncue.store.sqlite.letter_filter import meant

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS redrive (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    filter BLOB NOT NULL,
    rate TEXT NOT NULL,
    interval REAL NOT NULL,
    version TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    total INTEGER NOT NULL,
    redriven INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    last_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS redrive_running ON redrive (state) WHERE state = 'running';
CREATE TABLE IF NOT EXISTS redrive_letter (
    account TEXT NOT NULL,
    letter_id TEXT NOT NULL,
    redrive_id TEXT NOT NULL,
    PRIMARY KEY (account, letter_id)
) WITHOUT ROWID;
-- Ids of letters sort by the time of their making.
CREATE INDEX IF NOT EXISTS redrive_coming ON redrive_letter (account, redrive_id, letter_id);
"""
_COLUMNS: Final = """
id, filter, rate, interval, version, created_at, state, total, redriven, refused,
last_error, last_at, finished_at,
(SELECT count(*) FROM redrive_letter AS coming
 WHERE coming.account = redrive.account AND coming.redrive_id = redrive.id)
"""
_ADD: Final = """
INSERT INTO redrive (account, id, filter, rate, interval, version, created_at, state, total)
VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?)
"""
_LIST: Final = f"""
SELECT {_COLUMNS} FROM redrive WHERE account = ? AND (created_at, id) < (?, ?)
ORDER BY created_at DESC, id DESC LIMIT ?
"""  # noqa: S608 the columns are a constant
_ONE: Final = f"SELECT {_COLUMNS} FROM redrive WHERE account = ? AND id = ?"  # noqa: S608 constants
_RUNNING: Final = f"SELECT account, {_COLUMNS} FROM redrive WHERE state = 'running'"  # noqa: S608 constants
_COMING: Final = """
SELECT letter_id FROM redrive_letter WHERE account = ? AND redrive_id = ?
ORDER BY letter_id LIMIT ?
"""
_COUNT: Final = """
UPDATE redrive SET redriven = redriven + 1, last_at = ? WHERE account = ?
AND id = (SELECT redrive_id FROM redrive_letter WHERE account = redrive.account AND letter_id = ?)
"""
_REFUSE: Final = """
UPDATE redrive SET refused = refused + 1, last_error = ?, last_at = ? WHERE account = ?
AND id = (SELECT redrive_id FROM redrive_letter WHERE account = redrive.account AND letter_id = ?)
"""
_DROP: Final = "DELETE FROM redrive_letter WHERE account = ? AND letter_id = ?"
_END: Final = """
UPDATE redrive SET state = ?, finished_at = ? WHERE account = ? AND id = ? AND state = 'running'
"""
_DROP_ALL: Final = "DELETE FROM redrive_letter WHERE account = ? AND redrive_id = ?"
# Above every (instant, id): the first page begins below it.
_FIRST_PAGE: Final = (2**62, "")


def count(connection: sqlite3.Connection, account: str, letter_id: str, at_ms: int) -> None:
    """Write down, in the transaction that redrives a letter, that it need not come any more."""
    connection.execute(_COUNT, (at_ms, account, letter_id))
    connection.execute(_DROP, (account, letter_id))


class SqliteRedrives:
    """The redrives of all accounts in the file of a journal."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def begin(self, account: str, redrive: Redrive, wanted: LetterFilter) -> Redrive:
        """Return it with the letters chosen that are open and in no other."""
        clauses, values = meant(wanted)
        choose = (
            "INSERT INTO redrive_letter (account, letter_id, redrive_id)"  # noqa: S608 constants
            " SELECT account, id, ? FROM dead_letter WHERE account = ? AND state = 'open'"
            f"{clauses} ON CONFLICT DO NOTHING"
        )
        row = (
            account, redrive.id, msgspec.json.encode(redrive.filter), redrive.rate,
            redrive.interval_ms, redrive.version, redrive.created_at_ms,
        )  # fmt: skip

        def write(connection: sqlite3.Connection) -> None:
            chosen = connection.execute(choose, (redrive.id, account, *values)).rowcount
            connection.execute(_ADD, (*row, chosen))

        await self._file.write(write)
        return await self.redrive(account, redrive.id)

    async def all(
        self, account: str, limit: int, before: tuple[int, str] | None = None
    ) -> list[Redrive]:
        """Return them, newest first, from below (created_at_ms, id) `before`."""
        place = (account, *(before or _FIRST_PAGE), limit)
        rows = await self._file.read(lambda c: c.execute(_LIST, place).fetchall())
        return [_redrive_of(row) for row in rows]

    async def redrive(self, account: str, redrive_id: str) -> Redrive:
        """
        Return one.

        Raises:
            NotFound: this account has none of that id.
        """
        row = await self._file.read(lambda c: c.execute(_ONE, (account, redrive_id)).fetchone())
        if row is None:
            raise NotFound(f"no redrive {redrive_id!r}")
        return _redrive_of(row)

    async def running(self) -> list[tuple[str, Redrive]]:
        """Return account and redrive of all that are running."""
        rows = await self._file.read(lambda c: c.execute(_RUNNING).fetchall())
        return [(account, _redrive_of(row)) for account, *row in rows]

    async def coming(self, account: str, redrive_id: str, limit: int) -> list[str]:
        """Return the ids of the letters that come next, oldest first."""
        place = (account, redrive_id, limit)
        rows = await self._file.read(lambda c: c.execute(_COMING, place).fetchall())
        return [row[0] for row in rows]

    async def refuse(self, account: str, letter_id: str, error: str, at_ms: int) -> None:
        """Write down that a letter cannot be tried again; it is passed over."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(_REFUSE, (error, at_ms, account, letter_id))
            connection.execute(_DROP, (account, letter_id))

        await self._file.write(write)

    async def end(self, account: str, redrive_id: str, state: RedriveState, at_ms: int) -> bool:
        """Return whether it was running, and is ended now."""

        def write(connection: sqlite3.Connection) -> bool:
            connection.execute(_DROP_ALL, (account, redrive_id))
            place = (state.value, at_ms, account, redrive_id)
            return connection.execute(_END, place).rowcount == 1

        return await self._file.write(write)


def _redrive_of(row: list[str]) -> Redrive:
    id_, filter_, rate, interval, version, created_at, state, *rest = row
    shown = msgspec.json.decode(filter_)
    return Redrive(id_, shown, rate, interval, version, created_at, RedriveState(state), *rest)  # type: ignore[arg-type]  # as the columns are

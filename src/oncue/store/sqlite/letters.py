"""
Dead letters, in the journal's file.

The journal adds each in the commit that made it: the last record of an
execution, or the step of a matcher. Here they are read and closed.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from oncue.core.dead_letters import LetterState, Queue, fingerprint
from oncue.core.errors import Conflict, NotFound
from oncue.core.event import Event
from oncue.core.ids import derived_id
from oncue.core.workflow.state import Start
from oncue.ports import DeadEvent, DeadLetter, FailureRow, LetterFilter, LetterGroup, Turn
from oncue.store.sqlite.file import SqliteFile
from oncue.store.sqlite.letter_filter import meant
from oncue.store.sqlite.redrives import count

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS dead_letter (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    queue TEXT NOT NULL,
    state TEXT NOT NULL,
    error TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    origin TEXT NOT NULL,
    origin_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    execution_id TEXT,
    closed_at INTEGER,
    redriven_as TEXT,
    PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS letter_newest ON dead_letter (account, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS letter_of_pattern
    ON dead_letter (account, origin_id, created_at DESC, id DESC) WHERE queue = 'events';
CREATE TABLE IF NOT EXISTS dead_event (
    account TEXT NOT NULL,
    letter_id TEXT NOT NULL,
    "offset" INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (account, letter_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS letter_of_execution ON dead_letter (account, execution_id)
    WHERE state = 'open';
CREATE INDEX IF NOT EXISTS letter_open ON dead_letter (account, queue) WHERE state = 'open';
"""
_COLUMNS: Final = """
id, queue, state, error, fingerprint, created_at, origin, origin_id, version,
execution_id, closed_at, redriven_as,
(SELECT json_array("offset", event_id, type) FROM dead_event AS shown
 WHERE shown.account = dead_letter.account AND shown.letter_id = dead_letter.id)
"""
_ADD_EXECUTION: Final = """
INSERT INTO dead_letter
    (account, id, queue, state, error, fingerprint, created_at, origin, origin_id, version, execution_id)
SELECT account, ?, 'workflows', 'open', ?, ?, ?, workflow, workflow_id, version, id
FROM execution WHERE account = ? AND id = ?
"""
_ADD_FAILURE: Final = """
INSERT INTO dead_letter
    (account, id, queue, state, error, fingerprint, created_at, origin, origin_id, version)
VALUES (?, ?, 'events', 'open', ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_ADD_EVENT: Final = """
INSERT INTO dead_event (account, letter_id, "offset", event_id, type, event)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_EVENT: Final = "SELECT event FROM dead_event WHERE account = ? AND letter_id = ?"
_SHOWN: Final = """
UPDATE dead_letter SET state = 'redriven', closed_at = ? WHERE account = ? AND id = ?
"""
_ONE: Final = f"SELECT {_COLUMNS} FROM dead_letter WHERE account = ? AND id = ?"  # noqa: S608 constants
_COUNTS: Final = """
SELECT queue, count(*) FROM dead_letter WHERE account = ? AND state = 'open' GROUP BY queue
"""
_DISCARD: Final = """
UPDATE dead_letter SET state = 'discarded', closed_at = ?
WHERE account = ? AND id = ? AND state = 'open'
"""
_REDRIVE: Final = """
UPDATE dead_letter SET state = 'redriven', closed_at = ?, redriven_as = ?
WHERE account = ? AND id = ?
"""
_STATE: Final = "SELECT state FROM dead_letter WHERE account = ? AND id = ?"
_MOST_ORIGINS: Final = 10
_decode_event = msgspec.json.Decoder(Event).decode
# Above every (instant, text): the first page begins below it.
_END: Final = (2**62, "")


def add_execution(connection: sqlite3.Connection, account: str, turn: Turn) -> None:
    """Keep an execution that failed, in the transaction that ends it."""
    error = turn.error or ""
    letter_id = derived_id("dl", turn.at_ms, [turn.execution_id])
    values = (letter_id, error, fingerprint(error), turn.at_ms, account, turn.execution_id)
    connection.execute(_ADD_EXECUTION, values)


def add_failures(
    connection: sqlite3.Connection, account: str, failures: Sequence[FailureRow]
) -> None:
    """Keep what patterns raised exceptions on, in the transaction of what they found."""
    for one in failures:
        letter_id = derived_id("dl", one.at_ms, [one.pattern_id, one.offset])
        told = (one.reason, fingerprint(one.reason), one.at_ms)
        origin = (one.pattern, one.pattern_id, one.version)
        connection.execute(_ADD_FAILURE, (account, letter_id, *told, *origin))
        if event := one.event:
            shown = (event.offset, event.id, event.type, msgspec.json.encode(event))
            connection.execute(_ADD_EVENT, (account, letter_id, *shown))


def redrive(connection: sqlite3.Connection, account: str, letter_id: str, start: Start) -> None:
    """
    Close a dead letter, in the transaction that begins the execution that goes on with it.

    Raises:
        NotFound: this account has none of that id.
        Conflict: it is not open.
    """
    check_open(connection, account, letter_id)
    values = (start.created_at_ms, start.execution_id, account, letter_id)
    connection.execute(_REDRIVE, values)
    count(connection, account, letter_id, start.created_at_ms)


class SqliteLetters:
    """The dead letters of all accounts in the file of a journal."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def all(
        self,
        account: str,
        wanted: LetterFilter,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[DeadLetter]:
        """Return dead letters, newest first, from below (created_at_ms, id) `before`."""
        clauses, values = meant(wanted)
        select = (
            f"SELECT {_COLUMNS} FROM dead_letter WHERE account = ? AND (created_at, id) < (?, ?)"  # noqa: S608 constants
            f"{clauses} ORDER BY created_at DESC, id DESC LIMIT ?"
        )
        place = (account, *(before or _END), *values, limit)
        rows = await self._file.read(lambda c: c.execute(select, place).fetchall())
        return [_letter_of(row) for row in rows]

    async def groups(
        self,
        account: str,
        wanted: LetterFilter,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[LetterGroup]:
        """Return them by cause, newest first, from below (last_at_ms, fingerprint) `before`."""
        clauses, values = meant(wanted)
        # With max(), SQLite takes the other columns from the row that has it.
        select = (
            "SELECT fingerprint, error, count(*), json_group_array(DISTINCT origin),"  # noqa: S608 constants
            f" min(created_at), max(created_at) FROM dead_letter WHERE account = ?{clauses}"
            " GROUP BY fingerprint HAVING (max(created_at), fingerprint) < (?, ?)"
            " ORDER BY max(created_at) DESC, fingerprint DESC LIMIT ?"
        )
        place = (account, *values, *(before or _END), limit)
        rows = await self._file.read(lambda c: c.execute(select, place).fetchall())
        return [_group_of(row) for row in rows]

    async def letter(self, account: str, letter_id: str) -> DeadLetter:
        """
        Return a dead letter.

        Raises:
            NotFound: this account has none of that id.
        """
        row = await self._file.read(lambda c: c.execute(_ONE, (account, letter_id)).fetchone())
        if row is None:
            raise _missing(letter_id)
        return _letter_of(row)

    async def event(self, account: str, letter_id: str) -> Event | None:
        """Return the event that a pattern raised an exception on, if it was one."""
        place = (account, letter_id)
        row = await self._file.read(lambda c: c.execute(_EVENT, place).fetchone())
        return _decode_event(row[0]) if row else None

    async def shown_again(self, account: str, letter_id: str, at_ms: int) -> None:
        """
        Write down that the pattern sees the event again.

        Raises:
            NotFound: this account has none of that id.
            Conflict: it is not open.
        """

        def write(connection: sqlite3.Connection) -> None:
            check_open(connection, account, letter_id)
            connection.execute(_SHOWN, (at_ms, account, letter_id))
            count(connection, account, letter_id, at_ms)

        await self._file.write(write)

    async def counts(self, account: str) -> Mapping[str, int]:
        """Return how many are open in each queue that has some."""
        return await self._file.read(lambda c: dict(c.execute(_COUNTS, (account,)).fetchall()))

    async def discard(self, account: str, letter_id: str, at_ms: int) -> None:
        """
        Let go of a dead letter.

        Raises:
            NotFound: this account has none of that id.
            Conflict: it is not open.
        """

        def write(connection: sqlite3.Connection) -> None:
            check_open(connection, account, letter_id)
            connection.execute(_DISCARD, (at_ms, account, letter_id))

        await self._file.write(write)

    async def discard_all(self, account: str, wanted: LetterFilter, at_ms: int) -> int:
        """Let go of those that are open, and return how many that were."""
        clauses, values = meant(wanted)
        update = (
            "UPDATE dead_letter SET state = 'discarded', closed_at = ?"  # noqa: S608 constants
            f" WHERE account = ? AND state = 'open'{clauses}"
        )
        place = (at_ms, account, *values)
        return await self._file.write(lambda c: c.execute(update, place).rowcount)


def check_open(connection: sqlite3.Connection, account: str, letter_id: str) -> None:
    """
    Return if a dead letter is open.

    Raises:
        NotFound: this account has none of that id.
        Conflict: it is not.
    """
    row = connection.execute(_STATE, (account, letter_id)).fetchone()
    if row is None:
        raise _missing(letter_id)
    if row[0] != LetterState.OPEN:
        raise Conflict(f"expected an open dead letter, got {letter_id!r}, which is {row[0]}")


def _missing(letter_id: str) -> NotFound:
    return NotFound(f"no dead letter {letter_id!r}")


def _group_of(row: tuple[str, str, int, str, int, int]) -> LetterGroup:
    found, error, count, origins, first_at, last_at = row
    named: list[str] = msgspec.json.decode(origins)
    return LetterGroup(found, error, count, sorted(named)[:_MOST_ORIGINS], first_at, last_at)


def _letter_of(row: tuple[str, ...]) -> DeadLetter:
    id_, queue, state, *rest, shown = row
    event = DeadEvent(*msgspec.json.decode(shown)) if shown else None
    return DeadLetter(id_, Queue(queue), LetterState(state), *rest, event)  # type: ignore[arg-type,call-arg]  # as the columns are

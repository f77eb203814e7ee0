"""
The journal: what was decided. One decision and all that follows from it is one commit.

A history is stored a turn a row; `position` counts the records before it and
is the optimistic lock: two turns can never follow the same history.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from oncue.core.errors import Conflict, NotFound
from oncue.core.event import IncomingEvent
from oncue.core.workflow.machine import evolve
from oncue.core.workflow.records import decode_records, encode_records
from oncue.core.workflow.state import ExecutionState, Start, begin
from oncue.ports import (
    Followed,
    MatchedRun,
    MatchRow,
    NewExecution,
    OnceKey,
    Replay,
    StoredExecution,
    Timer,
    Turn,
)
from oncue.store.sqlite import letters, outbox, pauses, redrives
from oncue.store.sqlite.file import Commit, SqliteFile

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS cursor (
    account TEXT PRIMARY KEY,
    "offset" INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pattern_match (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    pattern_id TEXT NOT NULL,
    time INTEGER NOT NULL,
    detected_at INTEGER NOT NULL,
    outcome BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE INDEX IF NOT EXISTS match_newest
    ON pattern_match (account, pattern_id, detected_at DESC, id DESC);
-- Failures are dead letters now.
DROP TABLE IF EXISTS pattern_failure;
-- Keys are part of checkpoints now.
DROP TABLE IF EXISTS key_state;
CREATE TABLE IF NOT EXISTS execution (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    workflow TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    error TEXT,
    start BLOB NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE INDEX IF NOT EXISTS execution_newest ON execution (account, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS execution_open ON execution (status) WHERE finished_at IS NULL;
CREATE INDEX IF NOT EXISTS execution_of_workflow ON execution (account, workflow_id)
    WHERE finished_at IS NULL;
CREATE TABLE IF NOT EXISTS turn (
    account TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    at INTEGER NOT NULL,
    records BLOB NOT NULL,
    PRIMARY KEY (account, execution_id, position)
) WITHOUT ROWID;
-- Of each root: whatever runs anew is of another generation.
CREATE TABLE IF NOT EXISTS replay (
    account TEXT NOT NULL,
    root_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    execution_id TEXT NOT NULL,
    PRIMARY KEY (account, root_id, generation)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS timer (
    account TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    path TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (account, execution_id, path)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS timer_due ON timer (due_at);
CREATE TABLE IF NOT EXISTS once (
    account TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account, scope, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS once_oldest ON once (account, created_at);
"""

_ADVANCE = """
INSERT INTO cursor (account, "offset") VALUES (?, ?)
ON CONFLICT (account) DO UPDATE SET "offset" = excluded."offset"
"""
_ADD_MATCH = """
INSERT INTO pattern_match (account, id, pattern_id, time, detected_at, outcome, body)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_ADD_EXECUTION = """
INSERT INTO execution (account, id, workflow_id, workflow, version, status, created_at, start)
VALUES (?, ?, ?, ?, ?, 'pending', ?, ?) ON CONFLICT DO NOTHING
"""
_ADD_TURN = """
INSERT INTO turn (account, execution_id, position, at, records) VALUES (?, ?, ?, ?, ?)
"""
_STATUS = """
UPDATE execution SET status = ?, started_at = coalesce(started_at, ?), finished_at = ?, error = ?
WHERE account = ? AND id = ?
"""
_SET_TIMER = """
INSERT INTO timer (account, execution_id, path, due_at) VALUES (?, ?, ?, ?)
ON CONFLICT (account, execution_id, path) DO UPDATE SET due_at = excluded.due_at
"""
_CLEAR_TIMER = "DELETE FROM timer WHERE account = ? AND execution_id = ? AND path = ?"
_EXECUTION = "SELECT account, start FROM execution WHERE account = ? AND id = ?"
_TURNS = """
SELECT at, records FROM turn WHERE account = ? AND execution_id = ? ORDER BY position
"""
_UNFINISHED = """
SELECT account, start FROM execution
WHERE finished_at IS NULL AND status IN ('pending', 'running') ORDER BY created_at, id
"""
_TIMERS = """
SELECT account, execution_id, path, due_at FROM timer WHERE due_at < ? ORDER BY due_at
"""
_NEXT_GENERATION = """
SELECT coalesce(max(generation), 0) + 1 FROM replay WHERE account = ? AND root_id = ?
"""
_ADD_REPLAY = """
INSERT INTO replay (account, root_id, generation, execution_id) VALUES (?, ?, ?, ?)
"""
_FIND_ONCE = "SELECT digest, execution_id FROM once WHERE account = ? AND scope = ? AND key = ?"
_FORGET_ONCE = "DELETE FROM once WHERE account = ? AND created_at < ?"
_ADD_ONCE = """
INSERT INTO once (account, scope, key, digest, execution_id, created_at) VALUES (?, ?, ?, ?, ?, ?)
"""
ONCE_KEPT_MS: Final = 86_400_000
"""How long an `Idempotency-Key` is remembered."""

_encode = msgspec.json.Encoder().encode
_decode_start = msgspec.json.Decoder(NewExecution).decode


class SqliteJournal:
    """The journal of all accounts in one file."""

    def __init__(self, path: Path, commit: Commit = sqlite3.Connection.commit) -> None:
        schema = _SCHEMA + letters.SCHEMA + redrives.SCHEMA + pauses.SCHEMA + outbox.SCHEMA
        self.file = SqliteFile(path, schema, commit=commit, shrinks=True)
        """Whoever looks at the journal reads it here."""

    async def close(self) -> None:
        """Let go of the file."""
        await self.file.close()

    async def cursors(self) -> dict[str, int]:
        """Return the offset up to which the log of each account was matched."""
        select = 'SELECT account, "offset" FROM cursor'
        return await self.file.read(lambda c: dict(c.execute(select).fetchall()))

    async def commit_matches(self, account: str, run: MatchedRun) -> Followed:
        """
        Write down in one commit how far the log was matched, and what followed.

        Returns what is new; what an earlier commit wrote down already is not.
        """
        silent = [_match_row(account, match) for match in run.matches if not match.told]
        telling = [(_match_row(account, match), match.told) for match in run.matches if match.told]
        executions = [(_execution_row(account, new), new) for new in run.started]

        def write(connection: sqlite3.Connection) -> Followed:
            connection.execute(_ADVANCE, (account, run.offset))
            connection.executemany(_ADD_MATCH, silent)
            told = [event for row, event in telling if connection.execute(_ADD_MATCH, row).rowcount]
            outbox.put(connection, account, told)
            letters.add_failures(connection, account, run.failures)
            pauses.add(connection, account, run.pauses)
            started = [
                new for row, new in executions if connection.execute(_ADD_EXECUTION, row).rowcount
            ]
            return Followed(started, told)

        return await self.file.write(write)

    async def commit_turn(self, account: str, turn: Turn) -> None:
        """
        Write down a turn.

        Raises:
            Conflict: the history is not as long as `turn.position`.
        """
        records = encode_records(list(turn.records))
        await self.file.write(lambda connection: _write_turn(connection, account, turn, records))

    async def outbox(self) -> list[tuple[str, IncomingEvent]]:
        """Return account and event of all that is to be told, oldest first in each account."""
        return await self.file.read(outbox.waiting)

    async def clear_outbox(self, account: str, ids: Sequence[str]) -> None:
        """Let go of events that are in the log."""
        await self.file.write(lambda connection: outbox.clear(connection, account, ids))

    async def load(self, account: str, execution_id: str) -> StoredExecution:
        """
        Return an execution.

        Raises:
            NotFound: this account has none of that id.
        """
        return await self.file.read(lambda c: _load(c, account, execution_id))

    async def unfinished(self) -> list[tuple[str, StoredExecution]]:
        """Return account and execution of all that are pending or running."""

        def load_all(connection: sqlite3.Connection) -> list[tuple[str, StoredExecution]]:
            rows = connection.execute(_UNFINISHED).fetchall()
            return [(account, _fold(connection, account, start)) for account, start in rows]

        return await self.file.read(load_all)

    async def timers_before(self, instant_ms: int) -> list[Timer]:
        """Return the timers due before an instant, earliest first."""
        rows = await self.file.read(lambda c: c.execute(_TIMERS, (instant_ms,)).fetchall())
        return [Timer(*row) for row in rows]

    async def start_once(
        self, account: str, new: NewExecution, once: OnceKey | None
    ) -> NewExecution:
        """
        Return the execution to begin: `new`, or the one that an earlier request with the key began.

        Raises:
            Conflict: the key came with another request.
        """
        return await self.file.write(lambda c: _start_once(c, account, new, once))

    async def start_replay(self, account: str, replay: Replay) -> NewExecution:
        """
        Return the execution to begin, with its generation; its dead letter is closed.

        Raises:
            NotFound: this account has no such dead letter.
            Conflict: the dead letter is not open.
        """
        records = encode_records(list(replay.records))
        return await self.file.write(lambda c: _start_replay(c, account, replay, records))


def _start_once(
    connection: sqlite3.Connection, account: str, new: NewExecution, once: OnceKey | None
) -> NewExecution:
    if once:
        oldest = new.start.created_at_ms - ONCE_KEPT_MS
        connection.execute(_FORGET_ONCE, (account, oldest))
        place = (account, once.scope, once.key)
        found = connection.execute(_FIND_ONCE, place).fetchone()
        if found:
            digest, execution_id = found
            if digest != once.digest:
                raise Conflict(f"Idempotency-Key {once.key!r} came with another request before")
            return _load(connection, account, execution_id).new
        row = (*place, once.digest, new.start.execution_id, new.start.created_at_ms)
        connection.execute(_ADD_ONCE, row)
    connection.execute(_ADD_EXECUTION, _execution_row(account, new))
    return new


def _start_replay(
    connection: sqlite3.Connection, account: str, replay: Replay, records: bytes
) -> NewExecution:
    new, start = replay.new, replay.new.start
    if replay.letter_id:
        letters.redrive(connection, account, replay.letter_id, start)
    if replay.is_anew:
        root = (account, start.root_id)
        generation = connection.execute(_NEXT_GENERATION, root).fetchone()[0]
        connection.execute(_ADD_REPLAY, (*root, generation, start.execution_id))
        new = replace(new, start=replace(start, generation=generation))
    connection.execute(_ADD_EXECUTION, _execution_row(account, new))
    if replay.records:
        row = (account, start.execution_id, 0, start.created_at_ms, records)
        connection.execute(_ADD_TURN, row)
    return new


def _match_row(account: str, match: MatchRow) -> tuple[str | int | bytes, ...]:
    return (
        account,
        match.id,
        match.pattern_id,
        match.time_ms,
        match.detected_at_ms,
        _encode(match.outcome),
        _encode(match.body),
    )


def _execution_row(account: str, new: NewExecution) -> tuple[str | int | bytes, ...]:
    return (
        account,
        new.start.execution_id,
        new.workflow_id,
        new.workflow,
        new.version,
        new.start.created_at_ms,
        _encode(new),
    )


def _write_turn(connection: sqlite3.Connection, account: str, turn: Turn, records: bytes) -> None:
    try:
        connection.execute(
            _ADD_TURN, (account, turn.execution_id, turn.position, turn.at_ms, records)
        )
    except sqlite3.IntegrityError as exc:
        raise Conflict(
            f"expected {turn.position} records before this turn of {turn.execution_id}, got more"
        ) from exc
    connection.execute(
        _STATUS,
        (
            turn.status.value,
            turn.at_ms,
            turn.finished_at_ms,
            turn.error,
            account,
            turn.execution_id,
        ),
    )
    if turn.is_dead:
        letters.add_execution(connection, account, turn)
    if turn.told:
        outbox.put(connection, account, [turn.told])
    for path, due_ms in turn.timers_set.items():
        connection.execute(_SET_TIMER, (account, turn.execution_id, path, due_ms))
    for path in turn.timers_cleared:
        connection.execute(_CLEAR_TIMER, (account, turn.execution_id, path))


def _load(connection: sqlite3.Connection, account: str, execution_id: str) -> StoredExecution:
    row = connection.execute(_EXECUTION, (account, execution_id)).fetchone()
    if row is None:
        raise NotFound(f"no execution {execution_id!r}")
    return _fold(connection, account, row[1])


def _fold(connection: sqlite3.Connection, account: str, start: bytes) -> StoredExecution:
    new = _decode_start(start)
    turns = connection.execute(_TURNS, (account, new.start.execution_id)).fetchall()
    return StoredExecution(new, _state(new.start, turns))


def _state(start: Start, turns: Iterable[tuple[int, bytes]]) -> ExecutionState:
    state = begin(start)
    for at_ms, records in turns:
        for record in decode_records(records):
            evolve(state, record, at_ms)
    return state

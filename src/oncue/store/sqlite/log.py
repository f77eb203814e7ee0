"""
The event log: append-only, ordered per account, durable before anyone is answered.

The one writer assigns `offset` and `received_at` inside the transaction, in
the same order; neither ever goes back. An event's identity (source, id) is
unique by an index in that same transaction, so no crash can come between
"have I seen it" and "now I have".
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from oncue.core.event import Event, IncomingEvent
from oncue.core.json_text import Json
from oncue.ports import Change, Clock, LogRecord, Receipt
from oncue.store.sqlite.file import Commit, SqliteFile

# Kinds of records. A tick (kind 1) will carry time alone.
_EVENT: Final = 0
_CHANGE: Final = 2

# No event can have an empty source: under it stand the identities of changes.
_OURS: Final = ""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    number INTEGER PRIMARY KEY,
    account TEXT NOT NULL UNIQUE
);
-- Accounts are numbers here: the id would stand in every row of three indexes.
CREATE TABLE IF NOT EXISTS record (
    account INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT,
    time INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS record_offset ON record (account, "offset");
CREATE UNIQUE INDEX IF NOT EXISTS record_identity ON record (account, source, id);
CREATE INDEX IF NOT EXISTS record_type ON record (account, type, "offset");
PRAGMA user_version = 1;
"""

_INSERT = """
INSERT INTO record
    (account, "offset", kind, received_at, source, id, type, subject, time, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account, source, id) DO NOTHING
"""
_FIRST = """
SELECT "offset", type, subject, time, body FROM record
WHERE account = ? AND source = ? AND id = ?
"""
_READ = """
SELECT "offset", kind, received_at, source, id, type, subject, time, body FROM record
WHERE account = ? AND "offset" > ? ORDER BY "offset" LIMIT ?
"""
_FIND = """
SELECT "offset", kind, received_at, source, id, type, subject, time, body FROM record
WHERE account = ? AND id = ? AND (source = ? OR (? IS NULL AND source <> ''))
ORDER BY "offset" DESC LIMIT 1
"""
_HEADS = """
SELECT account.account, max("offset") FROM record
JOIN account ON account.number = record.account GROUP BY record.account
"""


_NEWEST = 'SELECT received_at FROM record WHERE account = ? ORDER BY "offset" DESC LIMIT 1'


class _Body(msgspec.Struct, omit_defaults=True):
    data: Json = None
    attributes: dict[str, Json] = msgspec.field(default_factory=dict)


class _ChangeBody(msgspec.Struct):
    pattern_id: str
    version: int


_encode = msgspec.json.Encoder().encode
_decode_body = msgspec.json.Decoder(_Body).decode
_decode_change = msgspec.json.Decoder(_ChangeBody).decode


class _Appender:
    """What the one writer knows: the offsets given last, which may not be durable yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given: dict[int, int] = {}
        self.last_arrival = 0
        self.numbers: dict[str, int] = {}

    def load(self, connection: sqlite3.Connection) -> None:
        """Take up, or after a rollback go back to, what is durable."""
        self._given.clear()
        self.numbers = dict(connection.execute("SELECT account, number FROM account").fetchall())
        # By account, so that the index on (account, offset) finds each last row.
        rows = [connection.execute(_NEWEST, (n,)).fetchone() for n in self.numbers.values()]
        self.last_arrival = max((row[0] for row in rows if row), default=self.last_arrival)

    def append(
        self,
        connection: sqlite3.Connection,
        account: str,
        rows: Sequence[tuple[IncomingEvent, bytes]],
    ) -> list[Receipt]:
        number = self._number(connection, account)
        now = self._arrival()
        return [self._append_event(connection, number, now, event, body) for event, body in rows]

    def _append_event(
        self,
        connection: sqlite3.Connection,
        number: int,
        now: int,
        event: IncomingEvent,
        body: bytes,
    ) -> Receipt:
        offset = self._next_offset(connection, number)
        time = now if event.time_ms is None else event.time_ms
        row = (
            number, offset, _EVENT, now, event.source, event.id, event.type, event.subject, time, body
        )  # fmt: skip
        if connection.execute(_INSERT, row).rowcount:
            self._given[number] = offset
            return Receipt(event.id, offset)
        first = connection.execute(_FIRST, (number, event.source, event.id)).fetchone()
        return Receipt(
            event.id, first[0], is_duplicate=True, is_conflict=_differs(event, body, first)
        )

    def append_change(
        self, connection: sqlite3.Connection, account: str, identity: str, body: bytes
    ) -> int:
        number = self._number(connection, account)
        now = self._arrival()
        offset = self._next_offset(connection, number)
        row = (number, offset, _CHANGE, now, _OURS, identity, "", None, now, body)
        if connection.execute(_INSERT, row).rowcount:
            self._given[number] = offset
            return offset
        first: int = connection.execute(_FIRST, (number, _OURS, identity)).fetchone()[0]
        return first

    def _arrival(self) -> int:
        self.last_arrival = max(self.last_arrival, self._clock.now_ms())
        return self.last_arrival

    def _next_offset(self, connection: sqlite3.Connection, number: int) -> int:
        given = self._given.get(number)
        if given is None:
            select = 'SELECT coalesce(max("offset"), 0) FROM record WHERE account = ?'
            given = connection.execute(select, (number,)).fetchone()[0]
            self._given[number] = given
        return given + 1

    def _number(self, connection: sqlite3.Connection, account: str) -> int:
        number = self.numbers.get(account)
        if number is None:
            connection.execute(
                "INSERT INTO account (account) VALUES (?) ON CONFLICT DO NOTHING", (account,)
            )
            number = connection.execute(
                "SELECT number FROM account WHERE account = ?", (account,)
            ).fetchone()[0]
            self.numbers[account] = number
        return number


class SqliteEventLog:
    """The log of all accounts in one file."""

    def __init__(
        self, path: Path, clock: Clock, commit: Commit = sqlite3.Connection.commit
    ) -> None:
        self._listeners: list[Callable[[str], None]] = []
        self._appender = _Appender(clock)
        self._file = SqliteFile(path, _SCHEMA, commit=commit, on_rollback=self._load)
        self._load()
        self._heads: dict[str, int] = dict(
            self._file.read_now(lambda c: c.execute(_HEADS).fetchall())
        )

    def last_arrival_ms(self) -> int:
        """Return the `received_at` of the newest record."""
        return self._appender.last_arrival

    def subscribe(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the account whenever records of it have become durable."""
        self._listeners.append(listener)

    def head(self, account: str) -> int:
        """Return the offset of the last durable record, 0 if there is none."""
        return self._heads.get(account, 0)

    async def append(self, account: str, events: Sequence[IncomingEvent]) -> list[Receipt]:
        """Return when all are durable."""
        rows = [(event, _encode(_Body(event.data, event.attributes))) for event in events]
        return await self._file.write(
            lambda connection: self._appender.append(connection, account, rows),
            lambda receipts: self._advance(account, max(r.offset for r in receipts)),
        )

    async def append_change(self, account: str, pattern_id: str, version: int) -> int:
        """Return the offset from which the version is seen; the same if told twice."""
        body = _encode(_ChangeBody(pattern_id, version))
        identity = f"{pattern_id}/{version}"
        return await self._file.write(
            lambda connection: self._appender.append_change(connection, account, identity, body),
            lambda offset: self._advance(account, offset),
        )

    async def read(self, account: str, after: int, limit: int) -> list[LogRecord]:
        """Return up to `limit` records with an offset above `after`."""
        number = self._appender.numbers.get(account)
        rows = await self._file.read(
            lambda connection: connection.execute(_READ, (number, after, limit)).fetchall()
        )
        return [_record(row) for row in rows]

    async def find(self, account: str, event_id: str, source: str | None = None) -> Event | None:
        """Return the event of that id, without `source` the newest; nothing if there is none."""
        number = self._appender.numbers.get(account)
        bounds = (number, event_id, source, source)
        row = await self._file.read(lambda c: c.execute(_FIND, bounds).fetchone())
        found = _record(row) if row else None
        return found if isinstance(found, Event) else None

    async def close(self) -> None:
        """Let go of the file."""
        await self._file.close()

    def _load(self) -> None:
        self._file.read_now(self._appender.load)

    def _advance(self, account: str, offset: int) -> None:
        if offset > self._heads.get(account, 0):
            self._heads[account] = offset
            for listener in self._listeners:
                listener(account)


def _differs(
    event: IncomingEvent, body: bytes, first: tuple[int, str, str | None, int, bytes]
) -> bool:
    _, event_type, subject, time, first_body = first
    return (
        (event.type, event.subject) != (event_type, subject)
        or (event.time_ms is not None and event.time_ms != time)
        or (body != first_body and _decode_body(body) != _decode_body(first_body))
    )


def _record(row: tuple[int, int, int, str, str, str, str | None, int, bytes]) -> LogRecord:
    offset, kind, received_at, source, id_, event_type, subject, time, body = row
    if kind == _CHANGE:
        change = _decode_change(body)
        return Change(offset, received_at, change.pattern_id, change.version)
    content = _decode_body(body)
    return Event(
        offset=offset,
        received_at_ms=received_at,
        id=id_,
        source=source,
        type=event_type,
        subject=subject,
        time_ms=time,
        data=content.data,
        attributes=content.attributes,
    )

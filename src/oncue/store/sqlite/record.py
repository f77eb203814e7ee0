"""A record of the log as a row, and every statement over such rows."""

import sqlite3
from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from oncue.core.event import Event, EventFilter
from oncue.core.json_text import Json
from oncue.core.pattern.records import Change, LogRecord, Passed, Redriven, Tick

# Kinds of records.
EVENT: Final = 0
TICK: Final = 1
CHANGE: Final = 2
REDRIVEN: Final = 3

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS account (
    number INTEGER PRIMARY KEY,
    account TEXT NOT NULL UNIQUE
);
-- The offsets given before this segment: the older ones may be deleted.
CREATE TABLE IF NOT EXISTS head (
    account INTEGER PRIMARY KEY,
    "offset" INTEGER NOT NULL
);
-- Accounts are numbers here: the id would stand in every row of three indexes.
CREATE TABLE IF NOT EXISTS record (
    account INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Counts how often the identity (source, id) was used again after the dedupe window.
    generation INTEGER NOT NULL,
    type TEXT NOT NULL,
    subject TEXT,
    time INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (account, "offset")
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS record_identity ON record (account, id, source, generation);
CREATE INDEX IF NOT EXISTS record_type ON record (account, type, "offset");
"""
INSERT: Final = """
INSERT INTO record
    (account, "offset", kind, received_at, source, id, generation, type, subject, time, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account, id, source, generation) DO NOTHING
"""
FIRST: Final = """
SELECT "offset", type, subject, time, body, received_at, generation FROM record
WHERE account = ? AND id = ? AND source = ? ORDER BY generation DESC LIMIT 1
"""
# All text that is put into statements is ours; what comes from outside is bound.
_COLUMNS = '"offset", kind, received_at, source, id, type, subject, time, body'
# Times alone: no body is read.
BACKWARDS: Final = f"""
SELECT {_COLUMNS.replace("body", "NULL")} FROM record
WHERE account = ? AND "offset" < ? AND kind = 0 ORDER BY "offset" DESC LIMIT ?
"""  # noqa: S608 the columns are a constant
NEXT: Final = """
SELECT "offset", received_at FROM record WHERE account = ? AND "offset" >= ?
ORDER BY "offset" LIMIT 1
"""
FIND: Final = f"""
SELECT {_COLUMNS} FROM record
WHERE account = ? AND id = ? AND (source = ? OR (? IS NULL AND source <> ''))
ORDER BY "offset" DESC LIMIT 1
"""  # noqa: S608 the columns are a constant
# As text from SQLite itself: rows that Python never looks at cost a microsecond each.
LINES: Final = """
SELECT CAST(group_concat('{"o":' || "offset" || ',"r":' || received_at || ',"m":' || time
    || ',"s":' || json_quote(source) || ',"i":' || json_quote(id) || ',"t":' || json_quote(type)
    || ',"u":' || json_quote(subject) || ',"b":' || CAST(body AS TEXT) || '}' || char(10), '') AS BLOB)
FROM record WHERE account = ? AND "offset" > ? AND "offset" <= ? AND kind = 0
"""
SEEK: Final = 'SELECT min("offset") FROM record WHERE account = ? AND received_at >= ?'
BOUNDS: Final = 'SELECT min("offset"), max("offset") FROM record WHERE account = ?'
NEWEST: Final = 'SELECT received_at FROM record WHERE account = ? ORDER BY "offset" DESC LIMIT 1'
OLDEST: Final = 'SELECT received_at FROM record WHERE account = ? ORDER BY "offset" LIMIT 1'
HEADS: Final = 'SELECT account, "offset" FROM head'
# By the id of the account, where the log is not open.
LAST_BEFORE: Final = """
SELECT a.account, h."offset" FROM head h JOIN account a ON a.number = h.account
"""
LAST: Final = """
SELECT a.account, max(r."offset") FROM record r JOIN account a ON a.number = r.account
GROUP BY a.account
"""
ADD_HEAD: Final = 'INSERT INTO head (account, "offset") VALUES (?, ?) ON CONFLICT DO NOTHING'
IDENTITIES: Final = "SELECT account, source, id FROM record"

Row: TypeAlias = tuple[int, int, int, str, str, str, str | None, int, bytes | str | None]
"""The columns of a record; without `body` where nobody watches events of the type."""
First: TypeAlias = tuple[int, str, str | None, int, bytes, int, int]


class Body(msgspec.Struct, omit_defaults=True):
    """What a row has no column for."""

    data: Json = None
    attributes: dict[str, Json] = msgspec.field(default_factory=dict)


class ChangeBody(msgspec.Struct):
    """What a change says."""

    pattern_id: str
    version: int


class RedrivenBody(msgspec.Struct):
    """What is seen again, and by whom."""

    pattern_id: str
    event: Event


encode_body: Final = msgspec.json.Encoder().encode
decode_body: Final = msgspec.json.Decoder(Body).decode
_decode_redriven = msgspec.json.Decoder(RedrivenBody).decode
_decode_change = msgspec.json.Decoder(ChangeBody).decode


def record_of(row: Row) -> LogRecord:
    """Return the record in a row."""
    offset, kind, received_at, source, id_, event_type, subject, time, body = row
    if body is None:
        return Passed(offset, received_at, time)
    if kind == TICK:
        return Tick(offset, received_at)
    if kind == CHANGE:
        change = _decode_change(body)
        return Change(offset, received_at, change.pattern_id, change.version)
    if kind == REDRIVEN:
        again = _decode_redriven(body)
        return Redriven(offset, received_at, again.pattern_id, again.event)
    content = decode_body(body)
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


def watching(globs: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return a condition for changes, ticks and events of the types alone, and its globs."""
    if len(globs) > _MOST_GLOBS or "*" in globs:
        return "", ()
    exact = [glob for glob in globs if "*" not in glob]
    loose = [glob for glob in globs if "*" in glob]
    # What is no event has no type.
    clause = f"(type IN ({', '.join('?' * (len(exact) + 1))}){' OR type GLOB ?' * len(loose)})"
    return clause, ("", *exact, *loose)


def reading(
    bounds: tuple[int, ...],
    watched: tuple[str, tuple[str, ...]],
    limit: int,
    *,
    in_passing: bool = False,
    times: tuple[int, int] | None = None,
) -> tuple[str, tuple[int | str, ...]]:
    """
    Return the statement, and its values, for the records of (account, after, upto], in order.

    Records that nobody watches are left out, or `in_passing` are there without a body.
    With `times` it is for events of those [from, to) alone.
    """
    clause, types = watched
    select = f'{_READ} AND "offset" > ? AND "offset" <= ?'
    if times:
        select = f"{select} AND kind = 0 AND time >= ? AND time < ?"
        bounds = (*bounds, *times)
    if clause and in_passing:
        select = select.replace("body", f"CASE WHEN {clause} THEN body END", 1)
        return f'{select} ORDER BY "offset" LIMIT ?', (*types, *bounds, limit)
    if clause:
        select = f"{select} AND {clause}"
    return f'{select} ORDER BY "offset" LIMIT ?', (*bounds, *types, limit)


def stretch(number: int, after: int, upto: int) -> tuple[str, tuple[int, int, int]]:
    """Return the statement, and its values, for all records of (account, after, upto], in order."""
    return f'{_READ} AND "offset" > ? AND "offset" <= ? ORDER BY "offset"', (number, after, upto)


_READ: Final = f"SELECT {_COLUMNS} FROM record WHERE account = ?"  # noqa: S608 the columns are a constant
# Beyond it, looking at all events costs less than asking for each type.
_MOST_GLOBS: Final = 200


def listing(
    number: int, wanted: EventFilter, before: int, limit: int
) -> tuple[str, tuple[int | str, ...]]:
    """Return the statement, and its values, for events below an offset, newest first."""
    clauses: list[str] = []
    values: list[int | str] = [number, before, EVENT]
    type_clause = "type GLOB ?" if wanted.type and "*" in wanted.type else "type = ?"
    for clause, value in (
        (type_clause, wanted.type),
        ("source = ?", wanted.source),
        ("subject = ?", wanted.subject),
        ("time >= ?", wanted.from_ms),
        ("time < ?", wanted.to_ms),
    ):
        if value is not None:
            clauses.append(f" AND {clause}")
            values.append(value)
    select = (
        f'SELECT {_COLUMNS} FROM record WHERE account = ? AND "offset" < ? AND kind = ?'  # noqa: S608 constants
        f'{"".join(clauses)} ORDER BY "offset" DESC LIMIT ?'
    )
    return select, (*values, limit)


def at(number: int, offsets: Sequence[int]) -> tuple[str, tuple[int, ...]]:
    """Return the statement, and its values, for the records at some offsets, newest first."""
    marks = ", ".join("?" * len(offsets))
    select = f'{_READ} AND "offset" IN ({marks}) ORDER BY "offset" DESC'
    return select, (number, *offsets)


def seek(connection: sqlite3.Connection, number: int, received_ms: int) -> int | None:
    """Return the first offset of an account that arrived at an instant or later, if there is one."""
    low, high = connection.execute(BOUNDS, (number,)).fetchone()
    if high is None:
        return None
    # Arrivals never go back: halving finds it without an index of its own.
    found = None
    while low <= high:
        middle = (low + high) // 2
        offset, arrived = connection.execute(NEXT, (number, middle)).fetchone()
        if arrived >= received_ms:
            found, high = offset, middle - 1
        else:
            low = offset + 1
    return found

"""Events that were decided on and may not be in the log yet: rows of the journal."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from oncue.core.event import IncomingEvent

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS outbox (
    account TEXT NOT NULL,
    -- Begins with the time of the event.
    id TEXT NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (account, id)
) WITHOUT ROWID;
"""
_PUT: Final = "INSERT INTO outbox (account, id, event) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_CLEAR: Final = "DELETE FROM outbox WHERE account = ? AND id = ?"
_WAITING: Final = "SELECT account, event FROM outbox ORDER BY account, id"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(IncomingEvent).decode


def put(connection: sqlite3.Connection, account: str, events: Sequence[IncomingEvent]) -> None:
    """Write events down, in the transaction of the decision that they tell of."""
    connection.executemany(_PUT, [(account, event.id, _encode(event)) for event in events])


def clear(connection: sqlite3.Connection, account: str, ids: Sequence[str]) -> None:
    """Let go of events."""
    connection.executemany(_CLEAR, [(account, id_) for id_ in ids])


def waiting(connection: sqlite3.Connection) -> list[tuple[str, IncomingEvent]]:
    """Return account and event of all that is there."""
    rows = connection.execute(_WAITING).fetchall()
    return [(account, _decode(event)) for account, event in rows]

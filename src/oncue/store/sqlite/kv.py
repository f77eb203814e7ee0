"""
The key-value store.

What has expired is never seen; it is deleted by later writes of its account, a
few rows each, so no write waits for a heap of old ones, and by a sweep now and
then, which gives back its room. What a write with a
`once` gave is kept in the commit of that write: a repeat finds it, whatever
came in between, for as long as a crash may be ahead of its recovery.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from oncue.core.errors import Conflict
from oncue.core.json_text import Json
from oncue.core.key_values import (
    ANY_TERMS,
    Count,
    Entry,
    EntryPage,
    Namespace,
    Slot,
    Terms,
    add,
    encode_value,
)
from oncue.ports import Clock
from oncue.store.sqlite.file import Commit, SqliteFile, give_back

ONCE_KEPT_MS: Final = 7 * 86_400_000
PAGE_BYTES: Final = 1 << 20
"""A page of a list ends when its values are larger than this."""
_SWEPT_PER_WRITE: Final = 16
_SWEPT_AT_ONCE: Final = 512

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entry (
    account TEXT NOT NULL,
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER,
    value BLOB NOT NULL,
    PRIMARY KEY (account, namespace, key)
);
CREATE INDEX IF NOT EXISTS entry_expiring ON entry (account, expires_at)
    WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS once (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    result BLOB NOT NULL,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS once_oldest ON once (account, created_at);
"""

_GET = """
SELECT key, value, version, updated_at, expires_at FROM entry
WHERE account = ? AND namespace = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)
"""
_SCAN = """
SELECT key, value, version, updated_at, expires_at FROM entry
WHERE account = ? AND namespace = ? AND key >= ? AND key > ?
    AND (expires_at IS NULL OR expires_at > ?)
ORDER BY key
"""
_PUT = """
INSERT INTO entry (account, namespace, key, version, updated_at, expires_at, value)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account, namespace, key) DO UPDATE SET version = excluded.version,
    updated_at = excluded.updated_at, expires_at = excluded.expires_at, value = excluded.value
"""
_DELETE = """
DELETE FROM entry WHERE account = ? AND namespace = ? AND key = ?
"""
_SWEEP = """
DELETE FROM entry WHERE account = ? AND rowid IN
    (SELECT rowid FROM entry WHERE account = ? AND expires_at <= ? LIMIT ?)
"""
_FIND_ONCE = """
SELECT result FROM once WHERE account = ? AND key = ?
"""
_ADD_ONCE = """
INSERT INTO once (account, key, created_at, result) VALUES (?, ?, ?, ?)
"""
_SWEEP_ONCE = """
DELETE FROM once WHERE account = ? AND key IN
    (SELECT key FROM once WHERE account = ? AND created_at <= ? LIMIT ?)
"""

_encode = msgspec.json.Encoder().encode
_decode: Callable[[bytes], Json] = msgspec.json.Decoder().decode
_decode_version = msgspec.json.Decoder(int).decode
_decode_count = msgspec.json.Decoder(Count).decode
_decode_presence = msgspec.json.Decoder(bool).decode


class SqliteKeyValues:
    """What all accounts keep under keys, in one file."""

    def __init__(
        self, path: Path, clock: Clock, commit: Commit = sqlite3.Connection.commit
    ) -> None:
        self._clock = clock
        self._file = SqliteFile(path, _SCHEMA, commit=commit, shrinks=True)

    async def close(self) -> None:
        """Let go of the file."""
        await self._file.close()

    async def get(self, account: str, slot: Slot) -> Entry | None:
        """Return what is kept there, if anything."""
        now = self._clock.now_ms()
        return await self._file.read(lambda connection: _get(connection, account, slot, now))

    async def set(self, account: str, slot: Slot, value: Json, terms: Terms = ANY_TERMS) -> int:
        """
        Return the version under which `value` is kept from now on.

        Raises:
            Conflict: another version is there than the terms ask for.
            InvalidInput: the value is too large.
        """
        encoded = encode_value(value)

        def put(write: "_Write", found: Entry | None) -> bytes:
            expires_at = None if terms.ttl_ms is None else write.now + terms.ttl_ms
            return _encode(write.put(found, encoded, expires_at))

        return _decode_version(await self._write(account, slot, terms, put))

    async def increment(
        self, account: str, slot: Slot, amount: float, terms: Terms = ANY_TERMS
    ) -> Count:
        """
        Return the number there after `amount` was added; without one it counts from 0.

        One that was there keeps its time to live.

        Raises:
            Conflict: another version is there than the terms ask for.
            InvalidInput: what is there is no number, or the sum is too large.
        """

        def put(write: "_Write", found: Entry | None) -> bytes:
            if found:
                total, expires_at = add(found.value, amount), found.expires_at_ms
            else:
                total = add(0, amount)
                expires_at = None if terms.ttl_ms is None else write.now + terms.ttl_ms
            return _encode(Count(total, write.put(found, _encode(total), expires_at)))

        return _decode_count(await self._write(account, slot, terms, put))

    async def delete(self, account: str, slot: Slot, terms: Terms = ANY_TERMS) -> bool:
        """
        Return whether something was there, which now is gone.

        Raises:
            Conflict: another version is there than the terms ask for.
        """

        def delete(write: "_Write", found: Entry | None) -> bytes:
            write.delete()
            return _encode(found is not None)

        return _decode_presence(await self._write(account, slot, terms, delete))

    async def scan(
        self, account: str, namespace: Namespace, prefix: str, after: str | None, limit: int
    ) -> EntryPage:
        """Return entries whose keys begin with `prefix`, in their order, above the key `after`."""
        bounds = (account, namespace.value, prefix, after or "", self._clock.now_ms())
        return await self._file.read(
            lambda connection: _page(connection.execute(_SCAN, bounds), prefix, limit)
        )

    async def sweep(self, account: str) -> int:
        """Delete some of what has expired, give back its room, and return how many it was."""
        now = self._clock.now_ms()

        def sweep(connection: sqlite3.Connection) -> int:
            expired = (account, account, now, _SWEPT_AT_ONCE)
            forgotten = (account, account, now - ONCE_KEPT_MS, _SWEPT_AT_ONCE)
            swept = connection.execute(_SWEEP, expired).rowcount
            swept += connection.execute(_SWEEP_ONCE, forgotten).rowcount
            give_back(connection)
            return swept

        return await self._file.write(sweep)

    async def _write(
        self,
        account: str,
        slot: Slot,
        terms: Terms,
        change: Callable[["_Write", Entry | None], bytes],
    ) -> bytes:
        def write(connection: sqlite3.Connection) -> bytes:
            return _Write(connection, account, slot, self._clock.now_ms()).run(terms, change)

        return await self._file.write(write)


class _Write:
    """One write in its transaction, at the instant `now`."""

    def __init__(self, connection: sqlite3.Connection, account: str, slot: Slot, now: int) -> None:
        self.now = now
        self._connection = connection
        self._account = account
        self._slot = slot

    def run(self, terms: Terms, change: Callable[["_Write", Entry | None], bytes]) -> bytes:
        """Return what `change` gives of what is there, or what the same write gave before."""
        if terms.once is not None and (first := self._first(terms.once)) is not None:
            return first
        found = _get(self._connection, self._account, self._slot, self.now)
        _check_version(self._slot, terms.if_version, found)
        result = change(self, found)
        if terms.once is not None:
            self._remember(terms.once, result)
        bounds = (self._account, self._account, self.now, _SWEPT_PER_WRITE)
        self._connection.execute(_SWEEP, bounds)
        return result

    def put(self, found: Entry | None, value: bytes, expires_at: int | None) -> int:
        """Return the version that `value` gets."""
        version = found.version + 1 if found else 1
        row = (*self._place(), version, self.now, expires_at, value)
        self._connection.execute(_PUT, row)
        return version

    def delete(self) -> None:
        """Delete what is there."""
        self._connection.execute(_DELETE, self._place())

    def _place(self) -> tuple[str, str, str]:
        return self._account, self._slot.namespace.value, self._slot.key

    def _first(self, once: str) -> bytes | None:
        row = self._connection.execute(_FIND_ONCE, (self._account, once)).fetchone()
        return row[0] if row else None

    def _remember(self, once: str, result: bytes) -> None:
        oldest = self.now - ONCE_KEPT_MS
        bounds = (self._account, self._account, oldest, _SWEPT_PER_WRITE)
        self._connection.execute(_SWEEP_ONCE, bounds)
        self._connection.execute(_ADD_ONCE, (self._account, once, self.now, result))


def _get(connection: sqlite3.Connection, account: str, slot: Slot, now: int) -> Entry | None:
    bounds = (account, slot.namespace.value, slot.key, now)
    row = connection.execute(_GET, bounds).fetchone()
    return _entry(row) if row else None


def _page(rows: sqlite3.Cursor, prefix: str, limit: int) -> EntryPage:
    entries: list[Entry] = []
    size = 0
    # A cursor that is left open holds the connection to what it saw.
    with closing(rows):
        for row in rows:
            # Keys are in order: once one does not begin with the prefix, none will.
            if not row[0].startswith(prefix):
                break
            if len(entries) == limit or size > PAGE_BYTES:
                return EntryPage(tuple(entries), entries[-1].key)
            entries.append(_entry(row))
            size += len(row[1])
    return EntryPage(tuple(entries), None)


def _entry(row: tuple[str, bytes, int, int, int | None]) -> Entry:
    key, value, version, updated_at, expires_at = row
    return Entry(key, _decode(value), version, updated_at, expires_at)


def _check_version(slot: Slot, wanted: int | None, found: Entry | None) -> None:
    actual = found.version if found else 0
    if wanted is not None and wanted != actual:
        expected = f"version {wanted} of {slot.key!r}" if wanted else f"nothing under {slot.key!r}"
        raise Conflict(f"expected {expected}, got {f'version {actual}' if actual else 'nothing'}")

"""
The event log: append-only, ordered per account, durable before anyone is answered.

The one writer assigns `offset` and `received_at` inside the transaction, in
the same order; neither ever goes back. An event's identity (source, id) is
unique by an index in that same transaction, so no crash can come between
"have I seen it" and "now I have".
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from oncue.core.event import Event, IncomingEvent
from oncue.core.pattern.records import LogRecord
from oncue.ports import Clock, Receipt, Stretch
from oncue.store.archive.archive import Archive
from oncue.store.archive.bucket import BucketPlace
from oncue.store.archive.places import FolderPlace
from oncue.store.sqlite import record
from oncue.store.sqlite.file import Commit
from oncue.store.sqlite.past import SqlitePast
from oncue.store.sqlite.record import Body, ChangeBody, RedrivenBody, encode_body, record_of
from oncue.store.sqlite.segments import FULL, Full, Segments
from oncue.store.sqlite.whole import Whole

INDEX: Final = "archive.db"
"""The file that knows the files of the archive, beside the folder of the log."""
STRETCH: Final = 4_096
"""Records that are looked at in one read; those that nobody watches cost next to nothing."""
_IN_A_ROW_BYTES: Final = 1 << 20
DEDUPE_WINDOW_MS: Final = 7 * 86_400_000


class SqliteEventLog:
    """The log of all accounts in one folder."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        commit: Commit = sqlite3.Connection.commit,
        *,
        dedupe_window_ms: int = DEDUPE_WINDOW_MS,
        full: Full = FULL,
        archive: Archive | None = None,
    ) -> None:
        self.segments = Segments(
            folder,
            clock,
            commit,
            archive=archive or archive_beside(folder, commit),
            dedupe_window_ms=dedupe_window_ms,
            full=full,
        )
        """Whoever deletes what is old does it here."""
        self._whole = Whole(self.segments)
        self._appender = self.segments.appender
        self._listeners: list[Callable[[str], None]] = []
        self._heads = self._appender.heads()
        self.past = SqlitePast(self.segments, self.head)
        """What it holds already."""

    def last_arrival_ms(self) -> int:
        """Return the `received_at` of the newest record."""
        return self._appender.last_arrival

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """
        Call `listener` with the account whenever records of it have become durable.

        Returns what ends that.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def head(self, account: str) -> int:
        """Return the offset of the last durable record, 0 if there is none."""
        return self._heads.get(account, 0)

    async def append(self, account: str, events: Sequence[IncomingEvent]) -> list[Receipt]:
        """Return when all are durable."""
        rows, size, in_a_row = [], 0, 0
        for event in events:
            body = encode_body(Body(event.data, event.attributes))
            rows.append((event, body))
            size += len(body)
            in_a_row += len(body)
            if in_a_row > _IN_A_ROW_BYTES:
                # Whoever sends little has a turn.
                in_a_row = 0
                await asyncio.sleep(0)
        return await self.segments.write(
            lambda connection: self._appender.append(connection, account, rows),
            lambda receipts: self._advance(account, max(r.offset for r in receipts)),
            size,
        )

    async def append_change(self, account: str, pattern_id: str, version: int) -> int:
        """Return the offset from which the version is seen; the same if told twice."""
        body = encode_body(ChangeBody(pattern_id, version))
        identity = f"{pattern_id}/{version}"
        return await self._append_own(account, record.CHANGE, identity, body)

    async def append_redriven(
        self, account: str, letter_id: str, pattern_id: str, event: Event
    ) -> int:
        """Return the offset from which a pattern sees an event again; the same if told twice."""
        body = encode_body(RedrivenBody(pattern_id, event))
        return await self._append_own(account, record.REDRIVEN, f"redriven/{letter_id}", body)

    async def read(self, account: str, after: int, limit: int) -> list[LogRecord]:
        """Return up to `limit` records with an offset above `after`, fewer where they are large."""
        rows, _ = await self._whole.forward(account, (after, self.head(account)), limit)
        return [record_of(row) for row in rows]

    async def append_tick(self, account: str) -> int:
        """Return the offset of a record that says what time it is."""
        return await self.segments.write(
            lambda connection: self._appender.append_tick(connection, account),
            lambda offset: self._advance(account, offset),
        )

    async def stretch(
        self,
        account: str,
        after: int,
        limit: int,
        globs: Sequence[str],
        *,
        in_passing: bool = False,
    ) -> Stretch:
        """
        Return the changes, the ticks, and up to `limit` events of the watched types, above an offset.

        With `in_passing` the events of other types are there as `Passed`.
        """
        upto = min(self.head(account), after + STRETCH)
        watched = record.watching(globs)
        rows, reached = await self._whole.forward(
            account, (after, upto), limit, watched, in_passing=in_passing
        )
        return Stretch([record_of(row) for row in rows], reached)

    async def close(self) -> None:
        """Let go of the files."""
        await self.segments.close()

    async def _append_own(self, account: str, kind: int, identity: str, body: bytes) -> int:
        return await self.segments.write(
            lambda connection: self._appender.append_own(connection, account, kind, identity, body),
            lambda offset: self._advance(account, offset),
        )

    def _advance(self, account: str, offset: int) -> None:
        if offset > self._heads.get(account, 0):
            self._heads[account] = offset
            for listener in self._listeners:
                listener(account)


def archive_beside(
    folder: Path,
    commit: Commit = sqlite3.Connection.commit,
    place: FolderPlace | BucketPlace | None = None,
) -> Archive:
    """Return the archive of a log; its files lie beside the folder, if not in another place."""
    beside = FolderPlace(folder.with_name("archive"))
    return Archive(folder.with_name(INDEX), place or beside, commit)

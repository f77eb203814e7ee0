"""What the one writer of the log does in its transaction."""

import sqlite3
from collections import Counter
from collections.abc import Sequence

from oncue.core.event import IncomingEvent
from oncue.ports import Clock, Receipt
from oncue.store.sqlite import record
from oncue.store.sqlite.record import First, decode_body
from oncue.store.sqlite.segment import SealedSegment, identity_hash

# No event can have an empty source: under it stand the identities of our records.
_OURS = ""


class Appender:
    """
    What the one writer knows: the offsets given last, which may not be durable yet.

    `sealed` are the older segments, oldest first; the log adds to it.
    """

    def __init__(self, clock: Clock, dedupe_window_ms: int, sealed: list[SealedSegment]) -> None:
        self._clock = clock
        self._window_ms = dedupe_window_ms
        self._sealed = sealed
        self._given: dict[int, int] = {}
        self.before: dict[int, int] = {}
        """The offsets given before this segment."""
        self.last_arrival = 0
        self.began_at = 0
        self.count = 0
        self.size = 0
        """About how many bytes this segment takes on the disk."""
        self.numbers: dict[str, int] = {}
        self.unarchived: Counter[int] = Counter()
        """About how many bytes of bodies of each account are not archived."""

    def begin(self, connection: sqlite3.Connection) -> None:
        """Take up a segment; accounts keep their numbers and offsets from one to the next."""
        if self._sealed:
            known = self._sealed[-1].numbers
            connection.executemany(
                "INSERT INTO account (account, number) VALUES (?, ?) ON CONFLICT DO NOTHING",
                known.items(),
            )
        self.load(connection)
        if not self.count:
            connection.executemany(record.ADD_HEAD, self._given.items())
        self.before = dict(connection.execute(record.HEADS).fetchall())

    def load(self, connection: sqlite3.Connection) -> None:
        """Take up, or after a rollback go back to, what is durable."""
        self.numbers = dict(connection.execute("SELECT account, number FROM account").fetchall())
        self._given = {}
        for segment in self._sealed:
            self._given |= segment.heads | {n: last for n, (_, last) in segment.bounds.items()}
            self.last_arrival = max(self.last_arrival, segment.last_arrival)
        self._given |= dict(connection.execute(record.HEADS).fetchall())
        self.count, oldest = 0, []
        self.size = _file_bytes(connection)
        for number in self.numbers.values():
            first, last = connection.execute(record.BOUNDS, (number,)).fetchone()
            if last is not None:
                self._given[number] = last
                self.count += last - first + 1
                # By account, so that the index on (account, offset) finds the row.
                newest = connection.execute(record.NEWEST, (number,)).fetchone()[0]
                self.last_arrival = max(self.last_arrival, newest)
                oldest.append(connection.execute(record.OLDEST, (number,)).fetchone()[0])
        self.began_at = min(oldest, default=self._clock.now_ms())

    def heads(self) -> dict[str, int]:
        """Return the offset given last to each account."""
        # Copied, since large events are appended in a thread.
        numbers = self.numbers.copy()
        return {account: self._given.get(number, 0) for account, number in numbers.items()}

    def append(
        self,
        connection: sqlite3.Connection,
        account: str,
        rows: Sequence[tuple[IncomingEvent, bytes]],
    ) -> list[Receipt]:
        """Return what became of each event."""
        number = self._number(connection, account)
        now = self._arrival()
        recent = [s for s in self._sealed if s.last_arrival > now - self._window_ms]
        return [
            self._append_event(connection, (number, now), event, body, recent)
            for event, body in rows
        ]

    def append_own(
        self, connection: sqlite3.Connection, account: str, kind: int, identity: str, body: bytes
    ) -> int:
        """Return the offset of a record of ours; that of the first, if it was told before."""
        number = self._number(connection, account)
        known = self._known_before(number, identity, _OURS, self._sealed)
        if known:
            return known[0]
        now = self._arrival()
        offset = self._given.get(number, 0) + 1
        row = (number, offset, kind, now, _OURS, identity, 0, "", None, now, body)
        if connection.execute(record.INSERT, row).rowcount:
            return self._give(number, offset)
        first: int = connection.execute(record.FIRST, (number, identity, _OURS)).fetchone()[0]
        return first

    def append_tick(self, connection: sqlite3.Connection, account: str) -> int:
        """Return the offset of a record that says what time it is."""
        number = self._number(connection, account)
        now = self._arrival()
        offset = self._given.get(number, 0) + 1
        row = (number, offset, record.TICK, now, _OURS, f"tick/{offset}", 0, "", None, now, b"")
        connection.execute(record.INSERT, row)
        return self._give(number, offset)

    def _append_event(
        self,
        connection: sqlite3.Connection,
        place: tuple[int, int],
        event: IncomingEvent,
        body: bytes,
        recent: list[SealedSegment],
    ) -> Receipt:
        number, now = place
        oldest = now - self._window_ms
        if recent:
            known = self._known_before(number, event.id, event.source, recent)
            if known and known[5] > oldest:
                return _duplicate(event, body, known)
        offset = self._given.get(number, 0) + 1
        if self._insert(connection, (number, offset, now), event, body, 0):
            return Receipt(event.id, self._give(number, offset))
        first = connection.execute(record.FIRST, (number, event.id, event.source)).fetchone()
        if first[5] > oldest:
            return _duplicate(event, body, first)
        self._insert(connection, (number, offset, now), event, body, first[6] + 1)
        return Receipt(event.id, self._give(number, offset))

    def _insert(
        self,
        connection: sqlite3.Connection,
        place: tuple[int, int, int],
        event: IncomingEvent,
        body: bytes,
        generation: int,
    ) -> bool:
        number, offset, now = place
        time = now if event.time_ms is None else event.time_ms
        row = (
            number, offset, record.EVENT, now, event.source, event.id, generation,
            event.type, event.subject, time, body,
        )  # fmt: skip
        if connection.execute(record.INSERT, row).rowcount != 1:
            return False
        size = len(body)
        self.unarchived[number] += size
        self.size += size
        return True

    def _known_before(
        self, number: int, id_: str, source: str, segments: list[SealedSegment]
    ) -> First | None:
        if not segments:
            return None
        identity = identity_hash(number, id_, source)
        found = (segment.first(number, id_, source, identity) for segment in reversed(segments))
        return next((first for first in found if first), None)

    def _give(self, number: int, offset: int) -> int:
        self._given[number] = offset
        self.count += 1
        return offset

    def _arrival(self) -> int:
        self.last_arrival = max(self.last_arrival, self._clock.now_ms())
        return self.last_arrival

    def _number(self, connection: sqlite3.Connection, account: str) -> int:
        number = self.numbers.get(account)
        if number is None:
            connection.execute("INSERT INTO account (account) VALUES (?)", (account,))
            number = connection.execute(
                "SELECT number FROM account WHERE account = ?", (account,)
            ).fetchone()[0]
            self.numbers[account] = number
        return number


def _file_bytes(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages * size)


def _duplicate(event: IncomingEvent, body: bytes, first: First) -> Receipt:
    offset, event_type, subject, time, first_body, _, _ = first
    differs = (
        (event.type, event.subject) != (event_type, subject)
        or (event.time_ms is not None and event.time_ms != time)
        or (body != first_body and decode_body(body) != decode_body(first_body))
    )
    return Receipt(event.id, offset, is_duplicate=True, is_conflict=differs)

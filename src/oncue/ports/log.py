"""The event log."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from oncue.core.event import Event, EventFilter, IncomingEvent
from oncue.core.pattern.records import LogRecord


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an incoming event; for a duplicate, `offset` is that of the first."""

    id: str
    offset: int
    is_duplicate: bool = False
    is_conflict: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the event time of an account had come, and when its last event had arrived."""

    newest_ms: int
    last_received_ms: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The records of a part of the log that somebody watches, and the offset it reaches to."""

    records: Sequence[LogRecord]
    upto: int


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time [from_ms, to_ms), looked at in steps."""

    from_ms: int
    to_ms: int
    step_ms: int


@dataclass(frozen=True, slots=True)
class EventUsage:
    """How many events arrived: by type, and in each step of the span."""

    by_type: Mapping[str, int]
    series: Sequence[int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_type.values())


@dataclass(frozen=True, slots=True)
class Archived:
    """What the archive holds of an account, or of all: `newest_ms` is when the last of it arrived."""

    files: int
    size: int
    events: int
    newest_ms: int | None
    waiting: int
    """Records that are due to be archived."""
    missing: int
    """Files that it should have, and that are not there."""


class Archive(Protocol):
    """Where events go from the log, to stay for long."""

    async def archive_due(self) -> int:
        """
        Archive a stretch of each account that has one, and return of how many accounts.

        Raises:
            Overloaded: it takes nothing now.
        """

    async def merge_next(self) -> bool:
        """
        Make one file of several small ones; return false once all were looked at.

        Raises:
            Overloaded: it takes nothing now.
        """

    async def rest(self) -> None:
        """Let go of what it takes to write, for there is nothing to be written."""

    def archived(self, account: str | None = None) -> Archived:
        """Return what it holds of an account, without one of all."""


class Past(Protocol):
    """What the log holds already."""

    async def at(self, account: str, offsets: Sequence[int]) -> list[Event]:
        """Return the events at some offsets, as far as they are still there, in their order."""

    async def between(
        self,
        account: str,
        bounds: tuple[int, int],
        limit: int,
        globs: Sequence[str],
        times: tuple[int, int],
    ) -> Stretch:
        """
        Return up to `limit` events of event time [from, to), from offsets (after, upto].

        Those of types that nobody watches are there as `Passed`.
        """

    async def mark(self, account: str, upto: int) -> Mark | None:
        """Return how far event time was after the record at `upto`; None before the first event."""

    async def offset_before(self, account: str, received_ms: int) -> int:
        """Return the last offset that arrived before an instant, 0 if none did."""

    async def find(self, account: str, event_id: str, source: str | None = None) -> Event | None:
        """Return the event of that id, without `source` the newest; nothing if there is none."""

    async def events(
        self, account: str, wanted: EventFilter, limit: int, before: int | None = None
    ) -> list[Event]:
        """Return events with an offset below `before`, newest first."""

    async def usage(self, account: str, span: Span) -> EventUsage:
        """Return how many events arrived in a span of time."""


class EventLog(Protocol):
    """The truth: what was accepted, in order, per account."""

    @property
    def past(self) -> Past:
        """What it holds already."""

    async def append(self, account: str, events: Sequence[IncomingEvent]) -> list[Receipt]:
        """Return when all are durable."""

    async def append_change(self, account: str, pattern_id: str, version: int) -> int:
        """Return the offset from which the version is seen; the same if told twice."""

    async def append_redriven(
        self, account: str, letter_id: str, pattern_id: str, event: Event
    ) -> int:
        """Return the offset from which a pattern sees an event again; the same if told twice."""

    async def read(self, account: str, after: int, limit: int) -> list[LogRecord]:
        """Return up to `limit` records with an offset above `after`, fewer where they are large."""

    async def append_tick(self, account: str) -> int:
        """Return the offset of a record that says what time it is."""

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

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """
        Call `listener` with the account whenever records of it have become durable.

        Returns what ends that.
        """

    def head(self, account: str) -> int:
        """Return the offset of the last durable record, 0 if there is none."""

"""The event log."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from oncue.core.event import Event, EventFilter, IncomingEvent


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an incoming event; for a duplicate, `offset` is that of the first."""

    id: str
    offset: int
    is_duplicate: bool = False
    is_conflict: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A record of the log: from here on a pattern is seen in this version."""

    offset: int
    received_at_ms: int
    pattern_id: str
    version: int


LogRecord: TypeAlias = Event | Change


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


class EventLog(Protocol):
    """The truth: what was accepted, in order, per account."""

    async def append(self, account: str, events: Sequence[IncomingEvent]) -> list[Receipt]:
        """Return when all are durable."""

    async def append_change(self, account: str, pattern_id: str, version: int) -> int:
        """Return the offset from which the version is seen; the same if told twice."""

    async def read(self, account: str, after: int, limit: int) -> list[LogRecord]:
        """Return up to `limit` records with an offset above `after`."""

    async def stretch(self, account: str, after: int, limit: int, globs: Sequence[str]) -> Stretch:
        """Return the changes, and up to `limit` events of the watched types, above an offset."""

    async def find(self, account: str, event_id: str, source: str | None = None) -> Event | None:
        """Return the event of that id, without `source` the newest; nothing if there is none."""

    async def events(
        self, account: str, wanted: EventFilter, limit: int, before: int | None = None
    ) -> list[Event]:
        """Return events with an offset below `before`, newest first."""

    async def usage(self, account: str, span: Span) -> EventUsage:
        """Return how many events arrived in a span of time."""

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """
        Call `listener` with the account whenever records of it have become durable.

        Returns what ends that.
        """

    def head(self, account: str) -> int:
        """Return the offset of the last durable record, 0 if there is none."""

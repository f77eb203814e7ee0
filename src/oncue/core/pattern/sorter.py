"""Events that wait until none before them can come, and then go on in the order of event time."""

from heapq import heappop, heappush
from typing import TypeAlias

import msgspec

from oncue.core.event import Event

MAX_WAITING = 100_000
"""Beyond it the earliest go on at once: a bound of memory that the log alone decides."""


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """An event that was admitted and not yet looked at."""

    key: str
    selectors: int
    event: Event


Entry: TypeAlias = tuple[int, int, Waiting]


class Sorter:
    """The events that wait behind the watermark of one pattern."""

    def __init__(self) -> None:
        self._heap: list[Entry] = []

    def __len__(self) -> int:
        return len(self._heap)

    def __contains__(self, offset: int) -> bool:
        return any(waiting_offset == offset for _, waiting_offset, _ in self._heap)

    def put(self, waiting: Waiting) -> None:
        """Let an event wait."""
        heappush(self._heap, (waiting.event.time_ms, waiting.event.offset, waiting))

    def take(self, watermark_ms: int) -> Waiting | None:
        """Return the earliest event, if none before it can come any more."""
        heap = self._heap
        return heappop(heap)[2] if heap and heap[0][0] < watermark_ms else None

    def overflow(self) -> Waiting | None:
        """Return the earliest event, if more wait than may."""
        return heappop(self._heap)[2] if len(self._heap) > MAX_WAITING else None

    def due_ms(self) -> int | None:
        """Return the watermark that lets the earliest go on."""
        return self._heap[0][0] + 1 if self._heap else None

    def all(self) -> list[Waiting]:
        """Return all that wait."""
        return [waiting for _, _, waiting in sorted(self._heap)]

"""Deadlines of keys, one each; the earliest is found at once, and what was put off is passed over."""

from collections.abc import Iterator
from heapq import heappop, heappush


class Deadlines:
    """
    When something is due, by key.

    >>> due = Deadlines()
    >>> due.set("b", 5); due.set("a", 5); due.set("c", 9); due.set("c", 4); due.set("a", 7)
    >>> list(due.until(5)), due.earliest()
    ([(4, 'c'), (5, 'b')], 7)
    """

    def __init__(self) -> None:
        self._of_key: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def set(self, key: str, at_ms: int | None) -> None:
        """Set the deadline of a key, in place of the one that it had; None: it has none."""
        if at_ms is None:
            self._of_key.pop(key, None)
        elif self._of_key.get(key) != at_ms:
            self._of_key[key] = at_ms
            heappush(self._heap, (at_ms, key))
            if len(self._heap) > 2 * len(self._of_key) + 64:
                self._heap = sorted((due, each) for each, due in self._of_key.items())

    def earliest(self) -> int | None:
        """Return the earliest deadline."""
        heap = self._heap
        while heap and self._of_key.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def until(self, watermark_ms: int) -> Iterator[tuple[int, str]]:
        """Yield and forget what is due, in the order of (deadline, key), also what is set meanwhile."""
        while (earliest := self.earliest()) is not None and earliest <= watermark_ms:
            key = heappop(self._heap)[1]
            del self._of_key[key]
            yield earliest, key

"""
When windows end, for very many keys that end at few instants.

A key has an entry at or before whatever is due of it, and not one for each change: where
what is due is put off, the entry stays, and when its instant comes the key is looked
at and entered again. (Measured on bench/match_threshold.py: a fifth of the memory that a
deadline and its place in a heap take for each key.)
"""

from collections.abc import Iterator
from heapq import heappop, heappush


class Schedule:
    """
    Keys by the instant at which to look at them.

    >>> schedule = Schedule()
    >>> schedule.add("b", 5); schedule.add("a", 5); schedule.add("c", 9); schedule.add("a", 5)
    >>> list(schedule.until(5)), schedule.earliest()
    ([(5, 'a'), (5, 'b')], 9)
    """

    def __init__(self) -> None:
        self._keys: dict[int, list[str]] = {}
        self._instants: list[int] = []

    def add(self, key: str, at_ms: int) -> None:
        """Look at a key at an instant, which is not earlier than what was yielded last."""
        keys = self._keys.get(at_ms)
        if keys is None:
            self._keys[at_ms] = [key]
            heappush(self._instants, at_ms)
        else:
            keys.append(key)

    def earliest(self) -> int | None:
        """Return the earliest instant at which something may be due."""
        return self._instants[0] if self._instants else None

    def until(self, watermark_ms: int) -> Iterator[tuple[int, str]]:
        """Yield and forget what may be due, in the order of (instant, key), also what is added."""
        while self._instants and self._instants[0] <= watermark_ms:
            at_ms = heappop(self._instants)
            for key in sorted(set(self._keys.pop(at_ms))):
                yield at_ms, key

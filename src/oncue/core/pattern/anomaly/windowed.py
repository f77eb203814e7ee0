"""The last values of a key: so many, or those of so long."""

from abc import abstractmethod
from array import array
from typing import Final

from msgspec import convert

from oncue.core.json_text import Json
from oncue.core.pattern.anomaly.model import Model

MAX_HELD: Final = 100_000
"""Values that a window holds at most, however long it is: beyond it the oldest go."""
_LEAST: Final = 10


class Windowed(Model):
    """
    A window of values in the order of their coming, to which subclasses add what they reckon.

    With a `span_ms` the window at t is (t - span, t]; a value that comes after one of a
    later time stays as long as that one. The values before `_head` have left it already:
    they are cut off when they are the larger part.
    """

    __slots__ = ("_head", "_least", "_size", "_span_ms", "_times", "_values")

    def __init__(self, size: int | None, span_ms: int | None, min_samples: int) -> None:
        self._size = size or MAX_HELD
        self._span_ms = span_ms
        self._least = max(2, min(self._size, min_samples, _LEAST))
        self._values = array("d")
        self._times = array("q")
        self._head = 0

    def __len__(self) -> int:
        return len(self._values) - self._head

    @property
    def is_telling(self) -> bool:
        """Whether the window holds enough values to judge by."""
        return len(self) >= self._least

    def pass_time(self, at_ms: int) -> bool:
        """Let go of the values that are too old; return whether none is left."""
        if self._span_ms is None:
            return False
        was_empty = not len(self)
        start_ms = at_ms - self._span_ms
        while len(self) and self._times[self._head] <= start_ms:
            self._drop()
        return not was_empty and not len(self)

    def learn(self, value: float, at_ms: int) -> None:
        """Take a value in, in place of the oldest if the window is full."""
        if len(self) == self._size:
            self._drop()
        self._values.append(value)
        if self._span_ms is not None:
            self._times.append(at_ms)
        self.reckon_in(value)

    def dump(self) -> Json:
        """Return the values and their times."""
        return [self._values[self._head :].tolist(), self._times[self._head :].tolist()]

    def take_up(self, dumped: object) -> None:
        """Go on from what `dump` gave, up to what subclasses add."""
        values, times = convert(dumped, tuple[list[float], list[int]])
        self._values = array("d", values)
        self._times = array("q", times)
        self._head = 0

    @abstractmethod
    def reckon_in(self, value: float) -> None:
        """Take note of the value that came last."""

    @abstractmethod
    def reckon_out(self) -> None:
        """Take note that the oldest value is about to go."""

    def _drop(self) -> None:
        self.reckon_out()
        self._head += 1
        if self._head * 2 > len(self._values) + _LEAST:
            del self._values[: self._head]
            del self._times[: self._head]
            self._head = 0

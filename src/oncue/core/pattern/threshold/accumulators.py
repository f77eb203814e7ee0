"""
What is kept of the samples of one window.

All accumulators are exact: they depend on what they hold and not on the order in
which it came, so windows may be filled late, merged, saved and read back.
"""

from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left, insort
from typing import TypeAlias

from oncue.core.json_text import Json
from oncue.core.pattern.threshold.numbers import exact, rounded
from oncue.core.pattern.threshold.values import Sample

Number: TypeAlias = float
Mark: TypeAlias = tuple[int, int, Sample]
"""A sample in its place: event time, offset in the log, and what was measured."""


class Accumulator(ABC):
    """
    Takes samples up, and gives back what is made of them.

    `value` is that of `count` events over a window so long; None if there is none.
    `absorb` takes up all that another one of its class holds.
    """

    __slots__ = ()

    @abstractmethod
    def add(self, mark: Mark) -> None:
        """Take up a sample."""

    @abstractmethod
    def value(self, count: int, span_ms: int) -> Number | None:
        """Return the measure."""

    @abstractmethod
    def absorb(self, other: "Accumulator") -> None:
        """Take up another window."""

    @abstractmethod
    def dump(self) -> Json:
        """Return it as plain data."""

    @abstractmethod
    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""


class Reversible(Accumulator):
    """An accumulator of a window that slides, so that samples are also taken away again."""

    __slots__ = ()

    @abstractmethod
    def remove(self, mark: Mark) -> None:
        """Give back a sample that was added."""


class Count(Reversible):
    """How many events; the window counts them anyway, so nothing is kept here."""

    __slots__ = ()

    def add(self, mark: Mark) -> None:
        """Take up a sample."""

    def remove(self, mark: Mark) -> None:
        """Give back a sample."""

    def value(self, count: int, span_ms: int) -> Number | None:  # noqa: ARG002 see Accumulator
        """Return how many."""
        return count

    def absorb(self, other: Accumulator) -> None:
        """Take up another window."""

    def dump(self) -> Json:
        """Return it as plain data."""
        return None

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""


class Rate(Count):
    """How many events per unit of time."""

    __slots__ = ("_per_ms",)

    def __init__(self, per_ms: int) -> None:
        self._per_ms = per_ms

    def value(self, count: int, span_ms: int) -> Number | None:
        """Return the rate."""
        return count * self._per_ms / span_ms


class Sum(Reversible):
    """The sum; of no events it is 0."""

    __slots__ = ("_total",)

    def __init__(self) -> None:
        self._total = 0

    def add(self, mark: Mark) -> None:
        """Take up a sample."""
        self._total += exact(_number(mark))

    def remove(self, mark: Mark) -> None:
        """Give back a sample."""
        self._total -= exact(_number(mark))

    def value(self, count: int, span_ms: int) -> Number | None:  # noqa: ARG002 see Accumulator
        """Return the sum."""
        return rounded(self._total)

    def absorb(self, other: Accumulator) -> None:
        """Take up another window."""
        assert isinstance(other, Sum)
        self._total += other._total

    def dump(self) -> Json:
        """Return it as plain data: the units are more than a JSON number holds."""
        return f"{self._total:x}"

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        assert isinstance(dumped, str)
        self._total = int(dumped, 16)


class Average(Sum):
    """The mean; of no events there is none."""

    __slots__ = ()

    def value(self, count: int, span_ms: int) -> Number | None:  # noqa: ARG002 see Accumulator
        """Return the mean."""
        return rounded(self._total, count) if count else None


class SumRate(Sum):
    """The sum per unit of time."""

    __slots__ = ("_per_ms",)

    def __init__(self, per_ms: int) -> None:
        super().__init__()
        self._per_ms = per_ms

    def value(self, count: int, span_ms: int) -> Number | None:  # noqa: ARG002 see Accumulator
        """Return the rate."""
        return rounded(self._total * self._per_ms, span_ms)


class Distinct(Reversible):
    """How many different values."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: dict[Sample, int] = {}

    def add(self, mark: Mark) -> None:
        """Take up a sample."""
        self._times[mark[2]] = self._times.get(mark[2], 0) + 1

    def remove(self, mark: Mark) -> None:
        """Give back a sample."""
        left = self._times[mark[2]] - 1
        if left:
            self._times[mark[2]] = left
        else:
            del self._times[mark[2]]

    def value(self, count: int, span_ms: int) -> Number | None:  # noqa: ARG002 see Accumulator
        """Return how many."""
        return len(self._times)

    def absorb(self, other: Accumulator) -> None:
        """Take up another window."""
        assert isinstance(other, Distinct)
        for value, times in other._times.items():
            self._times[value] = self._times.get(value, 0) + times

    def dump(self) -> Json:
        """Return it as plain data."""
        return [[value, times] for value, times in self._times.items()]

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        assert isinstance(dumped, list)
        self._times = dict(dumped)


class Ranked(Reversible):
    """
    The value at a rank from below: the smallest, the largest, or a percentile.

    A percentile is the nearest rank, so a value that occurred: p90 is the smallest
    one that at least 90 % of the values do not exceed.
    """

    __slots__ = ("_percent", "_sorted")

    def __init__(self, percent: int) -> None:
        self._percent = percent
        self._sorted = array("d")

    def add(self, mark: Mark) -> None:
        """Take up a sample."""
        insort(self._sorted, _number(mark))

    def remove(self, mark: Mark) -> None:
        """Give back a sample."""
        del self._sorted[bisect_left(self._sorted, _number(mark))]

    def value(self, count: int, span_ms: int) -> Number | None:  # noqa: ARG002 see Accumulator
        """Return the value at the rank."""
        held = len(self._sorted)
        return self._sorted[max(0, -(-held * self._percent // 100) - 1)] if held else None

    def absorb(self, other: Accumulator) -> None:
        """Take up another window."""
        assert isinstance(other, Ranked)
        self._sorted = array("d", sorted([*self._sorted, *other._sorted]))

    def dump(self) -> Json:
        """Return it as plain data."""
        return list(self._sorted)

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        assert isinstance(dumped, list)
        self._sorted = array("d", dumped)


class Last(Reversible):
    """The value that is last in event time; of one instant, the one that arrived last."""

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks: list[Mark] = []

    def add(self, mark: Mark) -> None:
        """Take up a sample."""
        insort(self._marks, mark)

    def remove(self, mark: Mark) -> None:
        """Give back a sample."""
        del self._marks[bisect_left(self._marks, mark)]

    def value(self, count: int, span_ms: int) -> Number | None:  # noqa: ARG002 see Accumulator
        """Return the last value."""
        return _number(self._marks[-1]) if self._marks else None

    def absorb(self, other: Accumulator) -> None:
        """Take up another window."""
        assert isinstance(other, Last)
        self._marks = sorted([*self._marks, *other._marks])

    def dump(self) -> Json:
        """Return it as plain data."""
        return [list(mark) for mark in self._marks]

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        assert isinstance(dumped, list)
        self._marks = [(time_ms, offset, value) for time_ms, offset, value in dumped]


class Greatest(Accumulator):
    """The one sample of most weight; what weighs is decided by the subclass."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: Mark | None = None

    @abstractmethod
    def outweighs(self, mark: Mark, held: Mark) -> bool:
        """Return whether a sample takes the place of the one that is held."""

    def add(self, mark: Mark) -> None:
        """Take up a sample."""
        if self._held is None or self.outweighs(mark, self._held):
            self._held = mark

    def value(self, count: int, span_ms: int) -> Number | None:  # noqa: ARG002 see Accumulator
        """Return its value."""
        return None if self._held is None else _number(self._held)

    def absorb(self, other: Accumulator) -> None:
        """Take up another window."""
        assert isinstance(other, Greatest)
        if other._held is not None:
            self.add(other._held)

    def dump(self) -> Json:
        """Return it as plain data."""
        return None if self._held is None else list(self._held)

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        if isinstance(dumped, list):
            self._held = (dumped[0], dumped[1], dumped[2])


class Smallest(Greatest):
    """The smallest value of a window to which samples are only added."""

    __slots__ = ()

    def outweighs(self, mark: Mark, held: Mark) -> bool:
        """Return whether it is smaller."""
        return _number(mark) < _number(held)


class Largest(Greatest):
    """The largest value of a window to which samples are only added."""

    __slots__ = ()

    def outweighs(self, mark: Mark, held: Mark) -> bool:
        """Return whether it is larger."""
        return _number(mark) > _number(held)


class Newest(Greatest):
    """The last value of a window to which samples are only added."""

    __slots__ = ()

    def outweighs(self, mark: Mark, held: Mark) -> bool:
        """Return whether it is later; of one instant, whether it arrived later."""
        return mark[:2] > held[:2]


def _number(mark: Mark) -> float:
    number = mark[2]
    assert isinstance(number, float)
    return number

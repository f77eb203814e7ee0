"""
Aggregates of SQL over the rows of a window: NULL takes no part, and of nothing most are NULL.

All are exact, so they depend on the rows and not on the order in which these came. What
FILTER leaves out is NULL before it comes here.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from oncue.core.json_text import Json
from oncue.core.pattern.threshold.accumulators import Accumulator, Mark, Number, Reversible
from oncue.core.pattern.threshold.numbers import exact, rounded
from oncue.core.pattern.threshold.values import canonical
from oncue.core.sql.values import bounded

_UNIT_BITS: Final = 1074
Ordered: TypeAlias = tuple[bool, float | str]
"""A number or a text, so that all have an order: numbers come before texts."""


class Aggregate(ABC):
    """Takes values up that are not NULL, and gives back what is made of them."""

    __slots__ = ()

    @abstractmethod
    def add(self, value: Json) -> None:
        """Take up a value."""

    @abstractmethod
    def result(self) -> Json:
        """Return what is made of them."""

    @abstractmethod
    def absorb(self, other: "Aggregate") -> None:
        """Take up all that another one of its class holds."""

    @abstractmethod
    def dump(self) -> Json:
        """Return it as plain data."""

    @abstractmethod
    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""


class Sliding(Aggregate):
    """An aggregate of a window that slides, so that values are also taken away again."""

    __slots__ = ()

    @abstractmethod
    def remove(self, value: Json) -> None:
        """Give back a value that was added."""


class Counted(Sliding):
    """How many values."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def add(self, value: Json) -> None:  # noqa: ARG002 see Aggregate
        """Take up a value."""
        self.count += 1

    def remove(self, value: Json) -> None:  # noqa: ARG002 see Sliding
        """Give back a value."""
        self.count -= 1

    def result(self) -> Json:
        """Return how many."""
        return self.count

    def absorb(self, other: Aggregate) -> None:
        """Take up another window."""
        assert isinstance(other, Counted)
        self.count += other.count

    def dump(self) -> Json:
        """Return it as plain data."""
        return self.count

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        assert isinstance(dumped, int)
        self.count = dumped


class CountedDistinct(Sliding):
    """How many different values."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def add(self, value: Json) -> None:
        """Take up a value."""
        text = canonical(value)
        self._times[text] = self._times.get(text, 0) + 1

    def remove(self, value: Json) -> None:
        """Give back a value."""
        text = canonical(value)
        self._times[text] -= 1
        if not self._times[text]:
            del self._times[text]

    def result(self) -> Json:
        """Return how many."""
        return len(self._times)

    def absorb(self, other: Aggregate) -> None:
        """Take up another window."""
        assert isinstance(other, CountedDistinct)
        for text, times in other._times.items():
            self._times[text] = self._times.get(text, 0) + times

    def dump(self) -> Json:
        """Return it as plain data."""
        return [[text, times] for text, times in self._times.items()]

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        assert isinstance(dumped, list)
        self._times = dict(dumped)


class Total(Sliding):
    """
    The sum: a whole number, where all were, and else a float.

    Whole numbers are added up as they are, and floats exactly, in `_units`.
    """

    __slots__ = ("_count", "_fractions", "_units", "_whole")

    def __init__(self) -> None:
        self._whole = 0
        self._units = 0
        self._count = 0
        self._fractions = 0

    def add(self, value: Json) -> None:
        """Take up a number."""
        self._count += 1
        if isinstance(value, int):
            self._whole += value
            return
        assert isinstance(value, float)
        self._units += exact(value)
        self._fractions += 1

    def remove(self, value: Json) -> None:
        """Give back a number."""
        self._count -= 1
        if isinstance(value, int):
            self._whole -= value
            return
        assert isinstance(value, float)
        self._units -= exact(value)
        self._fractions -= 1

    def result(self) -> Json:
        """Return the sum."""
        if not self._count:
            return None
        if self._fractions:
            return rounded(self._all_units)
        return bounded(self._whole + (self._units >> _UNIT_BITS))

    def mean(self) -> Json:
        """Return the mean."""
        return rounded(self._all_units, self._count) if self._count else None

    @property
    def _all_units(self) -> int:
        return self._units + (self._whole << _UNIT_BITS)

    def absorb(self, other: Aggregate) -> None:
        """Take up another window."""
        assert isinstance(other, Total)
        self._whole += other._whole
        self._units += other._units
        self._count += other._count
        self._fractions += other._fractions

    def dump(self) -> Json:
        """Return it as plain data: the units are more than a JSON number holds."""
        return [f"{self._all_units:x}", self._count, self._fractions]

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        assert isinstance(dumped, list)
        units, self._count, self._fractions = dumped
        self._units, self._whole = int(units, 16), 0


class Mean(Total):
    """The mean."""

    __slots__ = ()

    def result(self) -> Json:
        """Return the mean."""
        return self.mean()


class Least(Aggregate):
    """The smallest of values that are only added; `is_greatest` makes it the largest."""

    __slots__ = ("_held",)
    is_greatest = False

    def __init__(self) -> None:
        self._held: Ordered | None = None

    def add(self, value: Json) -> None:
        """Take up a value."""
        place = ordered(value)
        if place is None:
            return
        if self._held is None or (place > self._held if self.is_greatest else place < self._held):
            self._held = place

    def result(self) -> Json:
        """Return it."""
        return None if self._held is None else self._held[1]

    def absorb(self, other: Aggregate) -> None:
        """Take up another window."""
        assert isinstance(other, Least)
        self.add(other.result())

    def dump(self) -> Json:
        """Return it as plain data."""
        return self.result()

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        self._held = ordered(dumped)


class Greatest(Least):
    """The largest of values that are only added."""

    __slots__ = ()
    is_greatest = True


class Lowest(Sliding):
    """The smallest of values that come and go; `end` is where it stands among all in order."""

    __slots__ = ("_sorted",)
    end = 0

    def __init__(self) -> None:
        self._sorted: list[Ordered] = []

    def add(self, value: Json) -> None:
        """Take up a value."""
        place = ordered(value)
        if place is not None:
            insort(self._sorted, place)

    def remove(self, value: Json) -> None:
        """Give back a value."""
        place = ordered(value)
        if place is not None:
            del self._sorted[bisect_left(self._sorted, place)]

    def result(self) -> Json:
        """Return it."""
        return self._sorted[self.end][1] if self._sorted else None

    def absorb(self, other: Aggregate) -> None:
        """Take up another window."""
        assert isinstance(other, Lowest)
        self._sorted = sorted([*self._sorted, *other._sorted])

    def dump(self) -> Json:
        """Return it as plain data."""
        return [value for _, value in self._sorted]

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        assert isinstance(dumped, list)
        self._sorted = [place for value in dumped if (place := ordered(value)) is not None]


class Highest(Lowest):
    """The largest of values that come and go."""

    __slots__ = ()
    end = -1


def ordered(value: Json) -> Ordered | None:
    """Return the place of a number or a text among all; None, if it has none."""
    if isinstance(value, str):
        return True, value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return False, value
    return None


class Several(Accumulator):
    """Several aggregates of the same rows: a sample is the value of each, in their order."""

    __slots__ = ("_parts",)

    def __init__(self, makes: Sequence[Callable[[], Aggregate]]) -> None:
        self._parts: Sequence[Aggregate] = [make() for make in makes]

    def add(self, mark: Mark) -> None:
        """Take up a row."""
        values = mark[2]
        assert isinstance(values, tuple)
        for part, value in zip(self._parts, values, strict=True):
            if value is not None:
                part.add(value)

    def value(self, count: int, span_ms: int) -> Number | None:  # noqa: ARG002 see Accumulator
        """Return nothing: there is more than one number in it."""
        return None

    def results(self) -> tuple[Json, ...]:
        """Return what is made of the rows."""
        return tuple([part.result() for part in self._parts])

    def absorb(self, other: Accumulator) -> None:
        """Take up another window."""
        assert isinstance(other, Several)
        for part, more in zip(self._parts, other._parts, strict=True):
            part.absorb(more)

    def dump(self) -> Json:
        """Return it as plain data."""
        return [part.dump() for part in self._parts]

    def load(self, dumped: Json) -> None:
        """Take up what was dumped."""
        assert isinstance(dumped, list)
        for part, kept in zip(self._parts, dumped, strict=True):
            part.load(kept)


class SeveralSliding(Several, Reversible):
    """Several aggregates of a window that slides."""

    __slots__ = ()
    _parts: Sequence[Sliding]

    def __init__(self, makes: Sequence[Callable[[], Sliding]]) -> None:
        super().__init__(makes)

    def remove(self, mark: Mark) -> None:
        """Give back a row."""
        values = mark[2]
        assert isinstance(values, tuple)
        for part, value in zip(self._parts, values, strict=True):
            if value is not None:
                part.remove(value)

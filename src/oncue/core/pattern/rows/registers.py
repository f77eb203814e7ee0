"""
What is kept of a thread's rows, so that its conditions need not look back over all of them.

    the last n rows of some variables    the first n rows    an aggregate

Each is a value that follows from the one before and the next row. Threads that stand
at one place of the program with the same registers have the same future: all but the
most preferred of them are dropped.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

from oncue.core.json_text import Json
from oncue.core.pattern.canonical import canonical_key
from oncue.core.pattern.rows.row import Here, Registers, Row, Spot
from oncue.core.sql import values


class Register(ABC):
    """One thing that is kept; `mask` has the bits of the variables whose rows it is about."""

    def __init__(self, mask: int) -> None:
        self.mask = mask

    @property
    @abstractmethod
    def begin(self) -> object:
        """What it is before the first row."""

    @abstractmethod
    def after(self, kept: object, here: Here) -> object:
        """Return what it is after one more row of its variables."""


class LastRows(Register):
    """The numbers of the last rows."""

    def __init__(self, mask: int) -> None:
        super().__init__(mask)
        self.depth = 1

    @property
    def begin(self) -> object:
        """No rows."""
        return ()

    def after(self, kept: object, here: Here) -> object:
        """Return the rows with one more, the oldest one left out."""
        assert isinstance(kept, tuple)
        return (*kept[1 - self.depth :], here.at) if self.depth > 1 else (here.at,)


class FirstRows(Register):
    """The numbers of the first rows."""

    def __init__(self, mask: int) -> None:
        super().__init__(mask)
        self.depth = 1

    @property
    def begin(self) -> object:
        """No rows."""
        return ()

    def after(self, kept: object, here: Here) -> object:
        """Return the rows, with one more where there are not enough."""
        assert isinstance(kept, tuple)
        return (*kept, here.at) if len(kept) < self.depth else kept


class Aggregate(Register):
    """An aggregate over the values of an expression; `key` is the same for the same aggregate."""

    def __init__(
        self,
        mask: int,
        key: str,
        of: Callable[[Here], Json],
        counts: Callable[[Here], bool],
    ) -> None:
        super().__init__(mask)
        self.key = key
        self._of = of
        self._counts = counts

    @abstractmethod
    def with_value(self, kept: object, value: Json) -> object:
        """Return what is kept with one more value."""

    @abstractmethod
    def result(self, kept: object) -> Json:
        """Return the aggregate of what was kept."""

    def after(self, kept: object, here: Here) -> object:
        """Return what is kept with the value of one more row, if it has one."""
        if not self._counts(here):
            return kept
        value = self._of(here)
        return kept if value is None else self.with_value(kept, value)


class Count(Aggregate):
    """How many values there are."""

    @property
    def begin(self) -> object:
        """None yet."""
        return 0

    def with_value(self, kept: object, value: Json) -> object:
        """Return one more."""
        assert isinstance(kept, int)
        return kept + (value is not None)

    def result(self, kept: object) -> Json:
        """Return the count."""
        assert isinstance(kept, int)
        return kept


class CountDistinct(Aggregate):
    """How many different values there are."""

    @property
    def begin(self) -> object:
        """None yet."""
        return frozenset()

    def with_value(self, kept: object, value: Json) -> object:
        """Return the values with one more."""
        assert isinstance(kept, frozenset)
        return kept | {canonical_key([value])}

    def result(self, kept: object) -> Json:
        """Return the count."""
        assert isinstance(kept, frozenset)
        return len(kept)


class Sum(Aggregate):
    """The sum of numbers; NULL where there are none."""

    @property
    def begin(self) -> object:
        """No numbers."""
        return (0, 0)

    def with_value(self, kept: object, value: Json) -> object:
        """Return the count and the sum with one more number."""
        assert isinstance(kept, tuple)
        return (kept[0] + 1, kept[1] + value)

    def result(self, kept: object) -> Json:
        """Return the sum."""
        assert isinstance(kept, tuple)
        return values.bounded(kept[1]) if kept[0] else None


class Average(Sum):
    """The mean of numbers; NULL where there are none."""

    def result(self, kept: object) -> Json:
        """Return the mean."""
        assert isinstance(kept, tuple)
        total = values.bounded(kept[1])
        return (
            values.bounded(total / kept[0]) if kept[0] and isinstance(total, int | float) else None
        )


class Extreme(Aggregate):
    """The least or the greatest value; NULL where there is none."""

    wanted = -1

    @property
    def begin(self) -> object:
        """No value."""
        return None

    def with_value(self, kept: object, value: Json) -> object:
        """Return the better of two values."""
        assert kept is None or isinstance(kept, bool | int | float | str)
        return value if kept is None or values.order(value, kept) == self.wanted else kept

    def result(self, kept: object) -> Json:
        """Return the value."""
        assert kept is None or isinstance(kept, bool | int | float | str)
        return kept


class Greatest(Extreme):
    """The greatest value."""

    wanted = 1


class Memory:
    """The registers that some expressions need; equal ones are kept once."""

    def __init__(self) -> None:
        self.registers: list[Register] = []

    def last(self, mask: int, depth: int) -> int:
        """Return the place of the last rows of some variables, at least so many of them."""
        return self._rows(LastRows, mask, depth)

    def first(self, mask: int, depth: int) -> int:
        """Return the place of the first rows of some variables, at least so many of them."""
        return self._rows(FirstRows, mask, depth)

    def _rows(self, type_: type[LastRows] | type[FirstRows], mask: int, depth: int) -> int:
        for place, register in enumerate(self.registers):
            if isinstance(register, type_) and register.mask == mask:
                register.depth = max(register.depth, depth)
                return place
        added = type_(mask)
        added.depth = depth
        self.registers.append(added)
        return len(self.registers) - 1

    def aggregate(self, aggregate: Aggregate) -> int:
        """Return the place of an aggregate."""
        for place, register in enumerate(self.registers):
            if (
                isinstance(register, Aggregate)
                and type(register) is type(aggregate)
                and (register.mask, register.key) == (aggregate.mask, aggregate.key)
            ):
                return place
        self.registers.append(aggregate)
        return len(self.registers) - 1

    def begin(self) -> Registers:
        """Return the registers before the first row."""
        return tuple(register.begin for register in self.registers)

    def after(self, kept: Registers, spot: Spot, row: Row, label: int) -> Registers:
        """Return the registers after one more row, which is the current one of `spot`."""
        if not self.registers:
            return kept
        bit = 1 << label
        here = Here(row, spot.at, label, spot.number)
        return tuple(
            register.after(value, here) if register.mask & bit else value
            for register, value in zip(self.registers, kept, strict=True)
        )

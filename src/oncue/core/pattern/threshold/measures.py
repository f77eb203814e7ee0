"""Measures by name: what is made of the events of a window."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from oncue.core.pattern.threshold.accumulators import (
    Accumulator,
    Average,
    Count,
    Distinct,
    Largest,
    Last,
    Newest,
    Number,
    Ranked,
    Rate,
    Reversible,
    Smallest,
    Sum,
    SumRate,
)

_PERCENTILE: Final = re.compile(r"p([5-9]\d)", re.ASCII)
_COUNT: Final = Count()
_SLIDING: Final[Mapping[str, Callable[[], Reversible]]] = {
    # It keeps nothing, so that one does for all windows.
    "count": lambda: _COUNT,
    "sum": Sum,
    "avg": Average,
    "distinct": Distinct,
    "min": lambda: Ranked(0),
    "max": lambda: Ranked(100),
    "last": Last,
}
_CLOSING: Final[Mapping[str, Callable[[], Accumulator]]] = {
    "min": Smallest,
    "max": Largest,
    "last": Newest,
}


@dataclass(frozen=True, slots=True)
class Measure:
    """
    A measure: its name, and how its accumulators begin.

    `sliding` makes those that give samples back, `closing` those that need not and
    keep less.
    """

    name: str
    sliding: Callable[[], Reversible]
    closing: Callable[[], Accumulator]

    @property
    def of_nothing(self) -> Number | None:
        """The measure of an empty window."""
        return self.sliding().value(0, 1)


def measure_named(name: str, *, has_value: bool = False, per_ms: int = 1_000) -> Measure:
    """
    Return the measure that has a name.

    `has_value` says that a rate is that of a value and not of events, `per_ms` is its
    unit of time.
    """
    if name == "rate":
        rate: Callable[[], Reversible] = (
            (lambda: SumRate(per_ms)) if has_value else (lambda: Rate(per_ms))
        )
        return Measure(name, rate, rate)
    percent = percentile(name)
    if percent is not None:
        return Measure(name, lambda: Ranked(percent), lambda: Ranked(percent))
    sliding = _SLIDING[name]
    return Measure(name, sliding, _CLOSING.get(name, sliding))


def percentile(name: str) -> int | None:
    """
    Return which percentile a name means, of p50 to p99.

    >>> percentile("p95"), percentile("p42"), percentile("avg")
    (95, None, None)
    """
    found = _PERCENTILE.fullmatch(name)
    return int(found[1]) if found else None

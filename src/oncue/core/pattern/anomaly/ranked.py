"""
Median of a window, and a spread that up to a quarter or half of wild values cannot move.

    mad: 1.4826 * the median of |x - median|       iqr: (Q3 - Q1) / 1.349

The factors make both the standard deviation where values are normally distributed,
so that a threshold means the same with every method.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from oncue.core.pattern.anomaly.model import Expectation
from oncue.core.pattern.anomaly.windowed import Windowed

MAD_OF_NORMAL: Final = 0.6744897501960817
IQR_OF_NORMAL: Final = 2 * MAD_OF_NORMAL

Spread: TypeAlias = Callable[[Sequence[float]], float]
"""How far values are apart, of values in ascending order."""


class Ranked(Windowed):
    """A window whose values are also kept in ascending order."""

    __slots__ = ("_ranks", "_spread")

    def __init__(
        self, size: int | None, span_ms: int | None, min_samples: int, spread: Spread
    ) -> None:
        super().__init__(size, span_ms, min_samples)
        self._spread = spread
        self._ranks: list[float] = []

    def expect(self, _at_ms: int) -> Expectation | None:
        """Return the median and the spread."""
        if not self.is_telling:
            return None
        return Expectation(median(self._ranks), self._spread(self._ranks))

    def reckon_in(self, value: float) -> None:
        """Put a value in its place."""
        insort(self._ranks, value)

    def reckon_out(self) -> None:
        """Take the oldest out of its place."""
        del self._ranks[bisect_left(self._ranks, self._values[self._head])]

    def take_up(self, dumped: object) -> None:
        """Go on from what `dump` gave."""
        super().take_up(dumped)
        self._ranks = sorted(self._values)


def median(ranks: Sequence[float]) -> float:
    """Return the middle of values in ascending order, or the mean of the two in the middle."""
    middle, is_odd = divmod(len(ranks), 2)
    return ranks[middle] if is_odd else (ranks[middle - 1] + ranks[middle]) / 2


def quantile(ranks: Sequence[float], share: float) -> float:
    """Return a quantile by linear interpolation (Hyndman and Fan's seventh)."""
    place = (len(ranks) - 1) * share
    below = int(place)
    if below + 1 == len(ranks):
        return ranks[below]
    return ranks[below] + (ranks[below + 1] - ranks[below]) * (place - below)


def spread_by_mad(ranks: Sequence[float]) -> float:
    """Return the median of the distances from the median, as a standard deviation."""
    middle = median(ranks)
    half, is_odd = divmod(len(ranks), 2)
    upper = _distance_of(ranks, middle, half + 1)
    return (upper if is_odd else (_distance_of(ranks, middle, half) + upper) / 2) / MAD_OF_NORMAL


def spread_by_iqr(ranks: Sequence[float]) -> float:
    """Return the distance between the quartiles, as a standard deviation."""
    return (quantile(ranks, 0.75) - quantile(ranks, 0.25)) / IQR_OF_NORMAL


def _distance_of(ranks: Sequence[float], middle: float, count: int) -> float:
    """Return the `count`th smallest distance: the `count` nearest values stand side by side."""
    low, high = 0, len(ranks) - count
    while low < high:
        start = (low + high) // 2
        if middle - ranks[start] > ranks[start + count] - middle:
            low = start + 1
        else:
            high = start
    return max(middle - ranks[low], ranks[low + count - 1] - middle)

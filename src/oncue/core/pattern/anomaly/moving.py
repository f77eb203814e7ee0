"""
Mean and standard deviation of a window, in constant time and without drift.

Taking a value out of running sums loses what rounding lost, for ever. So nothing is
taken out. The window is two stacks: behind, the newer values with their sums so far;
in front, for each older value the sums from it up to the border. A value that leaves
takes its sums with it; when the front is used up, all that is behind is turned over.

    front: Σ[0..3] Σ[1..3] Σ[2..3] Σ[3..3] │ behind: Σ[4..6]
           └ oldest, leaves next                    └ newest, comes here
"""

from array import array
from math import sqrt
from typing import NamedTuple

from msgspec import convert

from oncue.core.json_text import Json
from oncue.core.pattern.anomaly.model import Expectation
from oncue.core.pattern.anomaly.windowed import Windowed


class Moments(NamedTuple):
    """Of some values: how many, their mean, and the sum of squares around it."""

    values: int
    mean: float
    moment: float

    def with_value(self, value: float) -> "Moments":
        """Return the moments with one value more (Welford 1962)."""
        values = self.values + 1
        deviation = value - self.mean
        mean = self.mean + deviation / values
        return Moments(values, mean, self.moment + deviation * (value - mean))

    def joined(self, other: "Moments") -> "Moments":
        """Return the moments of both (Chan, Golub and LeVeque 1979)."""
        if not self.values or not other.values:
            return self if self.values else other
        values = self.values + other.values
        deviation = other.mean - self.mean
        share = other.values / values
        moment = self.moment + other.moment + deviation * deviation * self.values * share
        return Moments(values, self.mean + deviation * share, moment)


_NONE = Moments(0, 0.0, 0.0)


class Moving(Windowed):
    """The window as two stacks; the top of the front's is that of the oldest value."""

    __slots__ = ("_behind", "_means", "_moments")

    def __init__(self, size: int | None, span_ms: int | None, min_samples: int) -> None:
        super().__init__(size, span_ms, min_samples)
        self._behind = _NONE
        self._means = array("d")
        self._moments = array("d")

    def expect(self, _at_ms: int) -> Expectation | None:
        """Return the mean and the standard deviation."""
        if not self.is_telling:
            return None
        whole = self._behind
        if self._means:
            whole = Moments(len(self._means), self._means[-1], self._moments[-1]).joined(whole)
        return Expectation(whole.mean, sqrt(whole.moment / (whole.values - 1)))

    def reckon_in(self, value: float) -> None:
        """Add a value to those behind."""
        self._behind = self._behind.with_value(value)

    def reckon_out(self) -> None:
        """Take the oldest off the front."""
        if not self._means:
            self._turn_over(len(self))
        self._means.pop()
        self._moments.pop()

    def dump(self) -> Json:
        """Return the window, and how many of its values stand in front."""
        return [super().dump(), len(self._means)]

    def take_up(self, dumped: object) -> None:
        """Go on from what `dump` gave: the same sums over the same values in the same order."""
        window, count = convert(dumped, tuple[object, int])
        super().take_up(window)
        self._means, self._moments = array("d"), array("d")
        self._turn_over(count)
        for value in self._values[count:]:
            self.reckon_in(value)

    def _turn_over(self, count: int) -> None:
        sums = _NONE
        for value in reversed(self._values[self._head : self._head + count]):
            sums = sums.with_value(value)
            self._means.append(sums.mean)
            self._moments.append(sums.moment)
        self._behind = _NONE

"""
Mean and variance in which older values count less: half as much per half-life.

    weight of value i = 2 ^ -(its age / half-life)
    expected          = Σ w·x / Σ w
    spread²           = Σ w·(x - expected)² / (Σ w - Σ w² / Σ w)

The divisor makes the variance unbiased under weights that say how reliable a value
is (Bessel's correction, generalised). The sums are carried along as Welford's
algorithm does it, weighted (West 1979): nothing is subtracted that is nearly equal.
"""

from collections.abc import Sequence
from math import exp2, sqrt
from typing import Final

from msgspec import convert

from oncue.core.json_text import Json
from oncue.core.pattern.anomaly.model import Expectation, Model

OUTDATED_AFTER: Final = 10
"""Half-lives without a value, after which less than a thousandth of what was learnt counts."""


class Weighted:
    """The sums: of the weights, of their squares, the mean, and the weighted squares around it."""

    __slots__ = ("mean", "moment", "squares", "weight")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all values."""
        self.weight = 0.0
        self.squares = 0.0
        self.mean = 0.0
        self.moment = 0.0

    def add(self, value: float, decay: float) -> float:
        """Let a value count after the others lost their share; return what it adds to the moment."""
        self.weight = weight = self.weight * decay + 1.0
        self.squares = self.squares * decay * decay + 1.0
        deviation = value - self.mean
        self.mean = mean = self.mean + deviation / weight
        added = deviation * (value - mean)
        if added < 0.0:
            # The new mean lies between the old one and the value, but for rounding.
            added = 0.0
        self.moment = self.moment * decay + added
        return added

    @property
    def freedom(self) -> float:
        """What the squares are divided by: about the number of values that count, less one."""
        return self.weight - self.squares / self.weight if self.weight else 0.0

    def sums(self) -> list[float]:
        """Return the sums as plain data."""
        return [self.weight, self.squares, self.mean, self.moment]

    def set_sums(self, sums: Sequence[float]) -> None:
        """Take up what `sums` gave."""
        self.weight, self.squares, self.mean, self.moment = sums


class Decaying(Model, Weighted):
    """Exponential weights; the half-life is a number of values, or else a time."""

    __slots__ = ("_decay", "_half_life_ms", "_last_ms")

    def __init__(self, half_life: int | None, half_life_ms: int | None) -> None:
        super().__init__()
        self._decay = exp2(-1.0 / half_life) if half_life else 0.0
        self._half_life_ms = half_life_ms
        self._last_ms = 0

    def pass_time(self, at_ms: int) -> bool:
        """Forget all of it, if the last value is ten half-lives of time ago."""
        half_life_ms = self._half_life_ms
        if half_life_ms is None or at_ms - self._last_ms <= OUTDATED_AFTER * half_life_ms:
            return False
        self.clear()
        return True

    def expect(self, _at_ms: int) -> Expectation | None:
        """Return the mean and the spread around it."""
        freedom = self.freedom
        if freedom <= 0.0:
            return None
        return Expectation(self.mean, sqrt(self.moment / freedom))

    def learn(self, value: float, at_ms: int) -> None:
        """Let a value count in full, and all before it less."""
        if self._half_life_ms is None:
            self.add(value, self._decay)
            return
        last_ms = self._last_ms if self.weight else at_ms
        # An event may come after one of a later time: it counts as though it were as late.
        self._last_ms = max(at_ms, last_ms)
        self.add(value, exp2((last_ms - self._last_ms) / self._half_life_ms))

    def dump(self) -> Json:
        """Return the sums, and when the last value came."""
        return [*self.sums(), self._last_ms]

    def take_up(self, dumped: object) -> None:
        """Go on from what `dump` gave."""
        *sums, last_ms = convert(dumped, tuple[float, float, float, float, int])
        self.set_sums(sums)
        self._last_ms = last_ms

"""
How far is far: a value is scored against what was learnt, and only then learnt.

    score = |value - expected| / scale      scale = max(spread, floor)
    floor = max(min_scale.abs, min_scale.rel * |expected|)

The floor keeps a constant series from having no scale. Where all of it is 0, so
that spread and floor are 0 too, any other value is as far as can be said.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from msgspec import convert

from oncue.core.json_text import Json
from oncue.core.pattern.anomaly.model import Model
from oncue.core.pattern.keyed import Remembered

FARTHEST: Final = 1e9
"""No score is above it: JSON has no infinity."""

Direction: TypeAlias = Literal["both", "up", "down"]
Learning: TypeAlias = Literal["always", "winsorize", "freeze"]


@dataclass(frozen=True, slots=True)
class Rule:
    """From where on a value is an anomaly, after how many values, and what is learnt of it."""

    threshold: float
    direction: Direction = "both"
    min_samples: int = 300
    floor_abs: float = 0.0
    floor_rel: float = 0.01
    learn: Learning = "always"


class Series(Remembered):
    """
    The values of one key.

    `seen` counts them all, `learnt` those that the model took in since it began,
    `far` those far off since the last that was not. `is_out` says that the last
    value was an anomaly.
    """

    __slots__ = ("far", "is_out", "learnt", "model", "seen")

    def __init__(self, model: Model) -> None:
        self.model = model
        self.seen = 0
        self.learnt = 0
        self.far = 0
        self.is_out = False


class Verdict(NamedTuple):
    """What is thought of one value before it is learnt; `is_far` is said of both directions."""

    expected: float
    scale: float
    score: float
    is_far: bool
    is_anomaly: bool


class Judge:
    """A rule, and the sort of model that it judges by."""

    def __init__(self, rule: Rule, model: Callable[[], Model]) -> None:
        self.rule = rule
        self._model = model

    def begin(self) -> Series:
        """Return a series without values."""
        return Series(self._model())

    def verdict(self, series: Series, value: float, at_ms: int) -> Verdict | None:
        """Return what to think of a value; None while too little is known of its key."""
        rule = self.rule
        if series.model.pass_time(at_ms):
            series.learnt = series.far = 0
        if series.learnt < rule.min_samples:
            return None
        expectation = series.model.expect(at_ms)
        if expectation is None:
            return None
        expected, spread = expectation
        scale = max(spread, rule.floor_abs, rule.floor_rel * abs(expected))
        deviation = value - expected
        score = _score(abs(deviation), scale)
        is_far = score >= rule.threshold
        is_wanted = rule.direction == "both" or (deviation > 0) == (rule.direction == "up")
        return Verdict(expected, scale, score, is_far, is_far and is_wanted)

    def learn(self, series: Series, value: float, at_ms: int, verdict: Verdict | None) -> None:
        """Take in a value, or what the rule lets of it."""
        series.seen += 1
        series.is_out = verdict is not None and verdict.is_anomaly
        series.far = series.far + 1 if verdict is not None and verdict.is_far else 0
        if series.far and self.rule.learn == "freeze":
            # A new level would be an alarm for ever; after so many values it is what to expect.
            if series.far < self.rule.min_samples:
                return
            series.model = self._model()
            series.learnt = series.far = 0
        elif verdict is not None and series.far and self.rule.learn == "winsorize":
            value = self._drawn_in(value, verdict)
        series.model.learn(value, at_ms)
        series.learnt += 1

    def dump(self, series: Series) -> Json:
        """Return a series as plain data."""
        return [
            series.seen, series.learnt, series.far, series.is_out, series.model.dump(),
        ]  # fmt: skip

    def load(self, dumped: Json) -> Series:
        """Return the series that `dump` wrote."""
        seen, learnt, far, is_out, model = convert(dumped, tuple[int, int, int, bool, object])
        series = self.begin()
        series.seen, series.learnt, series.far, series.is_out = seen, learnt, far, is_out
        series.model.take_up(model)
        return series

    def _drawn_in(self, value: float, verdict: Verdict) -> float:
        # Without a scale all would be drawn in to the expected value, and nothing ever learnt.
        if not verdict.scale:
            return value
        reach = self.rule.threshold * verdict.scale
        return min(max(value, verdict.expected - reach), verdict.expected + reach)


def _score(distance: float, scale: float) -> float:
    if distance < scale * FARTHEST:
        return distance / scale
    return FARTHEST if distance else 0.0

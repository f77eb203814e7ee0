"""The kind `anomaly`: a value far from what it used to be."""

from collections.abc import Iterator
from typing import Final, Literal

from pydantic import Field

from oncue.core.documents import Document, DurationMs
from oncue.core.errors import Problem
from oncue.core.pattern.kinds.shared import Keyed, Selector, SpanMs, Zone
from oncue.core.pattern.kinds.threshold import Measure

SENSITIVITIES: Final = {"low": 7.0, "medium": 5.0, "high": 3.5}


class Measured(Document):
    """A measure over windows, one after the other."""

    measure: Measure
    of: str | None = None
    window: SpanMs


class Season(Document):
    """What repeats itself."""

    period: SpanMs = Field(examples=["1w", "7d"])
    buckets: int = Field(ge=2, le=10_000)
    zone: Zone = "UTC"


class MinScale(Document):
    """How much is never unusual: a constant series has no spread of its own."""

    abs: float = Field(default=0.0, ge=0)
    rel: float = Field(default=0.01, ge=0)


class AnomalyPattern(Selector, Keyed):
    """Matches values that are far from what was seen of the key before."""

    type: Literal["anomaly"]
    value: str | Measured = Field(
        description="CEL, or a measure over windows.", examples=["event.data.response_time"]
    )
    method: Literal["ewma", "zscore", "mad", "iqr", "seasonal"] = "ewma"
    half_life: int | DurationMs | None = Field(
        default=None, description="After how many values, or how long, a value counts half."
    )
    window: int | DurationMs | None = Field(
        default=None, description="How many values, or how long, are looked back at."
    )
    season: Season | None = None
    threshold: float | None = Field(default=None, gt=0, description="In units of the spread.")
    sensitivity: Literal["low", "medium", "high"] | float = "medium"
    direction: Literal["both", "up", "down"] = "both"
    min_samples: int = Field(default=300, ge=2, le=1_000_000)
    min_scale: MinScale = Field(default_factory=MinScale)
    learn: Literal["always", "winsorize", "freeze"] = "always"

    @property
    def limit(self) -> float:
        """From which score on a value is an anomaly."""
        if self.threshold is not None:
            return self.threshold
        given = self.sensitivity
        return SENSITIVITIES[given] if isinstance(given, str) else given


def unfit(pattern: AnomalyPattern, path: str) -> Iterator[Problem]:
    """Yield which fields of an anomaly do not fit together."""
    windowed = pattern.method in ("zscore", "mad", "iqr")
    if pattern.window is not None and not windowed:
        yield Problem(
            f"{path}.window", f"expected it with zscore, mad or iqr, got {pattern.method!r}"
        )
    if pattern.half_life is not None and pattern.method not in ("ewma", "seasonal"):
        yield Problem(
            f"{path}.half_life", f"expected it with ewma or seasonal, got {pattern.method!r}"
        )
    if (pattern.season is not None) != (pattern.method == "seasonal"):
        expected = "a season" if pattern.season is None else "the method 'seasonal' beside it"
        yield Problem(f"{path}.season", f"expected {expected}, got {pattern.method!r}")
    if pattern.emit == "early":
        yield Problem(
            f"{path}.emit", "expected 'final': values are learnt in their order, got 'early'"
        )
    if pattern.late.action == "amend":
        yield Problem(f"{path}.late.action", "expected 'drop': what was learnt stays, got 'amend'")
    if pattern.rearm == "reset":
        yield Problem(f"{path}.rearm", "expected 'edge' or 'every', got 'reset'")
    if "threshold" in pattern.model_fields_set and "sensitivity" in pattern.model_fields_set:
        yield Problem(f"{path}.threshold", "expected either threshold or sensitivity, got both")
    for name, given in (("half_life", pattern.half_life), ("window", pattern.window)):
        if given is not None and given <= 0:
            yield Problem(f"{path}.{name}", "expected more than zero")
    if isinstance(pattern.sensitivity, float) and pattern.sensitivity <= 0:
        yield Problem(f"{path}.sensitivity", "expected more than zero")

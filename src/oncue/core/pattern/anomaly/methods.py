"""The ways to expect a value, by name."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from oncue.core.pattern.anomaly.decaying import Decaying
from oncue.core.pattern.anomaly.model import Model
from oncue.core.pattern.anomaly.moving import Moving
from oncue.core.pattern.anomaly.ranked import Ranked, spread_by_iqr, spread_by_mad
from oncue.core.pattern.anomaly.seasonal import Calendar, Seasonal

MakeModel: TypeAlias = Callable[[], Model]
"""Gives a model that has learnt nothing."""


def ewma(half_life: int | None, half_life_ms: int | None) -> MakeModel:
    """Expect the mean in which a value counts half after so many others, or so long."""
    return partial(Decaying, half_life, half_life_ms)


def zscore(size: int | None, span_ms: int | None, min_samples: int) -> MakeModel:
    """Expect the mean of a window."""
    return partial(Moving, size, span_ms, min_samples)


def mad(size: int | None, span_ms: int | None, min_samples: int) -> MakeModel:
    """Expect the median of a window; half of its values may be wild."""
    return partial(Ranked, size, span_ms, min_samples, spread_by_mad)


def iqr(size: int | None, span_ms: int | None, min_samples: int) -> MakeModel:
    """Expect the median of a window; a quarter of its values may be wild."""
    return partial(Ranked, size, span_ms, min_samples, spread_by_iqr)


def seasonal(calendar: Calendar, half_life: float) -> MakeModel:
    """Expect the mean of the same part of earlier periods; the half-life is one of periods."""
    return partial(Seasonal, calendar, half_life)

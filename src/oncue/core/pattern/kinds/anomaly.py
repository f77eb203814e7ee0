"""The kind `anomaly`: a value far from what it used to be."""

import re
from collections.abc import Iterator
from math import inf
from typing import Annotated, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from oncue.core.documents import Document, DurationMs
from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression import Expression, compile_expression
from oncue.core.instants import format_duration, parse_duration
from oncue.core.pattern.anomaly import methods
from oncue.core.pattern.anomaly.decaying import OUTDATED_AFTER
from oncue.core.pattern.anomaly.judging import Judge, Rule
from oncue.core.pattern.anomaly.methods import MakeModel
from oncue.core.pattern.anomaly.operator import Alarm
from oncue.core.pattern.anomaly.plan import MeasurePlan, ValuePlan
from oncue.core.pattern.anomaly.readings import Reading, compile_reading
from oncue.core.pattern.anomaly.seasonal import Calendar
from oncue.core.pattern.anomaly.windowed import MAX_HELD
from oncue.core.pattern.keys import ROOTS
from oncue.core.pattern.kinds.shared import Cooldown, Keyed, Selector, SpanMs
from oncue.core.pattern.kinds.threshold import SHORTEST_SILENCE_MS, WITHOUT_VALUE, Measure
from oncue.core.pattern.threshold.closing import Closing
from oncue.core.pattern.threshold.grids import grid_of
from oncue.core.pattern.threshold.keys import Bounds
from oncue.core.pattern.threshold.measures import measure_named
from oncue.core.pattern.threshold.values import Reader
from oncue.core.time_zones import Zone

SENSITIVITIES: Final = {"low": 7.0, "medium": 5.0, "high": 3.5}
HALF_LIFE: Final = 138
VISITS: Final = 4
WINDOW: Final = 1_000
MAX_SAMPLES: Final = 1_000_000
QUIET_SAMPLES: Final = 200


def _extent(given: object) -> int | str:
    if isinstance(given, str):
        if parse_duration(given) <= 0:
            raise ValueError(f"expected a duration above zero, got {given!r}")
        return given
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= MAX_SAMPLES:
        return given
    raise ValueError(
        f"expected a number of values from 1 to {MAX_SAMPLES} or a duration such as '10m', "
        f"got {given!r}"
    )


Extent: TypeAlias = Annotated[
    int | str,
    PlainValidator(
        _extent, json_schema_input_type=Annotated[int, Field(ge=1, le=MAX_SAMPLES)] | str
    ),
]
"""How far back: so many values, or a time as it was written."""


def _sensitivity(given: object) -> str | float:
    if isinstance(given, str) and given in SENSITIVITIES:
        return given
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 < given < inf:
        return float(given)
    raise ValueError(f"expected 'low', 'medium', 'high' or a number above zero, got {given!r}")


Sensitivity: TypeAlias = Annotated[
    str | float,
    PlainValidator(_sensitivity, json_schema_input_type=Literal["low", "medium", "high"] | float),
]
"""From where on a value is an anomaly: a word for a threshold, or the threshold itself."""


def samples_of(extent: Extent | None) -> int | None:
    """Return how many values an extent spans, if it counts values."""
    return extent if isinstance(extent, int) else None


def ms_of(extent: Extent | None) -> int | None:
    """Return how long an extent is, if it is a time."""
    return parse_duration(extent) if isinstance(extent, str) else None


_WEEKS: Final = re.compile(r"(\d{1,3})w", re.ASCII)


def _in_days(given: object) -> object:
    found = _WEEKS.fullmatch(given) if isinstance(given, str) else None
    return f"{int(found[1]) * 7}d" if found else given


class Measured(Document):
    """A measure over windows, one after the other."""

    measure: Measure
    of: str | None = None
    window: SpanMs


class Season(Document):
    """What repeats itself."""

    period: Annotated[SpanMs, BeforeValidator(_in_days, json_schema_input_type=str)] = Field(
        description="How long until it repeats itself; here also in weeks.", examples=["1w", "1d"]
    )
    buckets: int = Field(ge=2, le=10_000, description="Parts of the period.", examples=[168])
    zone: Zone = "UTC"

    @property
    def calendar(self) -> Calendar:
        """The season as it divides time."""
        return Calendar(self.period, self.buckets, ZoneInfo(self.zone))

    def visits(self, half_life: Extent | None) -> float:
        """Return a half-life in visits to the same part of the period."""
        half_life_ms = ms_of(half_life)
        return half_life_ms / self.period if half_life_ms else samples_of(half_life) or VISITS


class MinScale(Document):
    """How much is never unusual: a constant series has no spread of its own."""

    abs: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    rel: float = Field(default=0.01, ge=0, allow_inf_nan=False)


class AnomalyPattern(Selector, Keyed):
    """Matches values that are far from what was seen of the key before."""

    type: Literal["anomaly"]
    value: str | Measured = Field(
        description="CEL, or a measure over windows.", examples=["event.data.response_time"]
    )
    method: Literal["ewma", "zscore", "mad", "iqr", "seasonal"] = "ewma"
    half_life: Extent | None = Field(
        default=None,
        description="After how many values, or how long, a value counts half; "
        "with `seasonal` a number is one of visits to the same part of the period.",
        examples=[HALF_LIFE, "10m"],
    )
    window: Extent | None = Field(
        default=None,
        description="How many values, or how long, are looked back at.",
        examples=[WINDOW, "1h"],
    )
    season: Season | None = None
    threshold: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="In units of the spread."
    )
    sensitivity: Sensitivity = Field(
        default="medium", description="low is 7 spreads, medium 5, high 3.5; or a number."
    )
    direction: Literal["both", "up", "down"] = "both"
    min_samples: int = Field(
        default=300, ge=2, le=MAX_SAMPLES, description="Values of a key that only teach."
    )
    min_scale: MinScale = Field(default_factory=MinScale)
    learn: Literal["always", "winsorize", "freeze"] = "always"
    cooldown: DurationMs | Cooldown | None = Field(
        default_factory=lambda: Cooldown(samples=QUIET_SAMPLES),
        description="How long no match follows a match, `{samples: 200}` by default; null: none.",
        examples=[{"samples": QUIET_SAMPLES}, "10m"],
    )

    @model_validator(mode="after")
    def _cools_down_by_windows(self) -> "AnomalyPattern":
        """Let `samples` of a measure be windows, which have a length, and not events."""
        cooldown = self.cooldown
        if isinstance(self.value, Measured) and isinstance(cooldown, Cooldown) and cooldown.samples:
            # One more millisecond: the window that ends with the cooldown is inside of it.
            for_ms = cooldown.samples * self.value.window + 1
            self.cooldown = Cooldown.model_construct(for_=for_ms, per=cooldown.per)
        return self

    @property
    def limit(self) -> float:
        """From which score on a value is an anomaly."""
        if self.threshold is not None:
            return self.threshold
        given = self.sensitivity
        return SENSITIVITIES[given] if isinstance(given, str) else given

    @property
    def rule(self) -> Rule:
        """How values are judged and learnt."""
        return Rule(
            threshold=self.limit,
            direction=self.direction,
            min_samples=self.min_samples,
            floor_abs=self.min_scale.abs,
            floor_rel=self.min_scale.rel,
            learn=self.learn,
        )

    @property
    def model(self) -> MakeModel:
        """How what is expected follows from what was seen."""
        window = (
            samples_of(self.window or WINDOW),
            ms_of(self.window or WINDOW),
            self.min_samples,
        )
        match self.method:
            case "ewma":
                half_life = self.half_life or HALF_LIFE
                return methods.ewma(samples_of(half_life), ms_of(half_life))
            case "zscore":
                return methods.zscore(*window)
            case "mad":
                return methods.mad(*window)
            case "iqr":
                return methods.iqr(*window)
            case "seasonal":
                assert self.season
                return methods.seasonal(self.season.calendar, self.season.visits(self.half_life))

    @property
    def reach_ms(self) -> int:
        """How far back the values lie that count; 0 where only their number is known."""
        if self.season is not None:
            visits = self.season.visits(self.half_life)
            return round(OUTDATED_AFTER * visits * self.season.period)
        if self.method == "ewma":
            return OUTDATED_AFTER * self._length_ms(self.half_life or HALF_LIFE)
        return self._length_ms(self.window or WINDOW)

    def _length_ms(self, extent: Extent) -> int:
        if isinstance(extent, str):
            return parse_duration(extent)
        return extent * self.value.window if isinstance(self.value, Measured) else 0


def unfit_silence(pattern: AnomalyPattern, path: str) -> Iterator[Problem]:
    """Yield what is too short, since windows without events are scored one by one, too."""
    value = pattern.value
    if isinstance(value, Measured) and value.window < SHORTEST_SILENCE_MS:
        got = format_duration(value.window)
        yield Problem(
            f"{path}.value.window",
            f"expected at least '1s', since windows without events are values, too, got '{got}'",
        )


def unfit(pattern: AnomalyPattern, path: str) -> Iterator[Problem]:
    """Yield which fields of an anomaly do not fit together."""
    yield from _unfit_method(pattern, path)
    yield from _unfit_order(pattern, path)
    yield from _unfit_value(pattern, path)
    if "threshold" in pattern.model_fields_set and "sensitivity" in pattern.model_fields_set:
        yield Problem(f"{path}.threshold", "expected either threshold or sensitivity, got both")


def _unfit_method(pattern: AnomalyPattern, path: str) -> Iterator[Problem]:
    method = pattern.method
    if pattern.window is not None and method not in ("zscore", "mad", "iqr"):
        yield Problem(f"{path}.window", f"expected it with zscore, mad or iqr, got {method!r}")
    if isinstance(pattern.window, int) and not 2 <= pattern.window <= MAX_HELD:
        yield Problem(
            f"{path}.window",
            f"expected 2 to {MAX_HELD} values to look back at, got {pattern.window}",
        )
    if pattern.half_life is not None and method not in ("ewma", "seasonal"):
        yield Problem(f"{path}.half_life", f"expected it with ewma or seasonal, got {method!r}")
    if (pattern.season is not None) != (method == "seasonal"):
        expected = "a season" if pattern.season is None else "the method 'seasonal' beside it"
        yield Problem(f"{path}.season", f"expected {expected}, got {method!r}")


def _unfit_order(pattern: AnomalyPattern, path: str) -> Iterator[Problem]:
    if pattern.emit == "early":
        yield Problem(
            f"{path}.emit", "expected 'final': values are learnt in their order, got 'early'"
        )
    if pattern.late.action == "amend":
        yield Problem(f"{path}.late.action", "expected 'drop': what was learnt stays, got 'amend'")
    if pattern.late.allowed:
        yield Problem(
            f"{path}.late.allowed", "expected none: a value is judged once; see 'watermark.delay'"
        )
    if pattern.rearm == "reset":
        yield Problem(f"{path}.rearm", "expected 'edge' or 'every', got 'reset'")


def _unfit_value(pattern: AnomalyPattern, path: str) -> Iterator[Problem]:
    value = pattern.value
    if isinstance(value, str):
        if pattern.keys:
            yield Problem(
                f"{path}.keys",
                "expected them with a measure over windows: a key without events has no value",
            )
        return
    counts = value.measure in WITHOUT_VALUE
    if counts and value.of is not None:
        yield Problem(
            f"{path}.value.of", f"expected no value, since {value.measure!r} counts events"
        )
    if not counts and value.of is None:
        yield Problem(
            f"{path}.value.of", f"expected a value for {value.measure!r} to measure, got none"
        )
    if pattern.keys and not pattern.by:
        yield Problem(f"{path}.keys", "expected 'by' beside declared keys, got none")


def compile_anomaly(pattern: AnomalyPattern, path: str) -> ValuePlan | MeasurePlan:
    """
    Return how to look for the anomalies of a pattern that stands at `path` of its document.

    Raises:
        InvalidInput: with all problems of its fields and expressions.
    """
    problems = list(unfit(pattern, path))
    value = pattern.value
    reading: Reading | None = None
    expression: Expression | None = None
    try:
        if isinstance(value, str):
            reading = compile_reading(value, f"{path}.value")
        elif value.of is not None:
            expression = compile_expression(value.of, roots=ROOTS, path=f"{path}.value.of")
    except InvalidInput as exc:
        problems += exc.problems
    if problems:
        raise InvalidInput(problems)
    judge = Judge(pattern.rule, pattern.model)
    alarm = Alarm(repeats=pattern.cooldown is not None, is_every=pattern.rearm == "every")
    bounds = Bounds(pattern.limits.max_keys, pattern.limits.key_ttl)
    if reading is not None:
        return ValuePlan(judge, alarm, bounds, reading, pattern.reach_ms)
    assert isinstance(value, Measured)
    closing = Closing(
        measure=measure_named(value.measure),
        reader=Reader(expression, is_distinct=value.measure == "distinct"),
        bounds=bounds,
        grid=grid_of(value.window, None, pattern.zone),
        max_events=pattern.max_events,
        fills=True,
    )
    return MeasurePlan(judge, alarm, closing, pattern.reach_ms)

"""The kind `threshold`: a measure over a window is compared with a number."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from oncue.core.documents import Document
from oncue.core.errors import InvalidInput, Problem
from oncue.core.expression import Expression, compile_expression
from oncue.core.instants import format_duration
from oncue.core.pattern.kinds.shared import Keyed, Selector, SpanMs
from oncue.core.pattern.threshold.closing import Closing
from oncue.core.pattern.threshold.conditions import Condition
from oncue.core.pattern.threshold.grids import grid_of
from oncue.core.pattern.threshold.keys import Bounds
from oncue.core.pattern.threshold.measures import Measure as WindowMeasure
from oncue.core.pattern.threshold.measures import measure_named, percentile
from oncue.core.pattern.threshold.plan import ClosingPlan, SlidingPlan
from oncue.core.pattern.threshold.rules import MAX_KEPT, Rule
from oncue.core.pattern.threshold.values import Reader

Operator = Literal[">", ">=", "<", "<=", "==", "!="]
NAMED_MEASURES: Final = ("count", "distinct", "sum", "avg", "min", "max", "rate", "last")
COUNTING: Final = ("count", "distinct")
WITHOUT_VALUE: Final = ("count", "rate")
MAX_WINDOWS_PER_EVENT: Final = 1_000
SHORTEST_SILENCE_MS: Final = 1_000
PER_MS: Final = 1_000
_UPWARDS: Final = (">", ">=")


def _measure(name: str) -> str:
    if name in NAMED_MEASURES or percentile(name) is not None:
        return name
    near = get_close_matches(name, NAMED_MEASURES, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"expected {', '.join(NAMED_MEASURES)} or a percentile from p50 to p99, got {name!r}{meant}"
    )


Measure = Annotated[
    str, AfterValidator(_measure), Field(examples=["count", "sum", "avg", "max", "rate", "p95"])
]


class Clear(Document):
    """What ends an alert; one comparison."""

    gt: float | None = Field(default=None, alias=">", allow_inf_nan=False)
    ge: float | None = Field(default=None, alias=">=", allow_inf_nan=False)
    lt: float | None = Field(default=None, alias="<", allow_inf_nan=False)
    le: float | None = Field(default=None, alias="<=", allow_inf_nan=False)

    @property
    def comparisons(self) -> list[tuple[str, float]]:
        """The comparisons that were given."""
        given = ((">", self.gt), (">=", self.ge), ("<", self.lt), ("<=", self.le))
        return [(name, limit) for name, limit in given if limit is not None]


class ThresholdPattern(Selector, Keyed):
    """Matches when a measure of the events in a window crosses a value."""

    type: Literal["threshold"]
    measure: Measure = "count"
    of: str | None = Field(
        default=None, description="CEL: the value to measure.", examples=["event.data.amount"]
    )
    operator: Operator = ">="
    value: float = Field(allow_inf_nan=False, strict=True, examples=[5])
    window: SpanMs | None = Field(
        default=None, description="How long the window is.", examples=["5m"]
    )
    window_type: Literal["sliding", "tumbling", "hopping", "session"] = "sliding"
    slide: SpanMs | None = Field(
        default=None, description="How far apart hopping windows begin.", examples=["1m"]
    )
    gap: SpanMs | None = Field(
        default=None, description="The silence that ends a session.", examples=["15m"]
    )
    per: SpanMs | None = Field(
        default=None, description="The unit of a rate; a second by default.", examples=["1s"]
    )
    for_: SpanMs | None = Field(
        default=None, alias="for", description="How long it must hold.", examples=["30s"]
    )
    clear: Clear | None = Field(
        default=None, description="What ends an alert, if not the condition.", examples=[{"<": 80}]
    )
    notify_clear: bool = Field(default=False, description="Whether the end is a match, too.")
    non_negative: bool = Field(default=False, description="Whether a sum can only grow.")

    @property
    def is_monotone(self) -> bool:
        """Whether more events can only bring the condition nearer, so that it may match early."""
        upwards = self.operator in _UPWARDS
        if self.measure == "min":
            return self.operator in ("<", "<=")
        if self.measure == "sum":
            return upwards and self.non_negative
        return upwards and self.measure in ("count", "distinct", "max")

    @property
    def is_sliding(self) -> bool:
        """Whether the window ends at each event."""
        return self.window_type == "sliding"

    @property
    def is_judged_on_arrival(self) -> bool:
        """Whether the event that crosses the value matches, and not the end of a window."""
        return self.is_sliding and (self.is_monotone or self.operator in _UPWARDS)

    @property
    def is_alert(self) -> bool:
        """Whether it has a begin, a duration or an end in time, and not only a crossing."""
        return self.for_ is not None or self.clear is not None or self.notify_clear

    @property
    def may_be_early(self) -> bool:
        """Whether a match is sure as soon as the event that makes it has come."""
        return self.is_sliding and self.is_monotone and not self.is_alert

    @property
    def condition(self) -> Condition:
        """What the measure is compared with."""
        return Condition(self.operator, self.value)

    @property
    def windowed_measure(self) -> WindowMeasure:
        """What is made of the events of a window."""
        has_value = self.of is not None
        return measure_named(self.measure, has_value=has_value, per_ms=self.per or PER_MS)

    @property
    def holds_of_nothing(self) -> bool:
        """Whether a window without events meets the condition."""
        return self.condition.holds(self.windowed_measure.of_nothing)


def unfit(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    """Yield which fields of a threshold do not fit together."""
    yield from _unfit_measure(pattern, path)
    yield from _unfit_value(pattern, path)
    yield from _unfit_window(pattern, path)
    yield from _unfit_slide(pattern, path)
    yield from _unfit_alert(pattern, path)
    yield from _unfit_clear(pattern, path)
    yield from _unfit_rearm(pattern, path)
    yield from _unfit_late(pattern, path)
    yield from _unfit_keys(pattern, path)


def _unfit_measure(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    measure = pattern.measure
    if measure == "count" and pattern.of is not None:
        yield Problem(f"{path}.of", "expected no value, since 'count' counts events")
    if measure not in WITHOUT_VALUE and pattern.of is None:
        yield Problem(f"{path}.of", f"expected a value for {measure!r} to measure, got none")
    if pattern.per is not None and measure != "rate":
        yield Problem(f"{path}.per", f"expected it with 'rate' alone, got {measure!r}")
    if pattern.non_negative and measure != "sum":
        yield Problem(f"{path}.non_negative", f"expected it with 'sum' alone, got {measure!r}")


def _unfit_value(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    value, operator = pattern.value, pattern.operator
    if pattern.measure in COUNTING:
        is_never = {
            "<": value <= 0,
            "<=": value < 0,
            "==": value < 0 or not value.is_integer(),
        }
        if is_never.get(operator, False):
            yield Problem(
                f"{path}.value", f"expected a number that a count can be {operator}, got {value:g}"
            )
        if pattern.is_sliding and value > MAX_KEPT:
            yield Problem(
                f"{path}.value",
                f"expected at most {MAX_KEPT}, since so many events are kept of a key, "
                f"got {value:g}",
            )
    never_falls = pattern.measure in ("count", "distinct", "rate") or pattern.non_negative
    if never_falls and pattern.is_judged_on_arrival and pattern.holds_of_nothing:
        yield Problem(
            f"{path}.value", f"expected a value that an empty window does not meet, got {value:g}"
        )


def _unfit_window(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    kind = pattern.window_type
    if kind == "session":
        if pattern.gap is None:
            yield Problem(f"{path}.gap", "expected the silence that ends a session, got none")
        if pattern.window is not None:
            yield Problem(
                f"{path}.window", "expected 'gap' alone, since a session has no fixed length"
            )
        return
    if pattern.window is None:
        yield Problem(f"{path}.window", "expected a duration such as '5m', got none")
    if pattern.gap is not None:
        yield Problem(f"{path}.gap", f"expected it with session windows, got {kind!r}")


def _unfit_slide(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    if pattern.window_type != "hopping":
        if pattern.slide is not None:
            yield Problem(
                f"{path}.slide", f"expected it with hopping windows, got {pattern.window_type!r}"
            )
    elif pattern.slide is None:
        yield Problem(f"{path}.slide", "expected how far apart the windows begin, got none")
    elif pattern.window and pattern.slide > pattern.window:
        yield Problem(f"{path}.slide", "expected at most the window, or events would be missed")
    elif pattern.window and pattern.window > pattern.slide * MAX_WINDOWS_PER_EVENT:
        yield Problem(
            f"{path}.slide", f"expected at most {MAX_WINDOWS_PER_EVENT} windows around an event"
        )


def unfit_silence(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    """Yield what is too short where windows without events are judged one by one."""
    if pattern.window_type not in ("tumbling", "hopping") or not pattern.holds_of_nothing:
        return
    for name, length in (("window", pattern.window), ("slide", pattern.slide)):
        if length is not None and length < SHORTEST_SILENCE_MS:
            yield Problem(
                f"{path}.{name}",
                "expected at least '1s' beside a condition that windows without events meet, since"
                f" each of them is judged, got '{format_duration(length)}'",
            )


def _unfit_alert(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    if pattern.emit == "early" and not pattern.may_be_early:
        yield Problem(
            f"{path}.emit",
            "expected 'final': an event that comes late could take this match back, got 'early'",
        )
    if pattern.is_sliding:
        return
    for name, given in (
        ("for", pattern.for_), ("clear", pattern.clear), ("notify_clear", pattern.notify_clear),
    ):  # fmt: skip
        if given:
            yield Problem(
                f"{path}.{name}", f"expected sliding windows, got {pattern.window_type!r}"
            )


def _unfit_clear(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    if pattern.clear is None:
        return
    comparisons = pattern.clear.comparisons
    if len(comparisons) != 1:
        yield Problem(f"{path}.clear", "expected one comparison such as {'<': 80}")
        return
    operator, limit = comparisons[0]
    name = f"{path}.clear.{operator}"
    turns = {">": ("<", "<="), ">=": ("<", "<="), "<": (">", ">="), "<=": (">", ">=")}
    expected = turns.get(pattern.operator)
    if expected is None:
        yield Problem(f"{path}.clear", f"expected it with > >= < <=, got {pattern.operator!r}")
    elif operator not in expected:
        yield Problem(
            name, f"expected {' or '.join(expected)} to end what {pattern.operator!r} begins"
        )
    elif _overlaps(pattern, operator, limit):
        yield Problem(
            name,
            f"expected a limit that {pattern.operator} {pattern.value:g} does not meet, "
            f"got {limit:g}",
        )


def _overlaps(pattern: ThresholdPattern, operator: str, limit: float) -> bool:
    """Return whether a value can begin an alert and end it."""
    meets_both = pattern.condition.holds(limit) and Condition(operator, limit).holds(limit)
    if pattern.operator in _UPWARDS:
        return limit > pattern.value or meets_both
    return limit < pattern.value or meets_both


def _unfit_rearm(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    rearm = pattern.rearm
    if rearm == "reset" and not pattern.is_sliding:
        yield Problem(f"{path}.rearm", "expected sliding windows for 'reset'")
    if rearm in ("every", "reset") and (pattern.clear is not None or pattern.notify_clear):
        yield Problem(
            f"{path}.rearm", f"expected 'edge': an alert that ends begins once, got {rearm!r}"
        )
    if rearm == "every" and pattern.for_ is not None:
        yield Problem(f"{path}.rearm", "expected 'edge' or 'reset' beside 'for', got 'every'")
    if rearm == "edge" and pattern.late.action == "amend":
        yield Problem(
            f"{path}.rearm", "expected each window alone, since it may be amended, got 'edge'"
        )


def _unfit_late(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    late = pattern.late
    if pattern.is_sliding:
        if late.action == "amend":
            yield Problem(f"{path}.late.action", "expected windows that close, got 'sliding'")
        if late.allowed:
            yield Problem(f"{path}.late.allowed", "expected windows that close, got 'sliding'")
    elif late.action == "amend" and not late.allowed:
        yield Problem(f"{path}.late.allowed", "expected how long a closed window is kept, got '0s'")


def _unfit_keys(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    if pattern.keys:
        if not pattern.by:
            yield Problem(f"{path}.keys", "expected 'by' beside declared keys, got none")
        if len(pattern.keys) > pattern.limits.max_keys:
            yield Problem(f"{path}.keys", f"expected at most {pattern.limits.max_keys}")
        if pattern.is_judged_on_arrival or not pattern.holds_of_nothing:
            yield Problem(
                f"{path}.keys",
                "expected a condition that silence can meet, such as a count below 1",
            )
        if pattern.window_type == "session":
            yield Problem(f"{path}.keys", "expected another window, since silence has no session")
    longest = (pattern.window or pattern.gap or 0) + (pattern.for_ or 0) + pattern.late.allowed
    if pattern.limits.key_ttl < longest:
        yield Problem(
            f"{path}.limits.key_ttl", "expected at least as long as its windows are looked at"
        )


ThresholdPlan: TypeAlias = SlidingPlan | ClosingPlan


def compile_threshold(pattern: ThresholdPattern, path: str) -> ThresholdPlan:
    """
    Return how to look for the threshold that stands at `path` of a document.

    Raises:
        InvalidInput: with all problems of its fields and of the value.
    """
    problems = list(unfit(pattern, path))
    of: Expression | None = None
    if pattern.of is not None:
        try:
            of = compile_expression(pattern.of, roots=("event",), path=f"{path}.of")
        except InvalidInput as exc:
            problems += exc.problems
    if problems:
        raise InvalidInput(problems)
    reader = Reader(
        of, is_distinct=pattern.measure == "distinct", is_non_negative=pattern.non_negative
    )
    bounds = Bounds(pattern.limits.max_keys, pattern.limits.key_ttl)
    if pattern.is_sliding:
        return _sliding(pattern, reader, bounds)
    return _closing(pattern, reader, bounds)


def _sliding(pattern: ThresholdPattern, reader: Reader, bounds: Bounds) -> SlidingPlan:
    assert pattern.window is not None
    clear = pattern.clear.comparisons[0] if pattern.clear else None
    rule = Rule(
        measure=pattern.windowed_measure,
        reader=reader,
        condition=pattern.condition,
        size_ms=pattern.window,
        bounds=bounds,
        max_events=pattern.max_events,
        on_arrival=pattern.is_judged_on_arrival,
        rearm=pattern.rearm or "edge",
        repeats=pattern.cooldown is not None,
        for_ms=pattern.for_,
        clear=Condition(*clear) if clear else None,
        notifies=pattern.notify_clear,
    )
    return SlidingPlan(rule, is_early=pattern.may_be_early and pattern.emit != "final")


def _closing(pattern: ThresholdPattern, reader: Reader, bounds: Bounds) -> ClosingPlan:
    grid = None
    if pattern.window is not None:
        grid = grid_of(pattern.window, pattern.slide, pattern.zone)
    closing = Closing(
        measure=pattern.windowed_measure,
        reader=reader,
        bounds=bounds,
        grid=grid,
        gap_ms=pattern.gap or 0,
        condition=pattern.condition,
        allowed_ms=pattern.late.kept_ms,
        max_events=pattern.max_events,
        fills=pattern.operator not in _UPWARDS,
        follows=pattern.rearm == "edge",
    )
    return ClosingPlan(closing, repeats=pattern.cooldown is not None)

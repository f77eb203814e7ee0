"""The kind `threshold`: a measure over a window is compared with a number."""

from collections.abc import Iterator
from typing import Final, Literal

from pydantic import Field

from oncue.core.documents import Document
from oncue.core.errors import Problem
from oncue.core.pattern.kinds.shared import Keyed, Selector, SpanMs

Operator = Literal[">", ">=", "<", "<=", "==", "!="]
Measure = Literal[
    "count", "distinct", "sum", "avg", "min", "max", "rate", "last", "p50", "p75", "p90", "p95",
    "p99",
]  # fmt: skip
WITHOUT_VALUE: Final = ("count", "rate")
MAX_WINDOWS_PER_EVENT: Final = 1_000


class Clear(Document):
    """What ends an alert; one comparison."""

    gt: float | None = Field(default=None, alias=">")
    ge: float | None = Field(default=None, alias=">=")
    lt: float | None = Field(default=None, alias="<")
    le: float | None = Field(default=None, alias="<=")

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
    value: float = Field(examples=[5])
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
    per: SpanMs | None = Field(default=None, description="The unit of a rate.", examples=["1s"])
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
        upwards = self.operator in (">", ">=")
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
        return self.is_sliding and (self.is_monotone or self.operator in (">", ">="))


def unfit(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    """Yield which fields of a threshold do not fit together."""
    yield from _unfit_measure(pattern, path)
    yield from _unfit_window(pattern, path)
    yield from _unfit_alert(pattern, path)


def _unfit_measure(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    if pattern.measure in WITHOUT_VALUE:
        if pattern.of is not None:
            yield Problem(
                f"{path}.of", f"expected no value, since {pattern.measure!r} counts events"
            )
    elif pattern.of is None:
        yield Problem(
            f"{path}.of", f"expected a value for {pattern.measure!r} to measure, got none"
        )
    if pattern.per is not None and pattern.measure != "rate":
        yield Problem(f"{path}.per", f"expected it with 'rate' alone, got {pattern.measure!r}")
    if pattern.non_negative and pattern.measure != "sum":
        yield Problem(
            f"{path}.non_negative", f"expected it with 'sum' alone, got {pattern.measure!r}"
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
    elif pattern.window is None:
        yield Problem(f"{path}.window", "expected a duration such as '5m', got none")
    if pattern.gap is not None and kind != "session":
        yield Problem(f"{path}.gap", f"expected it with session windows, got {kind!r}")
    if kind == "hopping":
        if pattern.slide is None:
            yield Problem(f"{path}.slide", "expected how far apart the windows begin, got none")
        elif pattern.window and pattern.slide > pattern.window:
            yield Problem(f"{path}.slide", "expected at most the window, or events would be missed")
        elif pattern.window and pattern.window > pattern.slide * MAX_WINDOWS_PER_EVENT:
            yield Problem(
                f"{path}.slide", f"expected at most {MAX_WINDOWS_PER_EVENT} windows around an event"
            )
    elif pattern.slide is not None:
        yield Problem(f"{path}.slide", f"expected it with hopping windows, got {kind!r}")


def _unfit_alert(pattern: ThresholdPattern, path: str) -> Iterator[Problem]:
    if pattern.emit == "early" and not (pattern.is_sliding and pattern.is_monotone):
        yield Problem(
            f"{path}.emit",
            "expected 'final': an event that comes late could take this match back, got 'early'",
        )
    if not pattern.is_sliding:
        for name, given in (
            ("for", pattern.for_), ("clear", pattern.clear), ("notify_clear", pattern.notify_clear),
        ):  # fmt: skip
            if given:
                yield Problem(
                    f"{path}.{name}", f"expected sliding windows, got {pattern.window_type!r}"
                )
        if pattern.rearm == "reset":
            yield Problem(f"{path}.rearm", "expected sliding windows for 'reset'")
    elif pattern.late.action == "amend":
        yield Problem(f"{path}.late.action", "expected windows that close, got 'sliding'")
    if pattern.clear and len(pattern.clear.comparisons) != 1:
        yield Problem(f"{path}.clear", "expected one comparison such as {'<': 80}")
    if pattern.keys and not pattern.by:
        yield Problem(f"{path}.keys", "expected 'by' beside declared keys, got none")

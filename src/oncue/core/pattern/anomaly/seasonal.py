"""
What is usual at this time of the day or week: a mean and a spread per part of a period.

The parts follow the clock on the wall. An hour that a change to summer time leaves
out is not visited that day, one that comes twice counts twice; the periods begin on
Mondays or at midnight, wherever their length lets them.

Values of one visit to a part count alike, those of earlier visits half as much per
half-life. A part with few values borrows: its spread is reckoned as though it also
held five values that deviate as the values of all parts do.

    expected = Σ w·x / Σ w  of the part
    spread²  = (its squares + 5 * pooled variance) / (its freedom + 5)
"""

from datetime import UTC, datetime, timedelta
from math import exp2, sqrt
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import convert

from oncue.core.json_text import Json
from oncue.core.pattern.anomaly.decaying import OUTDATED_AFTER, Weighted
from oncue.core.pattern.anomaly.model import Expectation, Model

BORROWED: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_FIRST_MONDAY_MS: Final = 4 * 86_400_000


class Calendar(NamedTuple):
    """How time is divided: periods, their parts, and whose clock is on the wall."""

    period_ms: int
    buckets: int
    zone: ZoneInfo

    def place(self, at_ms: int) -> tuple[int, int]:
        """Return which period it is, counted from the first Monday of 1970, and which part of it."""
        local_ms = at_ms + _offset_ms(at_ms, self.zone) - _FIRST_MONDAY_MS
        visit, into_ms = divmod(local_ms, self.period_ms)
        return visit, into_ms * self.buckets // self.period_ms


class Part(Weighted):
    """The values of one part, and the period in which it was visited last."""

    __slots__ = ("visit",)

    def __init__(self, visit: int) -> None:
        super().__init__()
        self.visit = visit


class Seasonal(Model):
    """
    The parts that were visited.

    `_pool` is what the values of all parts add to the squares around the means of
    their parts, and how many these values are; both decay from period to period.
    """

    __slots__ = ("_calendar", "_freedom", "_half_life", "_moment", "_parts", "_visit")

    def __init__(self, calendar: Calendar, half_life: float) -> None:
        self._calendar = calendar
        self._half_life = half_life
        self._parts: dict[int, Part] = {}
        self._visit = 0
        self._moment = 0.0
        self._freedom = 0.0

    def pass_time(self, at_ms: int) -> bool:
        """Forget all of it, if the last visit is ten half-lives ago."""
        visit, _ = self._calendar.place(at_ms)
        if not self._parts or visit - self._visit <= OUTDATED_AFTER * self._half_life:
            return False
        self._parts.clear()
        self._moment = self._freedom = 0.0
        return True

    def expect(self, at_ms: int) -> Expectation | None:
        """Return the mean of the part; None until two values of it are known."""
        _, bucket = self._calendar.place(at_ms)
        part = self._parts.get(bucket)
        if part is None or part.freedom <= 0.0:
            return None
        borrowed = BORROWED * self._moment / self._freedom
        variance = (part.moment + borrowed) / (part.freedom + BORROWED)
        return Expectation(part.mean, sqrt(variance))

    def learn(self, value: float, at_ms: int) -> None:
        """Let a value count for its part."""
        visit, bucket = self._calendar.place(at_ms)
        if self._parts and visit > self._visit:
            decay = exp2((self._visit - visit) / self._half_life)
            self._moment *= decay
            self._freedom *= decay
        self._visit = max(visit, self._visit) if self._parts else visit
        part = self._parts.get(bucket)
        if part is None:
            part = self._parts[bucket] = Part(visit)
            part.add(value, 1.0)
            return
        # Clocks that are set back may begin a period again: it is still the later one.
        latest = max(visit, part.visit)
        decay = exp2((part.visit - latest) / self._half_life)
        part.visit = latest
        self._moment += part.add(value, decay)
        self._freedom += 1.0

    def dump(self) -> Json:
        """Return the pool and the parts."""
        parts: list[Json] = [
            [bucket, part.visit, part.sums()] for bucket, part in self._parts.items()
        ]
        return [self._visit, self._moment, self._freedom, parts]

    def take_up(self, dumped: object) -> None:
        """Go on from what `dump` gave."""
        self._visit, self._moment, self._freedom, parts = convert(
            dumped, tuple[int, float, float, list[tuple[int, int, list[float]]]]
        )
        self._parts = {}
        for bucket, visit, sums in parts:
            part = self._parts[bucket] = Part(visit)
            part.set_sums(sums)


def _offset_ms(at_ms: int, zone: ZoneInfo) -> int:
    try:
        offset = (_EPOCH + at_ms * _MILLISECOND).astimezone(zone).utcoffset()
    except OverflowError:  # The first and the last hours that there are have no other zone.
        return 0
    return (offset or timedelta()) // _MILLISECOND

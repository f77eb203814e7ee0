"""
Where windows that close begin and end: half-open spans [start, end).

Windows are aligned to 1970 in UTC. In a zone, those of whole days are days of the
calendar there, of 23 or 25 hours where clocks are changed, counted from 1970-01-01;
whole weeks begin on Monday (ISO 8601). What is shorter than a day is the same
everywhere.
"""

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

Span: TypeAlias = tuple[int, int]
"""Start and end; the end is the first instant that is not inside."""

DAY_MS: Final = 86_400_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_FIRST_MONDAY: Final = 4
"""The days from 1970-01-01, a Thursday, to the first Monday."""
_REMEMBERED: Final = 64


class Grid(ABC):
    """Spans of which one begins after the other; they may overlap."""

    @abstractmethod
    def around(self, time_ms: int) -> list[Span]:
        """Return the spans that an instant is inside of, the earliest first."""

    @abstractmethod
    def beginning_from(self, time_ms: int) -> Span:
        """Return the first span that begins at an instant or later."""

    def after(self, span: Span) -> Span:
        """Return the span that begins next."""
        return self.beginning_from(span[0] + 1)


class EvenGrid(Grid):
    """Spans of one length in milliseconds, which begin at equal distances."""

    def __init__(self, size_ms: int, slide_ms: int) -> None:
        self._size_ms = size_ms
        self._slide_ms = slide_ms
        self._around = lru_cache(_REMEMBERED)(self._spans_over)

    def around(self, time_ms: int) -> list[Span]:
        """Return the spans that an instant is inside of."""
        spans = self._around(time_ms // self._slide_ms)
        return spans if spans[0][1] > time_ms else spans[1:]

    def _spans_over(self, number: int) -> list[Span]:
        last = number * self._slide_ms
        reach = -(-self._size_ms // self._slide_ms)
        starts = (last - back * self._slide_ms for back in range(reach - 1, -1, -1))
        return [(start, start + self._size_ms) for start in starts]

    def beginning_from(self, time_ms: int) -> Span:
        """Return the first span that begins at an instant or later."""
        start = -(-time_ms // self._slide_ms) * self._slide_ms
        return start, start + self._size_ms


class CalendarGrid(Grid):
    """Spans of whole days of a zone."""

    def __init__(self, days: int, slide_days: int, zone: ZoneInfo) -> None:
        self._days = days
        self._slide = slide_days
        self._zone = zone
        self._first = _FIRST_MONDAY if slide_days % 7 == 0 else 0
        self._begin_of = lru_cache(4 * _REMEMBERED)(self._midnight)

    def around(self, time_ms: int) -> list[Span]:
        """Return the spans that an instant is inside of."""
        day = self._day(time_ms)
        last = self._first + (day - self._first) // self._slide * self._slide
        first = last - (self._days - 1) // self._slide * self._slide
        return [
            self._span(start)
            for start in range(first, last + 1, self._slide)
            if start + self._days > day
        ]

    def beginning_from(self, time_ms: int) -> Span:
        """Return the first span that begins at an instant or later."""
        day = self._day(time_ms)
        start = self._first + -(-(day - self._first) // self._slide) * self._slide
        span = self._span(start)
        return span if span[0] >= time_ms else self._span(start + self._slide)

    def _span(self, start: int) -> Span:
        return self._begin_of(start), self._begin_of(start + self._days)

    def _day(self, time_ms: int) -> int:
        """Return the number of the day, by the instants at which days begin."""
        try:
            local = (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(self._zone)
            day = local.toordinal() - _EPOCH.toordinal()
        except OverflowError:
            return time_ms // DAY_MS
        # Where clocks go back over midnight, a date has two parts with another one between.
        while self._begin_of(day) > time_ms:
            day -= 1
        while self._begin_of(day + 1) <= time_ms:
            day += 1
        return day

    def _midnight(self, day: int) -> int:
        try:
            date = datetime.fromordinal(_EPOCH.toordinal() + day)
            return (date.replace(tzinfo=self._zone) - _EPOCH) // _MILLISECOND
        except (OverflowError, ValueError):
            # Outside of the years 1 to 9999 nobody keeps a calendar.
            return day * DAY_MS


class CumulatingGrid(Grid):
    """Spans that begin together and end one step after the other, until the next ones begin."""

    def __init__(self, size_ms: int, step_ms: int) -> None:
        self._size_ms = size_ms
        self._step_ms = step_ms

    def around(self, time_ms: int) -> list[Span]:
        """Return the spans that an instant is inside of."""
        start = time_ms // self._size_ms * self._size_ms
        first = (time_ms - start) // self._step_ms * self._step_ms + self._step_ms
        return [
            (start, start + length) for length in range(first, self._size_ms + 1, self._step_ms)
        ]

    def beginning_from(self, time_ms: int) -> Span:
        """Return the first span that begins at an instant or later."""
        start = -(-time_ms // self._size_ms) * self._size_ms
        return start, start + self._step_ms


class ShiftedGrid(Grid):
    """The spans of another grid, all later by as much."""

    def __init__(self, grid: Grid, offset_ms: int) -> None:
        self._grid = grid
        self._offset_ms = offset_ms

    def around(self, time_ms: int) -> list[Span]:
        """Return the spans that an instant is inside of."""
        return [self._later(span) for span in self._grid.around(time_ms - self._offset_ms)]

    def beginning_from(self, time_ms: int) -> Span:
        """Return the first span that begins at an instant or later."""
        return self._later(self._grid.beginning_from(time_ms - self._offset_ms))

    def _later(self, span: Span) -> Span:
        return span[0] + self._offset_ms, span[1] + self._offset_ms


def grid_of(size_ms: int, slide_ms: int | None, zone: ZoneInfo | None) -> Grid:
    """Return where windows of a length begin and end; without `slide_ms` they do not overlap."""
    slide_ms = slide_ms or size_ms
    if zone is None or size_ms % DAY_MS or slide_ms % DAY_MS:
        return EvenGrid(size_ms, slide_ms)
    return CalendarGrid(size_ms // DAY_MS, slide_ms // DAY_MS, zone)

"""How far a time zone is from UTC, and when that changes; everything in seconds since 1970."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time [begin, end) in which the offset stays the same."""

    begin: int
    end: int
    offset: int


def moment(second: int) -> datetime:
    """Return a second as a date and a time of day, in UTC or wherever it was counted."""
    return _EPOCH + timedelta(seconds=second)


def second_of(shown: datetime) -> int:
    """Return what `moment` makes a date and a time of."""
    return (shown - _EPOCH) // _SECOND


def offset_at(zone: str, second: int) -> int:
    """Return how many seconds the clocks of a zone are ahead of UTC."""
    offset = moment(second).astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset // _SECOND


def stretch_at(zone: str, second: int) -> Stretch:
    """Return the stretch around a second; it may be cut where a year begins."""
    year = moment(second).year
    known = (
        _begin_of(year - 1),
        *_changes(zone, year - 1),
        *_changes(zone, year),
        _begin_of(year + 1),
    )
    place = bisect_right(known, second)
    return Stretch(known[place - 1], known[place], offset_at(zone, second))


def instant_of(zone: str, local: int) -> int:
    """
    Return the second at which the clocks of a zone show a date and a time.

    Where they show it twice it is the first, where they skip it the one after the skip.
    """
    shown = moment(local).replace(tzinfo=ZoneInfo(zone))
    second = second_of(shown.astimezone(UTC))
    if second + offset_at(zone, second) != local:
        return stretch_at(zone, second).begin
    return second


@lru_cache(maxsize=4_096)
def _changes(zone: str, year: int) -> tuple[int, ...]:
    found: list[int] = []
    begin, last = _begin_of(year), _begin_of(year + 1)
    for second in range(begin, last, _DAY_S):
        until = min(second + _DAY_S, last)
        if offset_at(zone, second) != offset_at(zone, until):
            found.append(_first_change(zone, second, until))
    return tuple(found)


def _first_change(zone: str, before: int, after: int) -> int:
    offset = offset_at(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _begin_of(year: int) -> int:
    return second_of(datetime(year, 1, 1, tzinfo=UTC))

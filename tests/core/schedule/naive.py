"""What cron means, minute by minute: the oracle, which looks at a clock on the wall."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Fields:
    """The minutes, hours, days, months and days of week of an expression, and its text."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    text: str

    @property
    def names_times(self) -> bool:
        minute, hour, *_ = self.text.split()
        return minute[0] != "*" and hour[0] != "*"

    def fits(self, shown: datetime) -> bool:
        return (
            shown.minute in self.minutes
            and shown.hour in self.hours
            and shown.month in self.months
            and self._fits_day(shown)
        )

    def _fits_day(self, shown: datetime) -> bool:
        is_day = shown.day in self.days
        is_weekday = bool({shown.isoweekday(), shown.isoweekday() % 7} & self.weekdays)
        _, _, day, _, weekday = self.text.split()
        # Debian's cron: both, if one of them begins with a star; else either.
        if day[0] == "*" or weekday[0] == "*":
            return is_day and is_weekday
        return is_day or is_weekday


def walk(fields: Fields, zone: str, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yield each minute after `begin` and up to `end` in which it fires."""
    now = begin
    before = now.astimezone(ZoneInfo(zone))
    while now < end:
        now += MINUTE
        shown = now.astimezone(ZoneInfo(zone))
        if _fires(fields, before, shown):
            yield now.astimezone(UTC)
        before = shown


def _fires(fields: Fields, before: datetime, shown: datetime) -> bool:
    if not fields.names_times:
        return fields.fits(shown)
    return (fields.fits(shown) and shown.fold == 0) or any(
        fields.fits(skipped) for skipped in _skipped(before, shown)
    )


def _skipped(before: datetime, shown: datetime) -> Iterator[datetime]:
    wall, until = before.replace(tzinfo=None) + MINUTE, shown.replace(tzinfo=None)
    while wall < until:
        yield wall
        wall += MINUTE

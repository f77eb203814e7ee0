"""
Timestamps and durations: their text, and their parts in a time zone.

Python's `datetime` ends at microseconds; CEL counts nanoseconds. So moments are
integers here, and `datetime` only turns days into dates.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from oncue.core.errors import EvaluationError
from oncue.core.expression.arithmetic import (
    MAX_MOMENT,
    MIN_MOMENT,
    to_duration,
    to_int,
    to_timestamp,
)
from oncue.core.expression.values import Duration, Timestamp

_SECOND = 1_000_000_000
_DAY_S = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CYCLE_YEARS = 400
_CYCLE_S = 146_097 * _DAY_S
# Two days from either end of the calendar.
_FIRST_DAYS = MIN_MOMENT // _SECOND + 2 * _DAY_S
_LAST_DAYS = MAX_MOMENT // _SECOND - 2 * _DAY_S
# RFC 3339 §5.6; the offset is mandatory, leap seconds and 24:00 are refused.
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
_SPAN = re.compile(r"([+-]?)((?:(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:ms|us|µs|ns|h|m|s))+)")
_SPAN_PART = re.compile(r"(\d*)\.?(\d*)(ms|us|µs|ns|h|m|s)")
_UNITS = {
    "h": 3_600 * _SECOND,
    "m": 60 * _SECOND,
    "s": _SECOND,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,
    "ns": 1,
}
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)
MAX_SPAN_CHARS = 200


def parse_timestamp(text: str) -> Timestamp:
    """
    Return the moment that RFC 3339 text names.

    Raises:
        EvaluationError: no such moment.
    """
    found = _MOMENT.fullmatch(text)
    if not found:
        raise _no_timestamp(text)
    year, month, day, hour, minute, second, fraction, sign, off_hours, off_minutes = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError as exc:
        raise _no_timestamp(text) from exc
    seconds = days * _DAY_S + int(hour) * 3_600 + int(minute) * 60 + int(second)
    if sign:
        offset = int(off_hours) * 3_600 + int(off_minutes) * 60
        seconds -= offset if sign == "+" else -offset
    return to_timestamp(seconds * _SECOND + int((fraction or "").ljust(9, "0")))


def timestamp_of_seconds(seconds: int) -> Timestamp:
    """Return the moment so many seconds after 1970. Raises: EvaluationError outside 1 to 9999."""
    return to_timestamp(seconds * _SECOND)


def seconds_of_timestamp(moment: Timestamp) -> int:
    """Return the whole seconds since 1970."""
    return to_int(moment.nanoseconds // _SECOND)


def format_timestamp(moment: Timestamp) -> str:
    """Return the moment as RFC 3339 text in UTC, with 0, 3, 6 or 9 decimals."""
    seconds, fraction = divmod(moment.nanoseconds, _SECOND)
    days, rest = divmod(seconds, _DAY_S)
    day = date.fromordinal(days + _EPOCH_DAY).isoformat()
    clock = f"{rest // 3_600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{day}T{clock}{_decimals(fraction)}Z"


def parse_duration(text: str) -> Duration:
    """
    Return the duration that text such as `1h30m` or `-1.5s` spells.

    Raises:
        EvaluationError: not a duration, or more than ten thousand years.
    """
    found = _SPAN.fullmatch(text) if len(text) <= MAX_SPAN_CHARS else None
    if not found:
        if text in ("0", "+0", "-0"):
            return Duration(0)
        shown = repr(text[:MAX_SPAN_CHARS])
        raise EvaluationError(f"expected a duration such as '1h30m' or '1.5s', got {shown}")
    nanoseconds = 0
    for whole, fraction, unit in _SPAN_PART.findall(found[2]):
        nanoseconds += int(whole or 0) * _UNITS[unit]
        if fraction:
            nanoseconds += int(fraction) * _UNITS[unit] // 10 ** len(fraction)
    return to_duration(-nanoseconds if found[1] == "-" else nanoseconds)


def format_duration(span: Duration) -> str:
    """Return the duration in seconds, such as `6347s` or `-0.500s`."""
    seconds, fraction = divmod(abs(span.nanoseconds), _SECOND)
    sign = "-" if span.nanoseconds < 0 else ""
    return f"{sign}{seconds}{_decimals(fraction)}s"


def part_of_timestamp(part: str) -> Callable[..., int]:
    """Return the function that reads `part` of a moment, in UTC or in the zone it is given."""
    read = _PARTS[part]

    def read_part(moment: Timestamp, zone: str = "UTC") -> int:
        return read(*_local_time(moment.nanoseconds // _SECOND, find_zone(zone)))

    return read_part


def milliseconds_of_timestamp(moment: Timestamp, zone: str = "UTC") -> int:
    """Return the milliseconds within the second. Raises: EvaluationError for no zone."""
    find_zone(zone)
    return moment.nanoseconds % _SECOND // 1_000_000


def total_of_duration(unit: str) -> Callable[[Duration], int]:
    """Return the function that counts the whole `unit`s in a duration, cut toward zero."""
    length = _UNITS[unit]

    def count(span: Duration) -> int:
        whole = abs(span.nanoseconds) // length
        return -whole if span.nanoseconds < 0 else whole

    return count


def milliseconds_of_duration(span: Duration) -> int:
    """Return the milliseconds within the second, signed as the duration."""
    rest = abs(span.nanoseconds) % _SECOND // 1_000_000
    return -rest if span.nanoseconds < 0 else rest


@lru_cache(maxsize=256)
def find_zone(name: str) -> tzinfo:
    """
    Return the zone of an IANA name or of an offset such as `+11:00`, `-02:30` or `02:00`.

    Raises:
        EvaluationError: no such zone.
    """
    found = _OFFSET.fullmatch(name)
    try:
        if found:
            offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
            return timezone(-offset if found[1] == "-" else offset)
        if len(name) <= MAX_SPAN_CHARS:
            return ZoneInfo(name or "UTC")
    # ZoneInfo reads a file: a name with odd characters surfaces as an OSError of that read.
    except (ValueError, KeyError, OSError):
        pass
    shown = repr(name[:MAX_SPAN_CHARS])
    raise EvaluationError(f"expected a zone such as 'Europe/Berlin' or '+02:00', got {shown}")


_PARTS: dict[str, Callable[[datetime, int], int]] = {
    "getFullYear": lambda local, years: local.year + years,
    "getMonth": lambda local, _: local.month - 1,
    "getDayOfMonth": lambda local, _: local.day - 1,
    "getDate": lambda local, _: local.day,
    "getDayOfYear": lambda local, _: local.timetuple().tm_yday - 1,
    "getDayOfWeek": lambda local, _: local.isoweekday() % 7,
    "getHours": lambda local, _: local.hour,
    "getMinutes": lambda local, _: local.minute,
    "getSeconds": lambda local, _: local.second,
}


def _local_time(seconds: int, zone: tzinfo) -> tuple[datetime, int]:
    """
    Return date and time in a zone, and the years to add to them.

    Far east and west of Greenwich a moment may lie in the year 0 or 10000, which `datetime`
    does not have. After 400 years the calendar is the same, days of the week included.
    """
    years = 0
    if seconds < _FIRST_DAYS:
        years = -_CYCLE_YEARS
    elif seconds > _LAST_DAYS:
        years = _CYCLE_YEARS
    shifted = seconds - years // _CYCLE_YEARS * _CYCLE_S
    return (_EPOCH + timedelta(seconds=shifted)).astimezone(zone), years


def _decimals(nanoseconds: int) -> str:
    if not nanoseconds:
        return ""
    digits = f"{nanoseconds:09}"
    width = 3 if digits.endswith("000000") else 6 if digits.endswith("000") else 9
    return "." + digits[:width]


def _no_timestamp(text: str) -> EvaluationError:
    shown = repr(text[:MAX_SPAN_CHARS])
    return EvaluationError(f"expected a timestamp such as '2026-11-23T06:32:00Z', got {shown}")

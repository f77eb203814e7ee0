"""Instants and durations: RFC 3339 text and `"24h"` outside, integer milliseconds inside."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_UTC = _EPOCH.replace(tzinfo=None)
_MILLISECOND = timedelta(milliseconds=1)
# RFC 3339 §5.6. `fromisoformat` takes much more (week dates, no offset), so the shape is ours.
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d)", re.ASCII)
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_RATE = re.compile(r"(\d{1,6})/(s|m|h)", re.ASCII)

MAX_DURATION_MS = 3_660 * _UNIT_MS["d"]
# The first and the last millisecond that RFC 3339 can write in UTC.
_FIRST_MS = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND


def parse_instant(text: str) -> int:
    """
    Return the milliseconds since 1970 of an RFC 3339 instant; finer digits are cut off.

    Raises:
        ValueError: not an instant with an offset, or outside the years 1 to 9999 in UTC.

    >>> parse_instant("1970-01-01T01:00:00.0019+01:00")
    1
    """
    try:
        if _INSTANT.fullmatch(text):
            instant_ms = (datetime.fromisoformat(text.upper()) - _EPOCH) // _MILLISECOND
            if _FIRST_MS <= instant_ms <= _LAST_MS:
                return instant_ms
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"expected an instant such as '2026-11-23T06:32:00Z', got {text!r}")


@lru_cache(maxsize=4_096)
def format_instant(instant_ms: int) -> str:
    """
    Return an instant as RFC 3339 text in UTC with milliseconds.

    Windows and deadlines may reach beyond the years 1 to 9999: they are written as the
    first or the last instant that there is.

    >>> format_instant(1)
    '1970-01-01T00:00:00.001Z'
    """
    written_ms = min(max(instant_ms, _FIRST_MS), _LAST_MS)
    moment = _EPOCH_UTC + timedelta(milliseconds=written_ms)
    return moment.isoformat(timespec="milliseconds") + "Z"


def format_instant_if_any(instant_ms: int | None) -> str | None:
    """Return `format_instant` of an instant that may not have come."""
    return None if instant_ms is None else format_instant(instant_ms)


def parse_duration(text: str) -> int:
    """
    Return the milliseconds of a duration such as `"500ms"`, `"5m"`, `"1.5h"` or `"7d"`.

    Raises:
        ValueError: not a duration, or longer than ten years.

    >>> parse_duration("24h")
    86400000
    """
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"expected a duration such as '24h', got {text!r}")
    duration_ms = round(float(found[1]) * _UNIT_MS[found[2]])
    if duration_ms > MAX_DURATION_MS:
        raise ValueError(f"expected a duration of at most 3660d, got {text!r}")
    return duration_ms


def format_duration(duration_ms: int) -> str:
    """
    Return a duration in the largest unit that it is whole in.

    >>> format_duration(90_000)
    '90s'
    """
    unit = max((u for u, ms in _UNIT_MS.items() if duration_ms % ms == 0), key=_UNIT_MS.__getitem__)
    return f"{duration_ms // _UNIT_MS[unit]}{unit}"


def parse_rate(text: str) -> float:
    """
    Return the milliseconds from one to the next at a rate such as `"10/s"`, `"30/m"` or `"500/h"`.

    Raises:
        ValueError: not a rate, or none from one an hour to 1000 a second.

    >>> parse_rate("10/s")
    100.0
    """
    found = _RATE.fullmatch(text)
    if not found:
        raise ValueError(f"expected a rate such as '10/s', got {text!r}")
    count = int(found[1])
    if not 1 <= count <= _UNIT_MS[found[2]]:
        raise ValueError(f"expected a rate from '1/h' to '1000/s', got {text!r}")
    return _UNIT_MS[found[2]] / count

"""Moments and durations. A zone is an IANA name or an offset; without one it is UTC."""

from oncue.core.expression import moments
from oncue.core.expression.function import Function
from oncue.core.expression.library.rows import free, function, method, weighing

# Measured: 2 to 5 µs, most of it text to moment or moment to date.
_UNITS = 8
_MOMENT = "timestamp('2009-02-13T23:31:30.250Z')"


def _part(name: str, summary: str, gives: int, *, span_unit: str = "") -> Function:
    read = moments.part_of_timestamp(name)
    overloads = [free("timestamp -> int", read), free("timestamp, string -> int", read)]
    if span_unit:
        overloads.append(free("duration -> int", moments.total_of_duration(span_unit)))
    row = method(name, summary, f"{_MOMENT}.{name}() == {gives}", *overloads)
    return weighing(_UNITS, row)


ROWS: tuple[Function, ...] = (
    weighing(
        _UNITS,
        function(
            "timestamp",
            "A moment from RFC 3339 text, or from seconds since 1970.",
            "timestamp('1970-01-01T00:01:00Z') == timestamp(60)",
            free("timestamp -> timestamp", lambda moment: moment),
            free("string -> timestamp", moments.parse_timestamp),
            free("int -> timestamp", moments.timestamp_of_seconds),
        ),
    ),
    weighing(
        _UNITS,
        function(
            "duration",
            "A span of time from text, in h, m, s, ms, us and ns.",
            "duration('1h30m') == duration('5400s')",
            free("duration -> duration", lambda span: span),
            free("string -> duration", moments.parse_duration),
        ),
    ),
    _part("getFullYear", "The year.", 2009),
    _part("getMonth", "The month, January being 0.", 1),
    _part("getDate", "The day of the month, the first being 1.", 13),
    _part("getDayOfMonth", "The day of the month, the first being 0.", 12),
    _part("getDayOfWeek", "The day of the week, Sunday being 0.", 5),
    _part("getDayOfYear", "The day of the year, the first being 0.", 43),
    _part("getHours", "The hour; of a duration all its whole hours.", 23, span_unit="h"),
    _part("getMinutes", "The minute; of a duration all its whole minutes.", 31, span_unit="m"),
    _part("getSeconds", "The second; of a duration all its whole seconds.", 30, span_unit="s"),
    method(
        "getMilliseconds",
        "The milliseconds within the second.",
        f"{_MOMENT}.getMilliseconds() == 250",
        free("timestamp -> int", moments.milliseconds_of_timestamp),
        free("timestamp, string -> int", moments.milliseconds_of_timestamp),
        free("duration -> int", moments.milliseconds_of_duration),
    ),
)

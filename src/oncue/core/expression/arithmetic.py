"""
Arithmetic: 64-bit numbers that refuse to wrap, division that truncates toward zero.

Python's integers never overflow, its `//` and `%` round down, and dividing a
float by zero raises; CEL (cel-spec, langdef.md, "Numeric Values") differs in
all of it.
"""

import math

from oncue.core.errors import EvaluationError
from oncue.core.expression.values import MAX_INT, MAX_UINT, MIN_INT, Duration, Timestamp, Uint

_NANOSECONDS = 1_000_000_000
MIN_MOMENT = -62_135_596_800 * _NANOSECONDS
"""0001-01-01T00:00:00Z"""
MAX_MOMENT = 253_402_300_800 * _NANOSECONDS - 1
"""9999-12-31T23:59:59.999999999Z"""
MAX_SPAN = 315_576_000_000 * _NANOSECONDS
"""Ten thousand years, as protobuf's Duration has it."""


def to_int(number: int) -> int:
    """
    Return `number` as an int.

    Raises:
        EvaluationError: beyond 64 bits.
    """
    if MIN_INT <= number <= MAX_INT:
        return number
    raise EvaluationError("expected an int within 64 bits, got one beyond them")


def to_uint(number: int) -> Uint:
    """
    Return `number` as a uint.

    Raises:
        EvaluationError: negative, or beyond 64 bits.
    """
    if 0 <= number <= MAX_UINT:
        return Uint(number)
    raise EvaluationError("expected a uint from 0 to 2^64 - 1, got a number outside")


def to_timestamp(nanoseconds: int) -> Timestamp:
    """
    Return the moment so long after 1970.

    Raises:
        EvaluationError: outside the years 1 to 9999.
    """
    if MIN_MOMENT <= nanoseconds <= MAX_MOMENT:
        return Timestamp(nanoseconds)
    raise EvaluationError("expected a timestamp in the years 1 to 9999, got one outside")


def to_duration(nanoseconds: int) -> Duration:
    """
    Return the duration of so many nanoseconds.

    Raises:
        EvaluationError: more than ten thousand years.
    """
    if -MAX_SPAN <= nanoseconds <= MAX_SPAN:
        return Duration(nanoseconds)
    raise EvaluationError("expected a duration of at most 10 000 years, got a longer one")


def add_ints(left: int, right: int) -> int:
    """Return the sum. Raises: EvaluationError beyond 64 bits."""
    return to_int(int.__add__(left, right))


def subtract_ints(left: int, right: int) -> int:
    """Return the difference. Raises: EvaluationError beyond 64 bits."""
    return to_int(left - right)


def multiply_ints(left: int, right: int) -> int:
    """Return the product. Raises: EvaluationError beyond 64 bits."""
    return to_int(left * right)


def divide_ints(left: int, right: int) -> int:
    """Return the quotient, cut toward zero. Raises: EvaluationError for zero and MIN / -1."""
    return to_int(_quotient(left, right))


def remainder_of_ints(left: int, right: int) -> int:
    """Return the remainder, signed as `left`. Raises: EvaluationError for zero and MIN % -1."""
    return left - right * to_int(_quotient(left, right))


def negate_int(number: int) -> int:
    """Return the number with the other sign. Raises: EvaluationError for the least int."""
    return to_int(-number)


def add_uints(left: Uint, right: Uint) -> Uint:
    """Return the sum. Raises: EvaluationError beyond 64 bits."""
    return to_uint(left + right)


def subtract_uints(left: Uint, right: Uint) -> Uint:
    """Return the difference. Raises: EvaluationError below zero."""
    return to_uint(left - right)


def multiply_uints(left: Uint, right: Uint) -> Uint:
    """Return the product. Raises: EvaluationError beyond 64 bits."""
    return to_uint(left * right)


def divide_uints(left: Uint, right: Uint) -> Uint:
    """Return the quotient. Raises: EvaluationError for zero."""
    return to_uint(_quotient(left, right))


def remainder_of_uints(left: Uint, right: Uint) -> Uint:
    """Return the remainder. Raises: EvaluationError for zero."""
    return to_uint(left - right * _quotient(left, right))


def add_doubles(left: float, right: float) -> float:
    """Return the sum as a double."""
    return to_double(left) + to_double(right)


def subtract_doubles(left: float, right: float) -> float:
    """Return the difference as a double."""
    return to_double(left) - to_double(right)


def multiply_doubles(left: float, right: float) -> float:
    """Return the product as a double."""
    return to_double(left) * to_double(right)


def divide_doubles(left: float, right: float) -> float:
    """Return the quotient as a double: infinite or NaN for a zero divisor (IEEE 754)."""
    dividend, divisor = to_double(left), to_double(right)
    if divisor:
        return dividend / divisor
    if not dividend or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def to_double(number: float) -> float:
    """Return `number` as a double; infinite where an int of the data is beyond all doubles."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def add_spans(left: Duration, right: Duration) -> Duration:
    """Return both together. Raises: EvaluationError beyond ten thousand years."""
    return to_duration(left.nanoseconds + right.nanoseconds)


def subtract_spans(left: Duration, right: Duration) -> Duration:
    """Return what remains. Raises: EvaluationError beyond ten thousand years."""
    return to_duration(left.nanoseconds - right.nanoseconds)


def move_later(moment: Timestamp, span: Duration) -> Timestamp:
    """Return the moment `span` after. Raises: EvaluationError outside the years 1 to 9999."""
    return to_timestamp(moment.nanoseconds + span.nanoseconds)


def move_later_by(span: Duration, moment: Timestamp) -> Timestamp:
    """Return the moment `span` after. Raises: EvaluationError outside the years 1 to 9999."""
    return move_later(moment, span)


def move_earlier(moment: Timestamp, span: Duration) -> Timestamp:
    """Return the moment `span` before. Raises: EvaluationError outside the years 1 to 9999."""
    return to_timestamp(moment.nanoseconds - span.nanoseconds)


def time_between(later: Timestamp, earlier: Timestamp) -> Duration:
    """Return the time from `earlier` to `later`. Raises: EvaluationError beyond 10 000 years."""
    nanoseconds = later.nanoseconds - earlier.nanoseconds
    # cel-go and cel-cpp keep the difference of two timestamps in 64 bits of nanoseconds.
    if not MIN_INT <= nanoseconds <= MAX_INT:
        raise EvaluationError("expected a duration within 292 years, got a longer one")
    return Duration(nanoseconds)


def _quotient(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("expected a divisor other than 0, got 0")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient

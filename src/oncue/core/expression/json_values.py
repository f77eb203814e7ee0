"""Values of expressions as JSON."""

import base64
import math
from collections.abc import Callable, Mapping

from oncue.core.errors import EvaluationError
from oncue.core.expression.budget import MAX_VALUE_DEPTH, Budget, size_of
from oncue.core.expression.moments import format_duration, format_timestamp
from oncue.core.expression.values import (
    CelType,
    Duration,
    OptionalValue,
    Timestamp,
    Uint,
    from_key,
    kind_of,
)
from oncue.core.json_text import Json

# A value may hold one list or text many times over; this is what it may come to when written
# out: 100 000 members, or 16 million characters.
_MAX_UNITS = 1_000_000
_MEMBER_UNITS = 10


def to_json(value: object) -> Json:
    """
    Return `value` as JSON: moments and durations as text, bytes in base64, optionals as content.

    Raises:
        EvaluationError: NaN or an infinity; nested too deep; far too large.
    """
    return _convert(value, Budget.of(_MAX_UNITS), 0)


def _convert(value: object, budget: Budget, depth: int) -> Json:
    kind = value.__class__
    if kind is str:
        budget.charge(size_of(value))
    if value is None or kind is str or kind is bool or kind is int:
        return value  # type: ignore[return-value]  # its class was just read
    if depth > MAX_VALUE_DEPTH:
        raise EvaluationError(f"expected at most {MAX_VALUE_DEPTH} levels of nesting")
    if isinstance(value, list):
        budget.charge(_MEMBER_UNITS * len(value))
        return [_convert(item, budget, depth + 1) for item in value]
    if isinstance(value, dict):
        budget.charge(_MEMBER_UNITS * len(value))
        return {
            _text_of_key(key): _convert(inner, budget, depth + 1) for key, inner in value.items()
        }
    if isinstance(value, OptionalValue):
        return _convert(value.content, budget, depth + 1)
    kind_of(value)
    return _SCALARS[kind](value)


def _text_of_key(key: object) -> str:
    if key.__class__ is str:
        return key
    plain = from_key(key)
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def _finite(number: float) -> Json:
    if math.isfinite(number):
        return number
    raise EvaluationError(f"expected a number that JSON has, got {number}")


def _base64(octets: bytes) -> Json:
    return base64.b64encode(octets).decode()


def _name(named: CelType) -> Json:
    return named.name


_SCALARS: Mapping[type, Callable[..., Json]] = {
    float: _finite,
    Uint: int,
    bytes: _base64,
    Timestamp: format_timestamp,
    Duration: format_duration,
    CelType: _name,
}

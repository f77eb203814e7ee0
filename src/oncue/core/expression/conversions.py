"""From one kind to another: `int()`, `uint()`, `double()`, `string()`, `bytes()`, `bool()`."""

import math
import re
from decimal import Decimal

from oncue.core.errors import EvaluationError
from oncue.core.expression.arithmetic import to_int, to_uint
from oncue.core.expression.values import TYPES, CelType, Uint, kind_of

_INT = re.compile(r"[+-]?[0-9]{1,20}")
_UINT = re.compile(r"[0-9]{1,20}")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_NOT_FINITE = {
    "nan": math.nan,
    "inf": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
    "infinity": math.inf,
    "+infinity": math.inf,
    "-infinity": -math.inf,
}
_BOOLS = dict.fromkeys(("1", "t", "true", "TRUE", "True"), True) | dict.fromkeys(
    ("0", "f", "false", "FALSE", "False"), False
)
_SHOWN = 40
# Of powers of ten: below the first and from the second on an exponent is written.
_LEAST_PLAIN_EXPONENT = -4
_LEAST_WRITTEN_EXPONENT = 6


def int_of_double(number: float) -> int:
    """Return the number cut toward zero. Raises: EvaluationError at or beyond ±2^63."""
    if -(2.0**63) < number < 2.0**63:
        return int(number)
    raise EvaluationError(f"expected a double within 64 bits, got {format_double(number)}")


def uint_of_double(number: float) -> Uint:
    """Return the number cut toward zero. Raises: EvaluationError below 0 or from 2^64 on."""
    if 0 <= number < 2.0**64:
        return Uint(number)
    raise EvaluationError(f"expected a double from 0 to 2^64, got {format_double(number)}")


def int_of_string(text: str) -> int:
    """Return the number that decimal digits spell. Raises: EvaluationError for other text."""
    if _INT.fullmatch(text):
        return to_int(int(text))
    raise EvaluationError(f"expected a whole number as text, got {text[:_SHOWN]!r}")


def uint_of_string(text: str) -> Uint:
    """Return the number that decimal digits spell. Raises: EvaluationError for other text."""
    if _UINT.fullmatch(text):
        return to_uint(int(text))
    raise EvaluationError(f"expected a whole number as text, got {text[:_SHOWN]!r}")


def double_of_string(text: str) -> float:
    """Return the number that `text` spells. Raises: EvaluationError for other text."""
    if _DOUBLE.fullmatch(text):
        return float(text)
    number = _NOT_FINITE.get(text[:10].lower())
    if number is None or len(text) > 10:
        raise EvaluationError(f"expected a number as text, got {text[:_SHOWN]!r}")
    return number


def bool_of_string(text: str) -> bool:
    """Return what `text` says. Raises: EvaluationError for other text."""
    flag = _BOOLS.get(text)
    if flag is None:
        raise EvaluationError(f"expected 'true' or 'false' as text, got {text[:_SHOWN]!r}")
    return flag


def string_of_bytes(octets: bytes) -> str:
    """Return the text that the octets encode. Raises: EvaluationError when they are no UTF-8."""
    try:
        return octets.decode()
    except UnicodeDecodeError as exc:
        raise EvaluationError(f"expected UTF-8, got byte 0x{octets[exc.start]:02x}") from exc


def string_of_int(number: int) -> str:
    """Return the decimal digits. Raises: EvaluationError for a number beyond 64 bits."""
    return str(to_int(number))


def string_of_uint(number: Uint) -> str:
    """Return the decimal digits."""
    return str(int(number))


def string_of_bool(flag: object) -> str:
    """Return `true` or `false`."""
    return "true" if flag else "false"


def format_double(number: float) -> str:
    """
    Return the shortest text that reads back as `number`, laid out as Go and C++ do for `%g`.

    >>> format_double(1.0), format_double(1e6), format_double(-4.5e-3)
    ('1', '1e+06', '-0.0045')
    """
    if not math.isfinite(number):
        return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"
    sign = "-" if math.copysign(1.0, number) < 0 else ""
    _, digits, power = Decimal(repr(abs(number))).normalize().as_tuple()
    assert isinstance(power, int)
    text = "".join(map(str, digits))
    exponent = power + len(text) - 1
    if _LEAST_PLAIN_EXPONENT <= exponent < _LEAST_WRITTEN_EXPONENT:
        return sign + format(Decimal((0, digits, power)), "f")
    mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
    return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"


def type_of(value: object) -> CelType:
    """Return the type of `value`."""
    return TYPES[kind_of(value)]

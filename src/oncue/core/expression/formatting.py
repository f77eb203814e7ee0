"""`format()`: the verbs of the strings extension."""

import math
import re
from collections.abc import Callable

from oncue.core.errors import EvaluationError
from oncue.core.expression.arithmetic import to_double
from oncue.core.expression.budget import MAX_VALUE_DEPTH, Budget, size_of
from oncue.core.expression.conversions import (
    format_double,
    string_of_bytes,
    string_of_int,
    string_of_uint,
)
from oncue.core.expression.moments import format_duration, format_timestamp
from oncue.core.expression.values import (
    CelType,
    Duration,
    Timestamp,
    Uint,
    from_key,
    kind_of,
)

MAX_PRECISION = 1_000
_DEFAULT_PRECISION = 6
_VERB = re.compile(r"%(?:(%)|(?:\.(\d{1,9}))?(.?))", re.DOTALL)


def format_text(budget: Budget, template: str, arguments: list[object]) -> str:
    """
    Return `template` with each verb replaced by the next of `arguments`.

    Raises:
        EvaluationError: a verb unknown, or not meant for its argument; too few arguments.
        OverBudget: the result would be too long.
    """
    remaining = iter(arguments)

    def spell(found: re.Match[str]) -> str:
        if found[1]:
            return "%"
        verb = _VERBS.get(found[3])
        if verb is None:
            raise EvaluationError(f"expected one of %s %d %f %e %b %o %x %X, got {found[0]!r}")
        precision = int(found[2] or _DEFAULT_PRECISION)
        if precision > MAX_PRECISION:
            raise EvaluationError(f"expected a precision up to {MAX_PRECISION}, got {precision}")
        for argument in remaining:
            text = verb(budget, argument, precision)
            budget.charge(1 + size_of(text))
            return text
        raise EvaluationError(f"expected an argument for each verb, got {len(arguments)}")

    return _VERB.sub(spell, template)


def spell_value(budget: Budget, value: object, depth: int = 0) -> str:
    """
    Return `value` as `%s` writes it.

    Raises:
        EvaluationError: no text for it, or nested too deep.
        OverBudget: too much to write.
    """
    if depth > MAX_VALUE_DEPTH:
        raise EvaluationError(f"expected at most {MAX_VALUE_DEPTH} levels of nesting")
    budget.charge(2 + size_of(value))
    if isinstance(value, list):
        return f"[{', '.join(spell_value(budget, item, depth + 1) for item in value)}]"
    if isinstance(value, dict):
        pairs = (
            (spell_value(budget, from_key(key)), spell_value(budget, member, depth + 1))
            for key, member in value.items()
        )
        return f"{{{', '.join(f'{key}: {member}' for key, member in sorted(pairs))}}}"
    spell = _TEXTS.get(value.__class__)
    if spell is None:
        raise EvaluationError(f"expected a value with a text, got {kind_of(value)}")
    return spell(value)


def _spell_double(number: float) -> str:
    return format_double(number) if math.isfinite(number) else _not_finite(number)


def _not_finite(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _string(budget: Budget, value: object, _precision: int) -> str:
    return spell_value(budget, value)


def _decimal(_budget: Budget, value: object, _precision: int) -> str:
    if isinstance(value, float):
        return f"{value:f}" if math.isfinite(value) else _not_finite(value)
    return str(_whole("%d", value))


def _number(layout: str) -> Callable[[Budget, object, int], str]:
    def spell(_budget: Budget, value: object, precision: int) -> str:
        number = to_double(value if isinstance(value, float) else _whole(f"%{layout}", value))
        return f"{number:.{precision}{layout}}" if math.isfinite(number) else _not_finite(number)

    return spell


def _binary(_budget: Budget, value: object, _precision: int) -> str:
    return f"{int(value):b}" if isinstance(value, bool) else f"{_whole('%b', value):b}"


def _octal(_budget: Budget, value: object, _precision: int) -> str:
    return f"{_whole('%o', value):o}"


def _hex(_budget: Budget, value: object, _precision: int) -> str:
    if isinstance(value, str):
        return value.encode().hex()
    return value.hex() if isinstance(value, bytes) else f"{_whole('%x', value):x}"


def _upper_hex(budget: Budget, value: object, precision: int) -> str:
    return _hex(budget, value, precision).upper()


def _whole(verb: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise EvaluationError(f"expected a number for {verb}, got {kind_of(value)}")


_VERBS: dict[str, Callable[[Budget, object, int], str]] = {
    "s": _string,
    "d": _decimal,
    "f": _number("f"),
    "e": _number("e"),
    "b": _binary,
    "o": _octal,
    "x": _hex,
    "X": _upper_hex,
}
_TEXTS: dict[type, Callable[..., str]] = {
    str: lambda text: text,
    bytes: string_of_bytes,
    bool: lambda flag: "true" if flag else "false",
    type(None): lambda _: "null",
    int: string_of_int,
    Uint: string_of_uint,
    float: _spell_double,
    Timestamp: format_timestamp,
    Duration: format_duration,
    CelType: lambda cel_type: cel_type.name,
}

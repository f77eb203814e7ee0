"""
What SQL makes of JSON values: NULL where a value is missing or of another kind.

Nothing raises: a stream cannot stop at one event, so what has no value is NULL.
"""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import re2

from oncue.core.instants import format_instant, parse_instant
from oncue.core.json_text import Json

_MAX_INT: Final = 2**63


def instant_of(value: Json) -> Json:
    """Return the milliseconds since 1970 of an instant that a text spells; without a zone it is UTC."""
    return _instant(value) if isinstance(value, str) else None


@lru_cache(maxsize=1_024)
def _instant(text: str) -> int | None:
    for spelled in (text, f"{text}Z", f"{text}T00:00:00Z"):
        try:
            return parse_instant(spelled)
        except ValueError:
            continue
    return None


def bounded(value: float) -> Json:
    """Return a number that JSON has: beyond 64 bits it is a float, and no number is NULL."""
    if isinstance(value, int):
        if -_MAX_INT <= value < _MAX_INT:
            return value
        try:
            return float(value)
        except OverflowError:
            return None
    return value if math.isfinite(value) else None


def are_equal(left: Json, right: Json) -> bool | None:
    """Return whether two values are equal; 1 is 1.0, but neither true nor '1'."""
    if left is None or right is None:
        return None
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def order(left: Json, right: Json) -> int | None:
    """Return -1, 0 or 1 for two values of one kind; None where they have no order."""
    first, second = _RANKED.get(left.__class__), _RANKED.get(right.__class__)
    if first is None or first is not second:
        return None
    return (left > right) - (left < right)  # type: ignore[operator]  # they are of one kind


_RANKED: Final[dict[type, str]] = {bool: "truth", int: "number", float: "number", str: "text"}


def conjunction(left: Json, right: Json) -> bool | None:
    """Return AND of three values."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else None


def disjunction(left: Json, right: Json) -> bool | None:
    """Return OR of three values."""
    if left is True or right is True:
        return True
    return False if left is False and right is False else None


def negation(value: Json) -> bool | None:
    """Return NOT of three values."""
    return not value if isinstance(value, bool) else None


@lru_cache(maxsize=256)
def like(pattern: str, escape: str, *, ignores_case: bool) -> Callable[[str], object]:
    """Return what tells whether a text is LIKE a pattern; by RE2, whose time grows with the text alone."""
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if escape and character == escape:
            parts.append(re.escape(next(characters, escape)))
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    matches: Callable[[str], object] = re2.compile(
        ("(?si)" if ignores_case else "(?s)") + "".join(parts)
    ).fullmatch
    return matches


def spelled(value: Json) -> str | None:
    """Return a value as text."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return repr(value)
        case _:
            return None


def spelled_instant(value: Json) -> str | None:
    """Return an instant as text."""
    return format_instant(value) if isinstance(value, int) else None


def read_number(value: Json) -> Json:
    """Return the number that a value is or spells."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str) or len(value) > 64 or "_" in value:
        return None
    try:
        return bounded(int(value))
    except ValueError:
        pass
    try:
        return bounded(float(value))
    except ValueError:
        return None


def read_truth(value: Json) -> Json:
    """Return the truth value that a value is or spells."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value != 0
    words = {"true": True, "t": True, "false": False, "f": False}
    return words.get(value.lower()) if isinstance(value, str) else None

"""
Functions of strings and bytes, counted by code point (cel-spec, strings extension).

A function that can make much out of little takes the budget and pays before it
makes anything.
"""

from oncue.core.errors import EvaluationError
from oncue.core.expression.budget import Budget, size_of
from oncue.core.expression.values import kind_of

# Unicode's White_Space. Python's `strip` also takes U+001C to U+001F.
_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_QUOTED = str.maketrans(
    {
        "\\": "\\\\",
        '"': '\\"',
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
    }
)


def contains(text: str, part: str) -> bool:
    """Return whether `part` occurs in `text`."""
    return part in text


def starts_with(text: str, part: str) -> bool:
    """Return whether `text` begins with `part`."""
    return text.startswith(part)


def ends_with(text: str, part: str) -> bool:
    """Return whether `text` ends with `part`."""
    return text.endswith(part)


def char_at(text: str, index: int) -> str:
    """Return the character at `index`, nothing at the end. Raises: EvaluationError outside."""
    return text[_inside(text, index) : index + 1]


def index_of(text: str, part: str, start: int = 0) -> int:
    """Return where `part` first occurs, or -1. Raises: EvaluationError for a start outside."""
    return text.find(part, _inside(text, start))


def last_index_of(text: str, part: str) -> int:
    """Return where `part` last occurs, or -1."""
    return text.rfind(part)


def last_index_before(text: str, part: str, start: int) -> int:
    """Return where `part` last occurs at or before `start`, or -1. Raises: EvaluationError."""
    return text.rfind(part, 0, _inside(text, start) + len(part))


def substring(text: str, start: int) -> str:
    """Return the text from `start` on. Raises: EvaluationError outside."""
    return text[_inside(text, start) :]


def substring_between(text: str, start: int, end: int) -> str:
    """Return the text from `start` up to `end`. Raises: EvaluationError outside."""
    if _inside(text, start) > _inside(text, end):
        raise EvaluationError(f"expected an end from {start} on, got {end}")
    return text[start:end]


def lower_ascii(text: str) -> str:
    """Return `text` with A to Z in lower case, all else as it is."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def upper_ascii(text: str) -> str:
    """Return `text` with a to z in upper case, all else as it is."""
    return text.upper() if text.isascii() else text.translate(_UPPER)


def trim(text: str) -> str:
    """Return `text` without the white space around it."""
    return text.strip(_SPACE)


def reverse(text: str) -> str:
    """Return the characters from last to first."""
    return text[::-1]


def quote(text: str) -> str:
    """Return `text` as a string literal of CEL."""
    return f'"{text.translate(_QUOTED)}"'


def replace(budget: Budget, text: str, old: str, new: str, limit: int = -1) -> str:
    """
    Return `text` with `new` for the first `limit` occurrences of `old`, or for all.

    Raises:
        OverBudget: the result would be too long.
    """
    found = text.count(old) if limit < 0 else min(text.count(old), limit)
    budget.charge(found * len(new) >> 4)
    return text.replace(old, new, found)


def split(budget: Budget, text: str, separator: str, limit: int = -1) -> list[str]:
    """
    Return the parts of `text` between separators, at most `limit` of them.

    Raises:
        OverBudget: too many parts.
    """
    if limit == 0:
        return []
    parts = (text.count(separator) if separator else len(text)) + 1
    budget.charge(min(parts, limit) if limit > 0 else parts)
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    if 0 < limit < len(text):
        return [*text[: limit - 1], text[limit - 1 :]]
    return list(text) or [""]


def join(budget: Budget, items: list[object], separator: str = "") -> str:
    """
    Return the members one after another.

    Raises:
        EvaluationError: a member that is no string.
        OverBudget: the result would be too long.
    """
    budget.charge(len(items))
    texts: list[str] = []
    for item in items:
        if not isinstance(item, str):
            raise EvaluationError(f"expected a list of strings to join, got {kind_of(item)} in it")
        budget.charge(size_of(item) + (len(separator) >> 4))
        texts.append(item)
    return separator.join(texts)


def concat(budget: Budget, left: str, right: str) -> str:
    """Return both, one after the other. Raises: OverBudget when it is too long."""
    budget.charge(size_of(left) + size_of(right))
    return left + right


def concat_bytes(budget: Budget, left: bytes, right: bytes) -> bytes:
    """Return both, one after the other. Raises: OverBudget when it is too long."""
    budget.charge(size_of(left) + size_of(right))
    return left + right


def concat_lists(budget: Budget, left: list[object], right: list[object]) -> list[object]:
    """Return the members of both. Raises: OverBudget when there are too many."""
    budget.charge(len(left) + len(right))
    return left + right


def _inside(text: str, index: int) -> int:
    if 0 <= index <= len(text):
        return index
    raise EvaluationError(f"expected an index from 0 to {len(text)}, got {index}")

"""What part of a list is asked for: how many, from where, of which time."""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, TypeVar

from starlette.requests import Request

from oncue.core.errors import InvalidInput, Problem
from oncue.core.instants import parse_instant

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
# Fewer digits than those of 2**63, so that each such number is one that the stores take.
_MAX_DIGITS = 19

Row = TypeVar("Row")
Place = Callable[[Any], tuple[int, str]]
"""Where a row stands in its list, which goes down from the newest."""
BY_ID: Final[Place] = attrgetter("created_at_ms", "id")
BY_NAME: Final[Place] = attrgetter("created_at_ms", "name")


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for: `limit` rows, from below `before`."""

    limit: int
    before: tuple[int, str] | None

    @classmethod
    def of(cls, request: Request) -> "Page":
        """
        Return what the query asks for.

        Raises:
            InvalidInput: its limit or its cursor is none.
        """
        given = request.query_params
        return cls(page_size(given.get("limit")), decode_cursor(given.get("cursor")))

    def of_all(self, rows: Iterable[Row], place: Place = BY_ID) -> list[Row]:
        """Return this part of all rows, and one row more if there is one."""
        before = self.before
        below = [row for row in rows if before is None or place(row) < before]
        return below[: self.limit + 1]


def page_size(text: str | None) -> int:
    """
    Return the number of rows asked for.

    Raises:
        InvalidInput: not a number from 1 to 500.
    """
    if text is None:
        return DEFAULT_LIMIT
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_LIMIT:
        return int(text)
    message = f"expected a number from 1 to {MAX_LIMIT}, got {text!r}"
    raise InvalidInput([Problem("limit", message)])


def encode_cursor(instant_ms: int, id_: str) -> str:
    """Return the place after the row with this instant and id."""
    return urlsafe_b64encode(f"{instant_ms}:{id_}".encode()).decode().rstrip("=")


def decode_cursor(text: str | None) -> tuple[int, str] | None:
    """
    Return the place that `encode_cursor` made.

    Raises:
        InvalidInput: it made no such cursor.
    """
    if text is None:
        return None
    place = _decode(text)
    instant_ms, _, id_ = place.partition(":")
    if not (instant_ms.isascii() and instant_ms.isdecimal() and len(instant_ms) < _MAX_DIGITS):
        raise _no_cursor(text)
    return int(instant_ms), id_


def encode_key(key: str) -> str:
    """Return the place after the row with this key."""
    return urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_key(text: str | None) -> str | None:
    """
    Return the key that `encode_key` was given.

    Raises:
        InvalidInput: it made no such cursor.
    """
    return None if text is None else _decode(text)


def _decode(text: str) -> str:
    try:
        return b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode()
    except ValueError as exc:
        raise _no_cursor(text) from exc


def _no_cursor(text: str) -> InvalidInput:
    return InvalidInput([Problem("cursor", f"expected the next_cursor of a list, got {text!r}")])


def instant(request: Request, name: str, problems: list[Problem]) -> int | None:
    """Return the instant in a query parameter, if there is one; what is wrong goes to `problems`."""
    text = request.query_params.get(name)
    try:
        return None if text is None else parse_instant(text)
    except ValueError as exc:
        problems.append(Problem(name, str(exc)))
        return None

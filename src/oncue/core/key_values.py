"""What an account keeps under keys: places, terms, and what is found there."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json, encode_json

MAX_KEY: Final = 512
MAX_VALUE_BYTES: Final = 256 << 10
# What expressions and JSON readers elsewhere can still take as a whole number.
_MAX_INTEGER: Final = 2**63 - 1


class Namespace(StrEnum):
    """Keys of different namespaces do not meet."""

    STATE = "state"
    """What workflows remember."""
    CACHE = "cache"
    """The answers that steps with `cache` use again."""


@dataclass(frozen=True, slots=True)
class Slot:
    """
    A place for one value.

    Raises:
        InvalidInput: the key is empty, or too long.
    """

    namespace: Namespace
    key: str

    def __post_init__(self) -> None:
        if not 0 < len(self.key) <= MAX_KEY:
            message = f"expected 1 to {MAX_KEY} characters, got {len(self.key)}"
            raise InvalidInput([Problem("key", message)])


@dataclass(frozen=True, slots=True)
class Terms:
    """
    On what terms something is written.

    It is gone after `ttl_ms`. It is refused unless the version there is
    `if_version`; 0 says that there must be none. A repeat with the same `once`
    changes nothing, and gets what the first one got.
    """

    ttl_ms: int | None = None
    if_version: int | None = None
    once: str | None = None


ANY_TERMS: Final = Terms()


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept under a key; `version` counts from 1 and rises with every write."""

    key: str
    value: Json
    version: int
    updated_at_ms: int
    expires_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """What an increment made of a number."""

    value: int | float
    version: int


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some entries in the order of their keys; there may be more after the key `next_after`."""

    entries: tuple[Entry, ...]
    next_after: str | None


def encode_value(value: Json) -> bytes:
    """
    Return a value as it is kept.

    Raises:
        InvalidInput: it is too large.
    """
    encoded = encode_json(value)
    if len(encoded) > MAX_VALUE_BYTES:
        message = f"expected at most {MAX_VALUE_BYTES} bytes of JSON, got {len(encoded)}"
        raise InvalidInput([Problem("value", message)])
    return encoded


def add(value: Json, amount: float) -> int | float:
    """
    Return the sum.

    Raises:
        InvalidInput: `value` is no number, or the sum is none that JSON can tell.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        shown = encode_json(value)[:80].decode(errors="replace")
        raise InvalidInput([Problem("key", f"expected a number there, got {shown}")])
    total = value + amount
    if abs(total) > _MAX_INTEGER if isinstance(total, int) else not math.isfinite(total):
        raise InvalidInput([Problem("amount", f"expected a sum within 64 bits, got {total}")])
    return total

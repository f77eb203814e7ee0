"""Canonical JSON: equal values have one text, and values that differ have two."""

from collections.abc import Sequence
from typing import Final

import msgspec

from oncue.core.json_text import Json

_encode: Final = msgspec.json.encode


def canonical_key(parts: Sequence[Json]) -> str:
    """Return the text of a key with these parts."""
    return _encode([canonical(part) for part in parts]).decode() if parts else ""


def canonical(value: Json) -> Json:
    """Return a value whose whole numbers have all their digits, and whose members are sorted."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, dict):
        return {name: canonical(value[name]) for name in sorted(value)}
    return value

"""Objects: content under keys, as S3 knows them."""

from dataclasses import dataclass
from typing import Final

MAX_KEY_BYTES: Final = 1_024
MAX_OBJECT_BYTES: Final = 5 << 20
"""Content travels through a workflow's history, so it is no place for films."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Content, what it is, and a tag that changes with it."""

    content: bytes
    content_type: str
    etag: str


def _is_text(key: str) -> bool:
    # Half of a surrogate pair is no character, though JSON can spell it.
    return not any("\ud800" <= char <= "\udfff" for char in key)


def key_problem(key: str) -> str | None:
    """Return why a key names no object everywhere; a path in it must lead nowhere else."""
    if not key or len(key.encode("utf-8", "replace")) > MAX_KEY_BYTES or not _is_text(key):
        return f"expected a key of 1 to {MAX_KEY_BYTES} bytes, got {len(key)} characters"
    if any(ord(char) < ord(" ") or char in "\\\x7f" for char in key):
        return f"expected a key without control characters and backslashes, got {key!r}"
    if any(part in ("", ".", "..") for part in key.split("/")):
        return f"expected a key such as reports/2026.csv, got {key!r}"
    return None

"""
Ids: a prefix that says what it names, a time-sortable part, and what makes it unique.

A thing that a decision makes gets its id *from* the decision, so that deciding
again, after a crash or in a replay, names the same thing.
"""

from collections.abc import Iterable
from hashlib import sha256


def random_id(prefix: str, at_ms: int, entropy: bytes) -> str:
    """Return an id for something that came from outside, unique by 10 bytes of `entropy`."""
    return f"{prefix}_{at_ms:012x}{entropy.hex()}"


def derived_id(prefix: str, at_ms: int, parts: Iterable[object]) -> str:
    """Return the one id of what `parts` decide."""
    return f"{prefix}_{max(at_ms, 0):012x}{digest(parts)[:20]}"


def derived_uuid(parts: Iterable[object]) -> str:
    """
    Return the one UUID of what `parts` decide, in the form of version 4.

    Vendors that let us choose an id check its form; that it comes of a hash and
    not of chance they cannot see.
    """
    text = digest(parts)
    variant = "89ab"[int(text[16], 16) % 4]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def digest(parts: Iterable[object]) -> str:
    """Return the SHA-256 of `parts` in hexadecimal; no two different lists of parts collide by joining."""
    text = "".join(f"{len(part)}:{part}" for part in map(str, parts))
    return sha256(text.encode()).hexdigest()

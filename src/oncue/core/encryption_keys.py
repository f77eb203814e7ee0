"""Keys that encrypt what is kept, read from the text of `ENCRYPTION_KEY`."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Final

from oncue.core.errors import InvalidInput, Problem

KEY_BYTES: Final = 32
ID_BYTES: Final = 4
MIN_TEXT: Final = 16

# The text is all there is: a salt of its own would have to be kept beside what it protects.
_SALT: Final = b"oncue encryption key"
# 32 MiB and about a tenth of a second for each guess (RFC 7914 §2).
_SCRYPT_N: Final = 1 << 15
_SCRYPT_R: Final = 8
_SCRYPT_MEMORY: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """256 secret bits, and the id under which a ciphertext names them."""

    id: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "EncryptionKey":
        """Return the key with these bits; its id tells nothing of them."""
        return cls(hashlib.sha256(b"oncue key id" + secret).digest()[:ID_BYTES], secret)


def parse_keys(text: str, name: str = "ENCRYPTION_KEY") -> tuple[EncryptionKey, ...]:
    """
    Return the keys in a comma-separated list, in its order, each once.

    Raises:
        InvalidInput: one is too short, or there is none. No key stands in its words.
    """
    parts = [part.strip() for part in text.split(",")]
    problems = [
        Problem(
            name,
            f"expected base64 of {KEY_BYTES} bytes, or text of at least {MIN_TEXT} characters, "
            f"got {len(part)} characters as key {number}",
        )
        for number, part in enumerate(parts, 1)
        if _as_base64(part) is None and len(part) < MIN_TEXT
    ]
    if problems:
        raise InvalidInput(problems)
    return tuple(
        dict.fromkeys(EncryptionKey.of(_as_base64(part) or _derived(part)) for part in parts)
    )


def _as_base64(text: str) -> bytes | None:
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return secret if len(secret) == KEY_BYTES else None


def _derived(text: str) -> bytes:
    return hashlib.scrypt(
        text.encode(),
        salt=_SALT,
        n=_SCRYPT_N,
        r=_SCRYPT_R,
        p=1,
        maxmem=_SCRYPT_MEMORY,
        dklen=KEY_BYTES,
    )

"""Signatures by a shared secret: made, and compared without telling how much of one was right."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from typing import Final

_PREFIX: Final = "whsec_"


def standard_signature(secret: str, id_: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a body by Standard Webhooks 1.0.0, as `webhook-signature` has it."""
    signed = f"{id_}.{timestamp}.".encode() + body
    digest = hmac.digest(_standard_key(secret), signed, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def _standard_key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def hex_sha256(secret: str, content: bytes) -> str:
    """Return an HMAC-SHA256 in hexadecimal."""
    return hmac.digest(secret.encode(), content, "sha256").hex()


def base64_hmac(secret: str, content: bytes, algorithm: str) -> str:
    """Return an HMAC in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), content, algorithm)).decode()


def is_among(given: Iterable[str], expected: Iterable[str]) -> bool:
    """Return whether one of the texts given is one of those expected; the time tells nothing."""
    wanted = [text.encode() for text in expected]
    found = False
    for text in given:
        offered = text.encode("utf-8", "surrogateescape")
        for one in wanted:
            found |= hmac.compare_digest(offered, one)
    return found

"""Base64, standard alphabet; missing padding is accepted."""

import base64
import binascii

from oncue.core.errors import EvaluationError

_SHOWN = 40


def decode_base64(text: str) -> bytes:
    """Return the octets that `text` encodes. Raises: EvaluationError when it is no base64."""
    padded = text + "=" * (-len(text) % 4)
    try:
        return base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise EvaluationError(f"expected base64, got {text[:_SHOWN]!r}") from exc


def encode_base64(octets: bytes) -> str:
    """Return `octets` as base64."""
    return base64.b64encode(octets).decode()

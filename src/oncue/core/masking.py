"""Texts shown to people: what is secret is not shown."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

MASK: Final = "***"
# Values of these are shown whole: they lead somewhere, and open nothing.
_OPEN: Final = frozenset(
    (
        *("account_sid", "api_version", "base_url", "client_id", "from", "model", "token_url"),
        *("bucket", "endpoint", "region"),
    )
)
_SHORTEST_SECRET: Final = 4
_PASSWORD: Final = re.compile(r"[a-z]+://[^/@:]*:([^/@]+)@")
_ESCAPED: Final = re.compile(r"%([0-7][0-9A-Fa-f])")
_UNRESERVED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)


def mask(text: str, credentials: Mapping[str, str]) -> str:
    """Return `text` with each secret of `credentials` replaced, however it is written there."""
    secrets = {
        form
        for name, secret in credentials.items()
        if name not in _OPEN
        for form in _forms(secret)
        if len(form) >= _SHORTEST_SECRET
    }
    # The longest first: a password alone stands in its URL, too.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield _quoted(secret)
    # As a text stands in JSON, which vendors echo.
    yield secret.replace("\\", "\\\\").replace('"', '\\"')
    if found := _PASSWORD.match(secret):
        yield found[1]
        yield _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), found[1])


def _quoted(text: str) -> str:
    """Return a text as it stands in a URL (RFC 3986 §2.1)."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())

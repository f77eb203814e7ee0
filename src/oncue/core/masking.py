"""
Texts shown to people: what is secret is not shown.

A secret is found however it is spelled: as it is, percent-encoded, escaped as in
JSON, HTML or quoted-printable, inside Base64 of something longer, or cut off
where we leave out the rest of a text.
"""

import base64
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from oncue.core.json_text import Json, encode_json

MASK: Final = "***"
SHORTEST_SECRET: Final = 4
"""Shorter ones cannot be told from what stands there by chance."""
# Values of these are shown whole: they lead somewhere, and open nothing.
_OPEN: Final = frozenset(
    (
        *("account_sid", "api_version", "base_url", "client_id", "from", "model", "token_url"),
        *("bucket", "endpoint", "region"),
    )
)
_SHORTEST_ENCODED: Final = 6
_SHORTEST_LINE: Final = 16
_CUTS: Final = ("…", "...")
"""What we write where the rest of a text is left out."""
_LONGEST_EXCERPT: Final = 4_096
"""Of texts that are longer we left nothing out."""
# In URLs of all other schemes, which services of notifications have, any part may be the key.
HOSTED: Final = frozenset(("http", "https", "postgres", "postgresql", "smtp", "smtps"))
_DELIMITERS: Final = re.compile(r"[/:?&=@#,+;]+")
_PASSWORD: Final = re.compile(r"[a-z]+://[^/@:]*:([^/@]+)@")
_ESCAPED: Final = re.compile(r"%([0-7][0-9A-Fa-f])")
_UNRESERVED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)
_PARTS: Final = re.compile(r"[A-Za-z0-9]+|[ \t\r\n]+|.", re.DOTALL)
_SHORT_ESCAPES: Final = {"\b": "b", "\f": "f", "\v": "v", "\a": "a"}
# Bounded, so that no text makes the search go over a run of it again and again.
_SPACE: Final = (
    r"(?:\s|\+|(?i:%20|%09|%0A|%0D|=0A|=0D|=20|=09|\\{1,4}u00(?:0[9ad]|20))|\\{1,4}[nrt]){1,32}"
)


def mask(text: str, credentials: Mapping[str, str]) -> str:
    """Return `text` with each secret of `credentials` replaced, however it is written there."""
    hidden = _hidden(credentials)
    return hidden.masked(text) if hidden else text


def mask_json(value: Json, credentials: Mapping[str, str]) -> Json:
    """Return a value with each secret replaced in all of its texts, names and numbers."""
    hidden = _hidden(credentials)
    return _inside(value, hidden) if hidden else value


@dataclass(frozen=True, slots=True)
class _Hidden:
    """What is looked for: any spelling, and what may have been cut."""

    pattern: re.Pattern[str]
    forms: Sequence[str]

    def masked(self, text: str) -> str:
        for mark in _CUTS if len(text) <= _LONGEST_EXCERPT else ():
            *parts, last = text.split(mark)
            text = mark.join([*map(self.uncut, parts), last])
        return self.pattern.sub(MASK, text)

    def uncut(self, text: str) -> str:
        """Return a text that was cut, without the beginning of a secret at its end."""
        longest = max(
            (
                length
                for form in self.forms
                for length in range(SHORTEST_SECRET, min(len(form), len(text)) + 1)
                if text.endswith(form[:length])
            ),
            default=0,
        )
        return text[:-longest] + MASK if longest else text


def _hidden(credentials: Mapping[str, str]) -> _Hidden | None:
    found = {
        part
        for name, secret in credentials.items()
        if name not in _OPEN
        for part in _parts(secret)
        if len(part) >= SHORTEST_SECRET
    }
    if not found:
        return None
    # The longest first: a password alone stands in its URL, too.
    secrets = sorted(found, key=len, reverse=True)
    encoded = [form for secret in secrets for form in _encoded(secret.encode())]
    spellings = [_spelling(secret) for secret in secrets]
    pattern = re.compile("|".join([*spellings, *map(re.escape, encoded)]))
    return _Hidden(pattern, [form for secret in secrets for form in _forms(secret)])


def _inside(value: Json, hidden: _Hidden) -> Json:
    match value:
        case str():
            return hidden.masked(value)
        case Mapping():
            return {hidden.masked(name): _inside(inner, hidden) for name, inner in value.items()}
        case list():
            return [_inside(inner, hidden) for inner in value]
        case int() | float() if not isinstance(value, bool):
            # A code of digits is a number where it is echoed as JSON.
            return MASK if hidden.pattern.search(str(value)) else value
        case _:
            return value


def _parts(secret: str) -> Iterator[str]:
    """Yield what of a secret tells it: itself, its longer lines, the password in its URL."""
    yield secret
    yield from (line for line in secret.splitlines() if len(line) >= _SHORTEST_LINE)
    if found := _PASSWORD.match(secret):
        yield found[1]
        yield _unescaped(found[1])
    scheme, sign, rest = secret.partition("://")
    if sign and scheme.lower() not in HOSTED:
        for part in _DELIMITERS.split(rest):
            yield from (part, part.lower(), _unescaped(part))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), text)


def _spelling(secret: str) -> str:
    """Return a pattern for all spellings of a text, also for several at once."""
    return "".join(_spelling_of(part[0]) for part in _PARTS.finditer(secret))


def _spelling_of(part: str) -> str:
    if part.isascii() and part.isalnum():
        return part
    if not part.strip(" \t\r\n"):
        return _SPACE
    octets = part.encode()
    units = part.encode("utf-16-be").hex()
    wide = "".join(rf"\\{{1,4}}u{units[at : at + 4]}" for at in range(0, len(units), 4))
    spelled = [
        "".join(f"%{octet:02X}" for octet in octets),
        "".join(f"={octet:02X}" for octet in octets),
        wide,
        rf"\\{{1,4}}x{ord(part):02x}",
        rf"\\{{1,4}}U{ord(part):08x}",
        f"&#{ord(part)};",
        f"&#x0{{0,4}}{ord(part):x};",
    ]
    if part in _SHORT_ESCAPES:
        spelled.append(rf"\\{{1,4}}{_SHORT_ESCAPES[part]}")
    named = re.escape(html.escape(part))
    return rf"(?:\\{{0,4}}(?:{re.escape(part)}|{named})|(?i:{'|'.join(spelled)}))"


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield _quoted(secret)
    yield encode_json(secret).decode()[1:-1]
    yield repr(secret)[1:-1]
    yield " ".join(secret.split())


def _encoded(secret: bytes) -> Iterator[str]:
    """
    Yield what is in every Base64 text of bytes that hold the secret, such as `user:secret`.

    The secret may begin at any of the three bytes that four characters hold; those
    characters that hold bits of its neighbours are left out.
    """
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret).decode().rstrip("=")
        whole = text[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]
        if len(whole) >= _SHORTEST_ENCODED:
            yield whole
            yield whole.replace("+", "-").replace("/", "_")


def _quoted(text: str) -> str:
    """Return a text as it stands in a URL (RFC 3986 §2.1)."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())

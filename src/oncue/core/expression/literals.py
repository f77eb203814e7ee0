"""Numbers, strings and bytes as CEL spells them (cel-spec, langdef.md, "Lexis")."""

import re

from oncue.core.expression.values import MAX_INT, MAX_UINT, MIN_INT, Uint

_ESCAPE = re.compile(
    r"\\(?:([abfnrtv?\"'`\\])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    r"|([0-3][0-7]{2})|(.?))",
    re.DOTALL,
)
_SIMPLE = dict(zip("abfnrtv?\"'`\\", "\a\b\f\n\r\t\v?\"'`\\", strict=True))


def parse_number(text: str) -> int | float:
    """
    Return the number that an optional minus and the digits in `text` spell.

    Raises:
        ValueError: beyond 64 bits.
    """
    if text[-1] in "uU":
        return Uint(_within(int(text[:-1], 0), 0, MAX_UINT, text))
    if "x" in text or "X" in text:
        return _within(int(text, 16), MIN_INT, MAX_INT, text)
    if any(mark in text for mark in ".eE"):
        return float(text)
    return _within(int(text), MIN_INT, MAX_INT, text)


def parse_string(text: str) -> str | bytes:
    """
    Return the string or bytes that a literal with its prefix and quotes spells.

    Raises:
        ValueError: an escape that means nothing.
    """
    start = min(text.index(quote) for quote in "'\"" if quote in text)
    prefix = text[:start].lower()
    width = 3 if len(text) >= start + 6 and text[start : start + 3] == text[start] * 3 else 1
    body = text[start + width : -width]
    if "b" not in prefix:
        return body if "r" in prefix else _ESCAPE.sub(_text_escape, body)
    encoded = body.encode()
    if "r" in prefix:
        return encoded
    # Latin-1 keeps each octet of the UTF-8 as one character, so one pattern serves both.
    return _ESCAPE.sub(_octet_escape, encoded.decode("latin-1")).encode("latin-1")


def _within(number: int, least: int, most: int, text: str) -> int:
    if not least <= number <= most:
        raise ValueError(f"expected a number within 64 bits, got {text}")
    return number


def _text_escape(found: re.Match[str]) -> str:
    simple, short, four, eight, octal, _ = found.groups()
    if simple:
        return _SIMPLE[simple]
    if octal:
        return chr(int(octal, 8))
    digits = short or four or eight
    if not digits:
        raise ValueError(f"expected an escape such as '\\n' or '\\u00e9', got {found[0]!r}")
    code = int(digits, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"expected the code point of a character, got {found[0]!r}")
    return chr(code)


def _octet_escape(found: re.Match[str]) -> str:
    simple, short, _, _, octal, _ = found.groups()
    if simple:
        return _SIMPLE[simple]
    if not (short or octal):
        raise ValueError(f"expected an escape such as '\\n' or '\\xff', got {found[0]!r}")
    return chr(int(short, 16) if short else int(octal, 8))

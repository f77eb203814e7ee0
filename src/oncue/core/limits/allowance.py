"""
What an answer tells of a vendor's rate limit.

There is a draft of a standard and what came before it, and vendors that have
names of their own. Facts, from their documentation:

- `RateLimit: "name";r=50;t=30` (draft-ietf-httpapi-ratelimit-headers-10) has the
  seconds to the reset in `t`; earlier drafts and Resend have `RateLimit-Remaining`
  and `RateLimit-Reset`, likewise in seconds.
- `X-RateLimit-Reset` is an instant in seconds (GitHub) or in milliseconds, or a
  number of seconds. A number that large is an instant, so the size tells.
- Linear has one such pair for requests and one for complexity, both instants in ms.
- HubSpot tells the length of its window, not where in it we are.
- OpenAI and what is like it tell a duration such as `6m0s`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_COUNT = re.compile(r"\d{1,15}", re.ASCII)
_ITEM = re.compile(r";\s*r=(\d{1,15})\s*;\s*t=(\d{1,9})", re.ASCII)
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)", re.ASCII)
_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
# The pairs of remaining and reset under which it is told.
_PAIRS: Final = (
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-ratelimit-requests-remaining", "x-ratelimit-requests-reset"),
    ("x-ratelimit-complexity-remaining", "x-ratelimit-complexity-reset"),
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-hubspot-ratelimit-remaining", "x-hubspot-ratelimit-interval-milliseconds"),
)
# 2001-09-09 in seconds, and a number of milliseconds that no vendor's window has.
_FIRST_INSTANT_S: Final = 1_000_000_000
_FIRST_INSTANT_MS: Final = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many calls are left up to an instant."""

    remaining: int
    resets_at_ms: int


def allowances(headers: Mapping[str, str], now_ms: int) -> Iterator[Allowance]:
    """
    Yield what an answer tells; header names are lower-case.

    >>> list(allowances({"ratelimit-remaining": "3", "ratelimit-reset": "2"}, 1_000))
    [Allowance(remaining=3, resets_at_ms=3000)]
    """
    for remaining, resets_in in _ITEM.findall(headers.get("ratelimit", "")):
        yield Allowance(int(remaining), now_ms + int(resets_in) * 1_000)
    for remaining_name, reset_name in _PAIRS:
        remaining = headers.get(remaining_name, "").strip()
        if _COUNT.fullmatch(remaining) and (reset := headers.get(reset_name)):
            resets_at_ms = _instant(reset.strip(), reset_name, now_ms)
            if resets_at_ms is not None:
                yield Allowance(int(remaining), resets_at_ms)


def _instant(text: str, name: str, now_ms: int) -> int | None:
    if not _COUNT.fullmatch(text):
        spans = _SPAN.findall(text)
        if not spans or _SPAN.sub("", text):
            return None
        return now_ms + round(sum(float(number) * _UNITS[unit] for number, unit in spans))
    number = int(text)
    if name.endswith("milliseconds"):
        return now_ms + number
    if number >= _FIRST_INSTANT_MS:
        return number
    return number * 1_000 if number >= _FIRST_INSTANT_S else now_ms + number * 1_000

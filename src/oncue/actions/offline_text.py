"""
What can be said of a text without a model: rough, and named as such in the answer.

The mood comes of VADER, a lexicon for English. Names come of rules of our own:
forms that can be recognised for sure, and words that begin with a capital.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from oncue.core.json_text import Json

MAX_CHARS: Final = 10_000
"""VADER takes a tenth of a second for so many, and four times that for twice as many."""
MOOD_BY: Final = "vader (offline, English)"
ENTITIES_BY: Final = "oncue rules (offline)"
# VADER's own thresholds for its compound score.
_POSITIVE: Final = 0.05

_MONTHS: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
)
# What is found first holds its place: an address in a URL is no e-mail.
_RULES: Final = (
    ("url", re.compile(r"\bhttps?://[^\s<>\"')\]]{1,2000}[^\s<>\"')\].,;:!?]")),
    ("email", re.compile(r"\b[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}\b")),
    ("date", re.compile(
        r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?Z?)?\b"
        rf"|\b\d{{1,2}}\.? (?:{_MONTHS})(?: \d{{4}})?\b"
        rf"|\b(?:{_MONTHS}) \d{{1,2}}(?:, \d{{4}})?\b"
        r"|\b\d{1,2}[./]\d{1,2}[./]\d{4}\b"
    )),
    ("money", re.compile(
        r"[$€£¥] ?\d[\d,.' ]{0,20}\d|[$€£¥] ?\d"
        r"|\b\d(?:[\d,.']{0,20}\d)? ?(?:EUR|USD|GBP|CHF|JPY|euros?|dollars?|€|\$|£)(?!\w)"
    )),
    ("phone", re.compile(r"(?<![\w+])\+?\(?\d(?:[ ()/-]{0,2}\d){6,14}(?!\w)")),
    ("name", re.compile(
        r"\b[A-ZÀ-ÖØ-Þ][\w'\u2019-]{1,40}(?: (?:(?:of|de|van|von|der|the) )?[A-ZÀ-ÖØ-Þ][\w'\u2019-]{1,40}){0,4}"
    )),
)  # fmt: skip
_BEGINNING = re.compile(r"(?:\A|[.!?:\n])\W{0,2}\Z")
_NO_NAMES: Final = frozenset(
    [
        "A",
        "An",
        "And",
        "As",
        "At",
        "But",
        "By",
        "For",
        "From",
        "He",
        "Her",
        "Here",
        "Hi",
        "Hello",
        "His",
        "How",
        "I",
        "If",
        "In",
        "Is",
        "It",
        "Its",
        "My",
        "No",
        "Not",
        "Of",
        "On",
        "Or",
        "Our",
        "She",
        "So",
        "That",
        "The",
        "Their",
        "Then",
        "There",
        "They",
        "This",
        "To",
        "We",
        "What",
        "When",
        "Where",
        "Who",
        "Why",
        "With",
        "Yes",
        "You",
        "Your",
        "Dear",
        "Please",
        "Thanks",
        "Thank",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ]
)


def mood(text: str) -> tuple[str, float]:
    """Return `positive`, `negative` or `neutral`, and from 0 to 1 how much so."""
    compound = float(_analyzer().polarity_scores(text)["compound"])
    if compound >= _POSITIVE:
        return "positive", compound
    if compound <= -_POSITIVE:
        return "negative", -compound
    return "neutral", 1 - abs(compound)


@lru_cache(maxsize=1)
def _analyzer() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


def entities(text: str) -> list[dict[str, Json]]:
    """Return what is recognised in a text, in its order; nothing overlaps."""
    taken: list[tuple[int, int, str]] = []
    for kind, pattern in _RULES:
        for start, end in _spans(kind, pattern, text):
            if all(end <= first or start >= last for first, last, _ in taken):
                taken.append((start, end, kind))
    return [
        {"text": text[start:end], "type": kind, "start": start, "end": end}
        for start, end, kind in sorted(taken)
    ]


def _spans(kind: str, pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    for found in pattern.finditer(text):
        start, end = found.span()
        if kind == "name":
            start = _after_openers(text, start, end)
            # Any word begins with a capital where a sentence begins.
            if " " not in text[start:end] and _BEGINNING.search(text, max(0, start - 3), start):
                continue
        if start < end:
            yield start, end


def _after_openers(text: str, start: int, end: int) -> int:
    """Return where the name begins: `The` and its like stand before it, or all alone."""
    while start < end:
        word = text[start:end].split(" ", 1)[0]
        if word not in _NO_NAMES:
            return start
        start = min(end, start + len(word) + 1)
    return end

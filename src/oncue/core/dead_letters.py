"""What was given up, and what errors of one cause have in common."""

import re
from enum import StrEnum
from typing import Final

from oncue.core.ids import digest


class Queue(StrEnum):
    """What a dead letter is about."""

    EVENTS = "events"
    """A pattern raised an exception on an event."""
    WORKFLOWS = "workflows"
    """An execution failed."""


class LetterState(StrEnum):
    """What became of a dead letter."""

    OPEN = "open"
    """Nobody has decided on it."""
    REDRIVEN = "redriven"
    """It was tried again."""
    DISCARDED = "discarded"
    """It was let go."""


class RedriveState(StrEnum):
    """Where the redriving of many stands."""

    RUNNING = "running"
    """Some are still to come."""
    DONE = "done"
    """All were tried again."""
    CANCELLED = "cancelled"
    """Somebody ended it; what was not tried again is open."""


_FINGERPRINT_CHARS: Final = 16
# What follows is what a vendor said; expressions that look around are not for long texts.
_MOST_CHARS: Final = 1_000
# In this order: what one finds is no text for those after it. A status tells one cause from another,
# so it stays as it is.
_DIFFERING: Final = tuple(
    (re.compile(expression), name)
    for expression, name in (
        (r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>]+", "<url>"),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "<email>"),
        (r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|`[^`]*`", "<value>"),
        (r"\b0x[0-9a-fA-F]+\b", "<address>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<address>"),
        (r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?![\w:])", "<address>"),
        (r"(?<![\w:])[0-9a-fA-F:]*::[0-9a-fA-F:]*(?![\w:])", "<address>"),
        (r"\b\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:\d\d)?", "<time>"),
        (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "<id>"),
        (r"\b[A-Za-z]{2,8}_(?=\w*\d)\w{6,}\b", "<id>"),
        (r"\b(?=[A-Za-z-]*\d)[A-Za-z0-9-]*(?:[A-Za-z]\d|\d[A-Za-z])[A-Za-z0-9-]{6,}\b", "<id>"),
        (r"(?<!answered )(?<!\d)\d+(?:[.,:]\d+)*", "<n>"),
        (r"\s+", " "),
    )
)


def normalised(error: str) -> str:
    """
    Return an error without what differs from case to case: numbers, ids, addresses, quoted values.

    >>> normalised("step 'call': slack answered 503: try again in 17 s (request 4f1c9a2e77b0)")
    'step <value>: slack answered 503: try again in <n> s (request <id>)'
    """
    error = error[:_MOST_CHARS]
    for expression, name in _DIFFERING:
        error = expression.sub(name, error)
    return error.strip()


def fingerprint(error: str) -> str:
    """Return what is the same for errors that differ in such things only."""
    return digest([normalised(error)])[:_FINGERPRINT_CHARS]

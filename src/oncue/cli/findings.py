"""What `oncue doctor` finds."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How grave a finding is."""

    GOOD = "good"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and how to mend it."""

    subject: str
    verdict: Verdict
    found: str
    remedy: str = ""

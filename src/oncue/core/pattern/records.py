"""What a matcher reads: the records of a log, as far as they concern it."""

from dataclasses import dataclass
from typing import TypeAlias

from oncue.core.event import Event


@dataclass(frozen=True, slots=True)
class Change:
    """From here on a pattern is seen in this version."""

    offset: int
    received_at_ms: int
    pattern_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing happened, and time has passed."""

    offset: int
    received_at_ms: int


@dataclass(frozen=True, slots=True)
class Passed:
    """An event that nobody watches: all that it does is to move time."""

    offset: int
    received_at_ms: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Redriven:
    """
    A pattern that raised an exception on an event sees it again.

    The event stands in the record: what the log holds of that time may be gone.
    """

    offset: int
    received_at_ms: int
    pattern_id: str
    event: Event


LogRecord: TypeAlias = Event | Passed | Tick | Change | Redriven

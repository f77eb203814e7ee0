"""
What stands behind the selectors of a pattern: a fold over the events that they admit.

An operator remembers something of each key, and says what it found as hits. It
is told what comes in the order of the log, and it is told how far event time
has come; it knows nothing else, so the same log gives the same hits.

Whatever may fail is evaluated before anything is changed: an exception leaves
the state of the key as it was.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed

Values: TypeAlias = Mapping[str, Json]
BEGUN: Final = "begun"
"""The sort of state that is of no key: when all began."""


class Kind(StrEnum):
    """What sort of occurrence a match is."""

    MATCHED = "matched"
    TIMEOUT = "timeout"
    ABSENT = "absent"
    THRESHOLD = "threshold"
    CLEARED = "cleared"
    ANOMALY = "anomaly"
    WINDOW = "window"


class Arrival(msgspec.Struct, frozen=True):
    """
    An event that some selectors of a pattern admit, as its operator sees it.

    `key` is the canonical JSON text of the key's values, `selectors` a bit set of
    the selectors, `values` what expressions may read, `watermark_ms` how far event
    time has come.
    """

    key: str
    selectors: int
    event: Event
    values: Values
    watermark_ms: int


class Hit(msgspec.Struct, frozen=True):
    """
    Something found: by `time_ms`, in event time, the condition holds for the key.

    `bindings` are the offsets of the events by name, in order; the name is empty
    where there is but one selector. `event_count` counts also those that are not
    kept. `is_repeat` says that the condition held before and never ceased to:
    such a hit counts only after a cooldown has passed. `row` tells hits apart that
    have all else in common.
    """

    kind: Kind
    key: str
    time_ms: int
    bindings: tuple[tuple[str, tuple[int, ...]], ...]
    event_count: int
    values: Mapping[str, Json] = msgspec.field(default_factory=dict)
    window: tuple[int, int] | None = None
    score: float | None = None
    revision: int = 0
    row: int = 0
    is_repeat: bool = False


class Note(StrEnum):
    """What became of an event that made no hit, as people ask for it."""

    LATE = "late"
    SUPPRESSED = "suppressed"
    LEARNING = "learning"
    COUNTED = "counted"
    STARTED = "started"
    ADVANCED = "advanced"
    IGNORED = "ignored"


class Operator(ABC):
    """The state of one version of a pattern, and what follows from what it is told."""

    has_deadlines = True
    """Whether anything may ever be due."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """What was left out for a reason: `late`, `keys_forgotten`, `partials_dropped`, …"""
        self.last_note: Note | None = None
        """What became of the event admitted last, where it made no hit."""

    @abstractmethod
    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Take an event, and return what it completes."""

    @abstractmethod
    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Yield what is due: all deadlines up to the watermark, in the order of (deadline, key)."""

    @abstractmethod
    def deadline(self) -> int | None:
        """Return the earliest watermark at which something is due."""

    @abstractmethod
    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin at an instant of event time; `keys` are known although no event of theirs came."""

    @abstractmethod
    def describe(self, key: str) -> Mapping[str, Json]:
        """Return what is remembered of a key, in the terms of people."""

    @abstractmethod
    def states(self) -> Mapping[str, Keyed[Any]]:
        """Return all that is remembered, by a name for each sort of it."""

    @abstractmethod
    def restored(self) -> None:
        """Make what is derived from the states, after these were read back."""

    def report(self) -> Mapping[str, Json]:
        """Return what people ask of it beside its counts."""
        return {}

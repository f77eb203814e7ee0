"""What happened since the start and is under way now, for those who watch the machine."""

from collections import Counter
from collections.abc import Sized
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What the executor has at work and waiting; and its counts, which only grow."""

    live: Sized
    ready: Sized
    started: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    """Executions by their final status."""
    attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Calls by action and by the kind of their outcome."""
    dead: int = 0
    """Executions that became dead letters."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """All accounts together: counts since the start, then what is under way at this instant."""

    events: int
    duplicates: int
    matches: int
    started: int
    ended: Counter[str]
    attempts: Counter[tuple[str, str]]
    dead: Counter[str]
    """Dead letters by their queue."""
    paused: int
    """Patterns that were paused because they failed again and again."""
    unmatched: int
    """Records of logs that the matcher has not read."""
    live: int
    """Executions at work."""
    ready: int
    """Executions that wait for their turn."""
    timers: int
    """Instants that come soon."""
    emitted: int
    """Events of our own that were appended to the logs."""
    loops: int
    """Matches that started nothing because the chain before them was too long."""
    fired: int
    """Ticks of schedules that became events."""
    missed: int
    """Ticks of schedules that never will."""
    polls: Counter[str]
    """Queries of patterns, by what came of them."""
    parked: int
    """Steps that wait for a vendor to take calls again."""
    circuits_open: int
    """Vendors that did not answer lately, as connections meet them."""

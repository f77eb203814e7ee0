"""
A partial match: where it is in the graph, and the events that it took, newest first.

    Taken(b, 7) ──before──▶ Taken(a, 3) ──before──▶ None

Branches of one start share what they have in common. Nothing here is ever changed, so a
partial match may stand in several lists at once.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Optional

from oncue.core.json_text import Json
from oncue.core.pattern.nfa.graph import Move, Timer
from oncue.core.pattern.nfa.states import Since

UNSTARTED: Final = -1
"""The start of a partial match that waits for its first event."""


# Looked up as attributes of the enumeration they would cost 70 ns each.
_START: Final = Since.START
_ENTERED: Final = Since.ENTERED


class Taken(NamedTuple):
    """An event that an element took; `turn` counts the events of the key, `view` is what is kept."""

    before: Optional["Taken"]
    step: int
    turn: int
    offset: int
    view: Json = None


class Partial(NamedTuple):
    """
    A partial match; `start` is the turn of its first event.

    `entered_ms` is when its element was entered, `last_ms` the time of its last event, or of
    the clock that moved it last.
    """

    state: int
    start: int
    start_ms: int
    entered_ms: int
    last_ms: int
    taken: Taken | None

    def since(self, begin: Since) -> int:
        """Return the instant that a clock counts from."""
        if begin is _START:
            return self.start_ms
        return self.entered_ms if begin is _ENTERED else self.last_ms


def passed_over(partial: Partial, move: Move) -> Partial:
    """Return what a move that takes nothing makes of a partial match."""
    if not move.is_entering:
        return partial if move.target == partial.state else partial._replace(state=move.target)
    return partial._replace(state=move.target, entered_ms=partial.last_ms)


def advanced(partial: Partial, move: Move, taken: Taken, at_ms: int) -> Partial:
    """Return what a move that takes an event makes of a partial match."""
    if move.is_leaving:
        entered_ms = at_ms
    else:
        entered_ms = partial.last_ms if move.is_entering else partial.entered_ms
    return Partial(move.target, partial.start, partial.start_ms, entered_ms, at_ms, taken)


def clocked(partial: Partial, timer: Timer, at_ms: int) -> Partial:
    """Return what a clock makes of a partial match."""
    if timer.is_leaving:
        return partial._replace(state=timer.target, entered_ms=at_ms, last_ms=at_ms)
    return partial._replace(state=timer.target)


def events_of(taken: Taken | None) -> list[Taken]:
    """Return what was taken, in order."""
    found: list[Taken] = []
    while taken is not None:
        found.append(taken)
        taken = taken.before
    found.reverse()
    return found


def backwards(taken: Taken | None) -> Iterator[Taken]:
    """Yield what was taken, the newest first."""
    while taken is not None:
        yield taken
        taken = taken.before

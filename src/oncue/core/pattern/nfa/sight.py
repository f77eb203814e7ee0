"""One event as partial matches see it: which steps it satisfies, given what they took before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from oncue.core.json_text import Json
from oncue.core.pattern.nfa.graph import Graph
from oncue.core.pattern.nfa.partial import Partial, Taken

Refine: TypeAlias = Callable[[int, Taken | None], int]
"""Takes from a set of bits those whose conditions over earlier events do not hold."""


@dataclass(slots=True)
class Sight:
    """
    An event of a key: the how manieth it is, and what it satisfies by itself.

    `refine` is there where conditions read what was taken before, `views` are what is kept
    of the event where a step takes it.
    """

    turn: int
    offset: int
    time_ms: int
    bits: int
    refine: Refine | None = None
    views: dict[int, Json] | None = None

    def taken(self, before: Taken | None, step: int) -> Taken:
        """Return the event as taken by a step."""
        view = self.views.get(step) if self.views else None
        return Taken(before, step, self.turn, self.offset, view)

    def bits_of(self, graph: Graph, partial: Partial) -> int:
        """
        Return the bits for a partial match.

        What came late in the order of events does not stay away from what it precedes, and
        a step whose time is over takes nothing.
        """
        bits = self.bits
        if self.time_ms < partial.last_ms:
            bits &= ~graph.bans
        limits = graph.limits[partial.state]
        if limits:
            for mask, since, within_ms in limits:
                if bits & mask and self.time_ms - partial.since(since) >= within_ms:
                    bits &= ~mask
        return self.refine(bits, partial.taken) if self.refine else bits

"""
What stands before the first event: a sequence that begins with an absence.

    not a within 5m, then b

    ──────────── 5m without a ───────────▶ b may come          it stands, unstarted
       a: the 5 minutes begin anew         a: they begin anew

The clock runs from the begin for keys that are declared, else from the first event of the
key. While an absence without a time of its own, beside events in a group, is broken, what
stands takes no event for the time of the pattern: until then it is `start_ms`.
"""

from collections.abc import Iterable
from typing import Final

from oncue.core.pattern.nfa.branches import Branches, advance
from oncue.core.pattern.nfa.completion import Completion
from oncue.core.pattern.nfa.elements import Element, Need
from oncue.core.pattern.nfa.graph import FINAL, NOTHING, Graph
from oncue.core.pattern.nfa.partial import UNSTARTED, Partial, passed_over
from oncue.core.pattern.nfa.sight import Sight
from oncue.core.pattern.nfa.signals import mask_of

_FOREVER: Final = 2**52
"""How long a broken absence lasts where the pattern has no time."""


class Standing:
    """What a graph has standing before its first event."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        first = graph.elements[0]
        self.is_needed = first.is_forbidden or any(each.is_forbidden for each in first.members)
        self._bans = mask_of({each.number for each in first.members if each.is_ban})
        self._waits = 0 if first.is_again else mask_of(set(_waits(first)))

    def begin(self, at_ms: int) -> list[Partial]:
        """Return what stands from an instant on."""
        if not self.is_needed:
            return []
        return [Partial(self._graph.start, UNSTARTED, at_ms, at_ms, at_ms, None)]

    def is_among(self, partials: Iterable[Partial]) -> bool:
        """Return whether one of them stands at the first element."""
        return any(self._graph.positions[each.state] == 0 for each in partials)

    def restart(self, sight: Sight) -> list[Partial]:
        """Return what stands from an event on, where nothing stands any more."""
        standing = self.begin(sight.time_ms)
        if not sight.bits & self._bans:
            return standing
        within_ms = self._graph.within_ms or _FOREVER
        return [each._replace(start_ms=sight.time_ms + within_ms) for each in standing]

    def look(self, partial: Partial, sight: Sight, branches: Branches) -> list[Partial]:
        """Add what starts with the event, and return what of the partial match stands on."""
        graph = self._graph
        bits = sight.bits_of(graph, partial)
        if graph.positions[partial.state] > 0 and bits & self._waits:
            return []
        if sight.time_ms < partial.start_ms:
            return [] if bits & self._bans else [partial]
        first = partial._replace(start=sight.turn, start_ms=sight.time_ms)
        moves, is_stopped, _ = graph.outcome(partial.state, bits)
        if not moves and not is_stopped and graph.positions[partial.state] == 0:
            return [partial]
        still: list[Partial] = []
        for way in moves:
            if way.step != NOTHING:
                advance(graph, first, way, sight, branches)
            elif way.target == FINAL:
                branches.candidates.append(
                    Completion(None, UNSTARTED, sight.time_ms, sight.time_ms)
                )
            else:
                still.append(passed_over(partial, way))
        if branches.again:
            branches.again.clear()
            still += self.begin(sight.time_ms)
        return still


def _waits(first: Element) -> Iterable[int]:
    if first.is_wait:
        yield first.number
    if first.need is Need.ALL:
        yield from (each.number for each in first.members if each.is_wait)

"""
One match per start: what people mean by "this, then that".

    events ──▶ each open start, oldest first: its branches move
                 one completes ─▶ the start is done, and what `after_match` skips is dropped
               then the event itself may begin a start, if `overlap` lets it

A start may have several branches (an event taken, or left for a later one). Where several
complete at one event, the one with most events counts, then the earliest events.

A branch that could end but wants more is *held*: it completes when no more can come: at
its maximum, its `until`, an event that breaks it, or the deadline.

Partial matches lie in the order of their starts; what stands unstarted comes first.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Final

from oncue.core.pattern.nfa.branches import Branches, advance, expire, follow
from oncue.core.pattern.nfa.completion import best
from oncue.core.pattern.nfa.deadlines import due_at
from oncue.core.pattern.nfa.graph import NOTHING, UNGREEDY, Graph
from oncue.core.pattern.nfa.partial import UNSTARTED, Partial
from oncue.core.pattern.nfa.runner import Open, Runner, Turn
from oncue.core.pattern.nfa.sight import Sight
from oncue.core.pattern.nfa.skip import NOWHERE, AfterMatch

# A silence without end would arm itself for ever, and a backtest would never end.
MAX_ARMED: Final = 100
"""How often a silence arms itself before an event comes."""


class Overlap(StrEnum):
    """What a first event does while a start is open."""

    EACH = "each"
    FIRST = "first"
    LAST = "last"


class SingleMatches(Runner):
    """
    The automaton, one match per start.

    With `overlap: first` an open start keeps others from beginning. Where `reopens_at` is
    given, it lets them begin with what follows the event by which it comes to that element.
    """

    def __init__(
        self,
        graph: Graph,
        after_match: AfterMatch,
        overlap: Overlap,
        reopens_at: int | None = None,
    ) -> None:
        super().__init__(graph)
        self._after_match = after_match
        self._is_each = overlap is Overlap.EACH
        self._is_last = overlap is Overlap.LAST
        self._reopens_at = reopens_at or 0

    def take(self, before: Open, sight: Sight) -> Turn:
        """Return what an event makes of what is open."""
        turn = Turn()
        floor = NOWHERE
        open_partials = before.partials
        if not open_partials and self.standing.is_needed:
            open_partials = self.begin(sight.time_ms)
        standing, started = _split(open_partials)
        for start, partials in _by_start(started):
            if start < floor:
                continue
            branches = self._moved(partials, sight)
            if branches.has_taken:
                turn.has_taken = True
                turn.has_reopened = turn.has_reopened or self._were_closed(partials)
            floor = max(floor, self._settle(turn, branches))
        if not self.standing.is_needed:
            if sight.turn >= floor:
                self._begin(turn, sight)
        else:
            if not standing and self._may_begin(turn, sight):
                # What kept others from standing is over with this event.
                standing = self.begin(sight.time_ms)
            self._stand(standing if sight.turn >= floor else (), turn, sight)
        return turn

    def pass_time(self, before: Open, at_ms: int) -> Turn:
        """Return what an instant makes of what is open, of which something is due then."""
        turn = Turn()
        floor = NOWHERE
        standing, started = _split(before.partials)
        for start, partials in _by_start(started):
            if start < floor:
                continue
            branches = Branches()
            for partial in partials:
                self._expire(partial, at_ms, branches)
            timed_out = branches.timed_out
            if timed_out and not branches.kept and not branches.candidates:
                turn.completions.append(best(timed_out))
            floor = max(floor, self._settle(turn, branches))
        self._stand_on(standing, turn, at_ms)
        return turn

    def _moved(self, partials: Sequence[Partial], sight: Sight) -> Branches:
        """Return what an event makes of the branches of one start."""
        graph = self.graph
        branches = Branches()
        if len(partials) == 1:
            only = partials[0]
            if self.is_open(only, sight):
                outcome = graph.outcome(only.state, sight.bits_of(graph, only))
                follow(graph, only, outcome, sight, branches)
            else:
                # The event is ahead of the watermark, which alone says that time is over.
                branches.kept.append(only)
            return branches
        if not self.is_open(partials[0], sight):
            branches.kept += partials
            return branches
        outcomes = [graph.outcome(each.state, sight.bits_of(graph, each)) for each in partials]
        greedy_at: dict[int, int] = {}
        for partial, outcome in zip(partials, outcomes, strict=True):
            past = id(partial.taken)
            greedy_at[past] = min(greedy_at.get(past, UNGREEDY), outcome.greedy_at)
        for partial, outcome in zip(partials, outcomes, strict=True):
            if graph.positions[partial.state] <= greedy_at[id(partial.taken)]:
                follow(graph, partial, outcome, sight, branches)
        return branches

    def _were_closed(self, partials: Sequence[Partial]) -> bool:
        """Return whether a start had not come to where it lets others begin."""
        positions = self.graph.positions
        return any(positions[each.state] < self._reopens_at for each in partials)

    def _expire(self, partial: Partial, at_ms: int, branches: Branches) -> None:
        if due_at(self.graph, partial) == at_ms:
            expire(self.graph, partial, at_ms, branches)
        else:
            branches.kept.append(partial)

    def _settle(self, turn: Turn, branches: Branches) -> int:
        """Add what became of one start, and return the turn before which what began is dropped."""
        if not branches.candidates:
            turn.partials += branches.kept
            turn.partials += branches.again
            return NOWHERE
        candidates = branches.candidates
        completion = candidates[0] if len(candidates) == 1 else best(candidates)
        if self.graph.entries_again:
            turn.completions += branches.candidates
            turn.partials += branches.kept
            turn.partials += branches.again
        else:
            turn.completions.append(completion)
        floor = self._after_match.floor(completion.taken, completion.start)
        if floor is None:
            turn.missed_targets += 1
            floor = NOWHERE
        if turn.partials:
            turn.partials = [each for each in turn.partials if each.start >= floor]
        return floor

    def _begin(self, turn: Turn, sight: Sight) -> None:
        """Let the event begin a start."""
        if not self._may_begin(turn, sight):
            return
        graph = self.graph
        time_ms = sight.time_ms
        first = Partial(graph.start, sight.turn, time_ms, time_ms, time_ms, None)
        outcome = graph.outcome(first.state, sight.bits_of(graph, first))
        if not outcome.moves:
            return
        branches = Branches()
        for way in outcome.moves:
            if way.step != NOTHING:
                advance(graph, first, way, sight, branches)
        self._add_start(turn, branches, sight)

    def _add_start(self, turn: Turn, branches: Branches, sight: Sight) -> None:
        if not branches.kept and not branches.candidates:
            return
        turn.has_started = True
        if self._is_last:
            turn.partials = [each for each in turn.partials if not self.is_open(each, sight)]
        self._settle(turn, branches)

    def _may_begin(self, turn: Turn, sight: Sight) -> bool:
        if self._is_last:
            # What goes on with the event is not replaced by it.
            newest = (each.taken for each in turn.partials)
            return not any(taken and taken.turn == sight.turn for taken in newest)
        if self._is_each:
            return True
        if self._reopens_at and turn.has_reopened:
            return False
        reopens_at = self._reopens_at or len(self.graph.elements)
        return not any(
            self.graph.positions[each.state] < reopens_at and self.is_open(each, sight)
            for each in turn.partials
        )

    def _stand(self, standing: Sequence[Partial], turn: Turn, sight: Sight) -> None:
        """Let what waits for its first event see this one."""
        branches = Branches()
        still = [
            each for partial in standing for each in self.standing.look(partial, sight, branches)
        ]
        self._add_start(turn, branches, sight)
        if not self.standing.is_among(still) and self._may_begin(turn, sight):
            still += self.standing.restart(sight)
        turn.partials[:0] = still

    def _stand_on(self, standing: Sequence[Partial], turn: Turn, at_ms: int) -> None:
        """Let time pass for what waits for its first event."""
        branches = Branches()
        for partial in standing:
            self._expire(partial, at_ms, branches)
        turn.completions += branches.candidates
        still = branches.kept
        if len(still) < MAX_ARMED:
            still += branches.again
        is_idle = not turn.partials and not branches.candidates
        if not standing and is_idle:
            still = self.begin(at_ms)
        turn.partials[:0] = still


def _split(partials: Sequence[Partial]) -> tuple[Sequence[Partial], Sequence[Partial]]:
    """Return what stands unstarted, and what has started."""
    if not partials or partials[0].start != UNSTARTED:
        return (), partials
    standing = [each for each in partials if each.start == UNSTARTED]
    return standing, partials[len(standing) :]


def _by_start(partials: Sequence[Partial]) -> Iterable[tuple[int, Sequence[Partial]]]:
    if len(partials) <= 1:
        return [(each.start, partials) for each in partials]
    return [(start, list(each)) for start, each in groupby(partials, key=itemgetter(1))]

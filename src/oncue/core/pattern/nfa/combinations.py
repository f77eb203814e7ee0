"""
Every combination of events: the regime of Flink CEP, the order of its results included.

    partial matches (a heap by start) ──event──▶ partial matches, completed matches
    completed matches (a heap by start) ─────▶ results, once no earlier start is open

With `no_skip` a match is a result at once. Else it waits, since an earlier start might still
complete and skip it; a start that times out frees what waited for it. The order among
matches of one start is that in which heaps keep equal elements, see `heap`.
"""

from oncue.core.pattern.nfa.completion import Completion
from oncue.core.pattern.nfa.deadlines import due_at, timer_at
from oncue.core.pattern.nfa.graph import FINAL, NOTHING, Graph, Move
from oncue.core.pattern.nfa.heap import Heap
from oncue.core.pattern.nfa.partial import (
    UNSTARTED,
    Partial,
    advanced,
    clocked,
    passed_over,
)
from oncue.core.pattern.nfa.runner import Open, Runner, Turn
from oncue.core.pattern.nfa.sight import Sight
from oncue.core.pattern.nfa.skip import NOWHERE, AfterMatch, Skip

_LAST = 2**62
"""The rank of what has not started: after all that has."""


class Combinations(Runner):
    """The automaton, each combination a match."""

    def __init__(self, graph: Graph, after_match: AfterMatch) -> None:
        super().__init__(graph)
        self._after_match = after_match

    def take(self, before: Open, sight: Sight) -> Turn:
        """Return what an event makes of what is open."""
        partials: Heap[Partial] = Heap(_rank)
        matches: Heap[Completion] = Heap(_rank_of_match)
        turn = Turn()
        for partial in before.partials or (self._unstarted(sight),):
            if partial.start == UNSTARTED:
                self._begin(partial, sight, partials, matches)
            elif self.is_open(partial, sight):
                self._move(partial, sight, partials, matches)
            else:
                partials.add(partial)
        turn.has_started = any(p.start == sight.turn for p in (*partials, *matches))
        turn.has_taken = turn.has_started or any(
            p.taken is not None and p.taken.turn == sight.turn for p in (*partials, *matches)
        )
        return self._settle(before, partials, matches, turn)

    def pass_time(self, before: Open, at_ms: int) -> Turn:
        """Return what an instant makes of what is open, of which something is due then."""
        partials: Heap[Partial] = Heap(_rank)
        matches: Heap[Completion] = Heap(_rank_of_match)
        timed_out: list[Completion] = []
        for partial in before.partials:
            if due_at(self.graph, partial) != at_ms:
                partials.add(partial)
                continue
            timer = timer_at(self.graph, partial, at_ms)
            ended = Completion(partial.taken, partial.start, partial.start_ms, at_ms)
            if timer is None:
                timed_out.append(ended._replace(is_timeout=True))
            elif timer.target == FINAL:
                matches.add(ended._replace(is_absent=True))
            else:
                partials.add(clocked(partial, timer, at_ms))
        turn = self._settle(before, partials, matches, Turn())
        turn.completions += timed_out
        return turn

    def _unstarted(self, sight: Sight) -> Partial:
        return Partial(self.graph.start, UNSTARTED, 0, sight.time_ms, sight.time_ms, None)

    def _begin(
        self,
        unstarted: Partial,
        sight: Sight,
        partials: Heap[Partial],
        matches: Heap[Completion],
    ) -> None:
        time_ms = sight.time_ms
        first = Partial(self.graph.start, sight.turn, time_ms, time_ms, time_ms, None)
        outcome = self.graph.outcome(first.state, sight.bits_of(self.graph, first))
        for move in outcome.moves:
            if move.step != NOTHING:
                self._advance(first, move, sight, partials, matches)
        partials.add(unstarted)

    def _move(
        self, partial: Partial, sight: Sight, partials: Heap[Partial], matches: Heap[Completion]
    ) -> None:
        outcome = self.graph.outcome(partial.state, sight.bits_of(self.graph, partial))
        for move in outcome.moves:
            if move.step != NOTHING:
                self._advance(partial, move, sight, partials, matches)
            elif move.target == FINAL:
                matches.add(
                    Completion(partial.taken, partial.start, partial.start_ms, sight.time_ms)
                )
            else:
                partials.add(passed_over(partial, move))

    def _advance(
        self,
        partial: Partial,
        move: Move,
        sight: Sight,
        partials: Heap[Partial],
        matches: Heap[Completion],
    ) -> None:
        taken = sight.taken(partial.taken, move.step)
        if move.target == FINAL:
            matches.add(Completion(taken, partial.start, partial.start_ms, sight.time_ms))
        else:
            partials.add(advanced(partial, move, taken, sight.time_ms))

    def _settle(
        self, before: Open, partials: Heap[Partial], matches: Heap[Completion], turn: Turn
    ) -> Turn:
        waiting = Heap(_rank_of_match)
        for completion in (*before.completed, *matches):
            waiting.add(completion)
        waits = self._after_match.skip is not Skip.NO_SKIP
        while (earliest := waiting.peek()) is not None:
            first = partials.peek()
            if waits and first is not None and earliest.start > _rank(first):
                break
            waiting.poll()
            turn.completions.append(earliest)
            self._prune(earliest, partials, waiting, turn)
        turn.completed = list(waiting)
        if turn.completed or len(partials) > 1:
            turn.partials = list(partials)
        return turn

    def _prune(
        self,
        match: Completion,
        partials: Heap[Partial],
        waiting: Heap[Completion],
        turn: Turn,
    ) -> None:
        floor = self._after_match.floor(match.taken, match.start)
        if floor is None:
            turn.missed_targets += 1
        elif floor != NOWHERE:
            partials.remove_where(lambda each: UNSTARTED < each.start < floor)
            waiting.remove_where(lambda each: each.start < floor)


def _rank(partial: Partial) -> int:
    return _LAST if partial.start == UNSTARTED else partial.start


def _rank_of_match(match: Completion) -> int:
    return match.start

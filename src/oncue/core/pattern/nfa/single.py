"""
One match per start: what people mean by "this, then that".

    events ──▶ each open start, oldest first: its branches move
                 one completes ─▶ the start is done, and what `after_match` skips is dropped
               then the event itself may begin a start, if `overlap` lets it

A start may have several branches (an event taken, or left for a later one). Where several
complete at one event, the one with most events counts, then the earliest events.

A branch that could end but wants more is *held*: it completes when no more can come: at
its maximum, its `until`, an event that breaks it, or the deadline.

Partial matches lie in the order of their starts; those not started yet come first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import itemgetter

from oncue.core.pattern.nfa.completion import Completion, best
from oncue.core.pattern.nfa.deadlines import due_at, timer_at
from oncue.core.pattern.nfa.graph import FINAL, NOTHING, Graph, Move
from oncue.core.pattern.nfa.partial import UNSTARTED, Partial, Taken, clocked, passed_over
from oncue.core.pattern.nfa.sight import Sight
from oncue.core.pattern.nfa.skip import NOWHERE, AfterMatch


class Overlap(StrEnum):
    """What a first event does while a start is open."""

    EACH = "each"
    FIRST = "first"
    LAST = "last"


@dataclass(slots=True)
class Turn:
    """What an event or an instant made of the partial matches of a key."""

    partials: list[Partial]
    completions: list[Completion]
    has_taken: bool = False
    has_started: bool = False
    missed_targets: int = 0


class SingleMatches:
    """The automaton, one match per start."""

    def __init__(self, graph: Graph, after_match: AfterMatch, overlap: Overlap) -> None:
        self.graph = graph
        self._after_match = after_match
        self._overlap = overlap

    def take(self, partials: Sequence[Partial], sight: Sight) -> Turn:
        """Return what an event makes of the partial matches."""
        turn = Turn([], [])
        floor = NOWHERE
        for start, branches in _by_start(partials):
            if start < floor:
                continue
            candidates: list[Completion] = []
            kept: list[Partial] = []
            for partial in branches:
                self._move(partial, sight, kept, candidates)
            turn.has_taken = turn.has_taken or any(_took(each.taken, sight) for each in kept)
            if candidates:
                floor = max(floor, self._complete(turn, candidates))
            else:
                turn.partials += kept
        if sight.turn >= floor:
            self._begin(turn, sight)
        return turn

    def pass_time(self, partials: Sequence[Partial], at_ms: int) -> Turn:
        """Return what an instant makes of the partial matches of which some are due then."""
        turn = Turn([], [])
        floor = NOWHERE
        for start, branches in _by_start(partials):
            if start < floor:
                continue
            candidates: list[Completion] = []
            timed_out: list[Completion] = []
            kept: list[Partial] = []
            for partial in branches:
                if due_at(self.graph, partial) == at_ms:
                    self._expire(partial, at_ms, kept, candidates, timed_out)
                else:
                    kept.append(partial)
            if candidates:
                floor = max(floor, self._complete(turn, candidates))
            elif kept:
                turn.partials += kept
            elif timed_out:
                turn.completions.append(best(timed_out))
        return turn

    def due_at(self, partials: Iterable[Partial]) -> int | None:
        """Return the first instant at which time changes one of the partial matches."""
        graph = self.graph
        instants = (due_at(graph, partial) for partial in partials)
        return min((each for each in instants if each is not None), default=None)

    def _move(
        self,
        partial: Partial,
        sight: Sight,
        kept: list[Partial],
        candidates: list[Completion],
    ) -> None:
        if not self._is_open(partial, sight):
            # The event is ahead of the watermark, which alone says that time is over.
            kept.append(partial)
            return
        graph = self.graph
        moves, is_stopped = graph.outcome(partial.state, sight.bits_of(graph, partial))
        if not moves and not is_stopped and graph.is_held[partial.state]:
            candidates.append(_ended(partial, partial.taken, sight.time_ms))
        for move in moves:
            if move.step != NOTHING:
                self._advance(partial, move, sight, kept, candidates)
            elif move.target == FINAL:
                candidates.append(_ended(partial, partial.taken, sight.time_ms))
            else:
                kept.append(passed_over(partial, move))

    def _is_open(self, partial: Partial, sight: Sight) -> bool:
        """Return whether the event comes within the time of the partial match."""
        within_ms = self.graph.within_ms
        return within_ms is None or sight.time_ms - partial.start_ms < within_ms

    def _advance(
        self,
        partial: Partial,
        move: Move,
        sight: Sight,
        kept: list[Partial],
        candidates: list[Completion],
    ) -> None:
        graph = self.graph
        target = move.target
        taken = sight.taken(partial.taken, move.step)
        if graph.is_accepting[target] and not graph.is_held[target]:
            candidates.append(_ended(partial, taken, sight.time_ms))
            return
        if move.is_leaving:
            entered_ms = sight.time_ms
        else:
            entered_ms = partial.last_ms if move.is_entering else partial.entered_ms
        kept.append(
            Partial(target, partial.start, partial.start_ms, entered_ms, sight.time_ms, taken)
        )

    def _begin(self, turn: Turn, sight: Sight) -> None:
        if self._overlap is Overlap.FIRST and any(self._is_open(p, sight) for p in turn.partials):
            return
        if self._overlap is Overlap.LAST and turn.has_taken:
            return
        time_ms = sight.time_ms
        first = Partial(self.graph.start, sight.turn, time_ms, time_ms, time_ms, None)
        candidates: list[Completion] = []
        kept: list[Partial] = []
        self._move(first, sight, kept, candidates)
        kept = [partial for partial in kept if partial.taken is not None]
        if not kept and not candidates:
            return
        turn.has_started = True
        if self._overlap is Overlap.LAST:
            turn.partials = [p for p in turn.partials if not self._is_open(p, sight)]
        if candidates:
            self._complete(turn, candidates)
        else:
            turn.partials += kept

    def _expire(
        self,
        partial: Partial,
        at_ms: int,
        kept: list[Partial],
        candidates: list[Completion],
        timed_out: list[Completion],
    ) -> None:
        timer = timer_at(self.graph, partial, at_ms)
        if timer is None:
            is_held = self.graph.is_held[partial.state]
            ended = _ended(partial, partial.taken, at_ms)
            if is_held:
                candidates.append(ended)
            else:
                timed_out.append(ended._replace(is_timeout=True))
        elif timer.target == FINAL:
            candidates.append(_ended(partial, partial.taken, at_ms)._replace(is_absent=True))
        else:
            kept.append(clocked(partial, timer, at_ms))

    def _complete(self, turn: Turn, candidates: list[Completion]) -> int:
        """Add the best of the candidates of a start, drop what it skips, and return up to where."""
        completion = best(candidates)
        turn.completions.append(completion)
        floor = self._after_match.floor(completion.taken, completion.start)
        if floor is None:
            turn.missed_targets += 1
            floor = NOWHERE
        turn.partials = [each for each in turn.partials if not UNSTARTED < each.start < floor]
        return floor


def _ended(partial: Partial, taken: Taken | None, at_ms: int) -> Completion:
    return Completion(taken, partial.start, partial.start_ms, at_ms)


def _took(taken: Taken | None, sight: Sight) -> bool:
    return taken is not None and taken.turn == sight.turn


def _by_start(partials: Sequence[Partial]) -> Iterator[tuple[int, Iterable[Partial]]]:
    return groupby(partials, key=itemgetter(1))

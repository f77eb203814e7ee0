"""The branches of one start, and what an event or an instant makes of each."""

from oncue.core.pattern.nfa.completion import Completion
from oncue.core.pattern.nfa.deadlines import timer_at
from oncue.core.pattern.nfa.graph import FINAL, NOTHING, Graph, Move, Outcome
from oncue.core.pattern.nfa.partial import Partial, Taken, advanced, clocked, passed_over
from oncue.core.pattern.nfa.sight import Sight


class Branches:
    """
    What became of a start: the branches that go on, and the matches that it may be.

    `again` are branches that wait anew for an element that was passed.
    """

    __slots__ = ("again", "candidates", "has_taken", "kept", "timed_out")

    def __init__(self) -> None:
        self.kept: list[Partial] = []
        self.candidates: list[Completion] = []
        self.timed_out: list[Completion] = []
        self.again: list[Partial] = []
        self.has_taken = False


def follow(
    graph: Graph, partial: Partial, outcome: Outcome, sight: Sight, branches: Branches
) -> None:
    """Add what becomes of a branch by the outcome of an event."""
    moves, is_stopped, _ = outcome
    if not moves and not is_stopped and graph.is_held[partial.state]:
        branches.candidates.append(_ended(partial, partial.taken, sight.time_ms))
    for way in moves:
        if way.step != NOTHING:
            advance(graph, partial, way, sight, branches)
        elif way.target == FINAL:
            branches.candidates.append(_ended(partial, partial.taken, sight.time_ms))
        else:
            branches.kept.append(passed_over(partial, way))


def advance(graph: Graph, partial: Partial, way: Move, sight: Sight, branches: Branches) -> None:
    """Add what becomes of a branch that takes the event."""
    taken = sight.taken(partial.taken, way.step)
    branches.has_taken = True
    if graph.entries_again and way.is_leaving:
        _wait_again(graph, partial, sight.time_ms, branches)
    if graph.is_accepting[way.target] and not graph.is_held[way.target]:
        branches.candidates.append(_ended(partial, taken, sight.time_ms))
    else:
        branches.kept.append(advanced(partial, way, taken, sight.time_ms))


def expire(graph: Graph, partial: Partial, at_ms: int, branches: Branches) -> None:
    """Add what an instant makes of a branch that is due then."""
    timer = timer_at(graph, partial, at_ms)
    ended = _ended(partial, partial.taken, at_ms)
    if timer is None:
        if graph.is_held[partial.state]:
            branches.candidates.append(ended)
        else:
            branches.timed_out.append(ended._replace(is_timeout=True))
        return
    if graph.entries_again and timer.is_leaving:
        _wait_again(graph, partial, at_ms, branches)
    if timer.target == FINAL:
        branches.candidates.append(ended._replace(is_absent=True))
    else:
        branches.kept.append(clocked(partial, timer, at_ms))


def _wait_again(graph: Graph, partial: Partial, at_ms: int, branches: Branches) -> None:
    entry = graph.entries_again.get(graph.positions[partial.state])
    if entry is not None:
        branches.again.append(partial._replace(state=entry, entered_ms=at_ms, last_ms=at_ms))


def _ended(partial: Partial, taken: Taken | None, at_ms: int) -> Completion:
    return Completion(taken, partial.start, partial.start_ms, at_ms)

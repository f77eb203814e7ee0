"""
When time alone changes a partial match.

    a clock of its state       it goes on, or completes, since nothing came
    start + within             it ends: held back it completes, else it has timed out
    the bound of its elements  the same, as none of them may take an event any more
"""

from oncue.core.pattern.nfa.graph import Graph, Timer
from oncue.core.pattern.nfa.partial import UNSTARTED, Partial
from oncue.core.pattern.nfa.states import Since


def due_at(graph: Graph, partial: Partial) -> int | None:
    """Return the instant at which time changes the partial match."""
    if graph.is_untimed[partial.state]:
        within_ms = graph.within_ms
        is_bound = within_ms is not None and partial.start != UNSTARTED
        return partial.start_ms + within_ms if within_ms is not None and is_bound else None
    instants = [
        partial.since(timer.since) + timer.after_ms
        for timer in graph.timers[partial.state]
        if _counts(timer, partial)
    ]
    end = _end(graph, partial)
    if end is not None:
        instants.append(end)
    return min(instants, default=None)


def timer_at(graph: Graph, partial: Partial, at_ms: int) -> Timer | None:
    """Return the clock that is due at an instant; it comes before the end."""
    for timer in graph.timers[partial.state]:
        if _counts(timer, partial) and partial.since(timer.since) + timer.after_ms == at_ms:
            return timer
    return None


def _counts(timer: Timer, partial: Partial) -> bool:
    return partial.start != UNSTARTED or timer.since is not Since.START


def _end(graph: Graph, partial: Partial) -> int | None:
    if partial.start == UNSTARTED:
        return None
    ends = [] if graph.within_ms is None else [partial.start_ms + graph.within_ms]
    bounds = graph.bounds[partial.state]
    if bounds:
        ends.append(max(partial.since(since) + within_ms for since, within_ms in bounds))
    return min(ends, default=None)

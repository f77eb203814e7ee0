"""How far the partial matches of a key have come, as people ask for it."""

from collections.abc import Mapping, Sequence

from oncue.core.instants import format_instant, format_instant_if_any
from oncue.core.json_text import Json
from oncue.core.pattern.nfa.deadlines import due_at
from oncue.core.pattern.nfa.partial import UNSTARTED, Partial, events_of
from oncue.core.pattern.sequence.plan import SequencePlan


def describe_partials(plan: SequencePlan, partials: Sequence[Partial]) -> Mapping[str, Json]:
    """Return the partial matches in words, and the one that has come farthest first of all."""
    if not partials:
        return {"partials": 0, "nearest": None}
    nearest = max(partials, key=lambda each: plan.graph.positions[each.state])
    return {"partials": len(partials), "nearest": _describe(plan, nearest)}


def _describe(plan: SequencePlan, partial: Partial) -> Mapping[str, Json]:
    graph = plan.graph
    position = graph.positions[partial.state]
    waiting_for = [plan.names[number] for number in graph.wanted[partial.state]]
    until = format_instant_if_any(due_at(graph, partial))
    events = events_of(partial.taken)
    text = f"{position} of {len(graph.elements)} steps; waiting for {_spoken(waiting_for)}"
    return {
        "text": text if until is None else f"{text} until {until}",
        "started_at": None if partial.start == UNSTARTED else format_instant(partial.start_ms),
        "waiting_for": waiting_for,
        "until": until,
        "events": [{"step": plan.names[each.step], "offset": each.offset} for each in events],
    }


def _spoken(names: Sequence[str]) -> str:
    return " or ".join(repr(name) for name in names) if names else "the time to pass"

"""From a completed match to what the world is told: offsets by the names of steps."""

from collections.abc import Iterable
from typing import Final

from oncue.core.pattern.nfa.completion import Completion
from oncue.core.pattern.nfa.partial import events_of
from oncue.core.pattern.operator import Hit, Kind
from oncue.core.pattern.sequence.plan import SequencePlan

_MATCHED: Final = Kind.MATCHED


def hits_of(plan: SequencePlan, key: str, completions: Iterable[Completion]) -> list[Hit]:
    """Return the hits of completed matches; what timed out is one only where that is wanted."""
    return [
        _hit(plan, key, each) for each in completions if not each.is_timeout or plan.emits_timeouts
    ]


def _hit(plan: SequencePlan, key: str, completion: Completion) -> Hit:
    offsets: dict[int, list[int]] = {}
    events = events_of(completion.taken)
    for each in events:
        offsets.setdefault(each.step, []).append(each.offset)
    return Hit(
        kind=_kind(completion),
        key=key,
        time_ms=completion.at_ms,
        bindings=tuple((plan.names[step], tuple(offsets[step])) for step in sorted(offsets)),
        event_count=len(events),
    )


def _kind(completion: Completion) -> Kind:
    if completion.is_timeout:
        return Kind.TIMEOUT
    return Kind.ABSENT if completion.is_absent else _MATCHED

"""From a completed match to what the world is told: offsets by the names of steps."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from oncue.core.pattern.nfa.completion import Completion
from oncue.core.pattern.nfa.partial import events_of
from oncue.core.pattern.operator import Hit, Kind
from oncue.core.pattern.sequence.plan import SequencePlan

_MATCHED: Final = Kind.MATCHED


def hits_of(plan: SequencePlan, key: str, completions: Iterable[Completion]) -> list[Hit]:
    """Return the hits of completed matches; what timed out is one only where that is wanted."""
    hits = [
        _hit(plan, key, each) for each in completions if not each.is_timeout or plan.emits_timeouts
    ]
    return _told_apart(hits) if len(hits) > 1 else hits


def _told_apart(hits: list[Hit]) -> list[Hit]:
    """Return hits, those that have all in common with rows of their own."""
    seen: Counter[object] = Counter()
    told: list[Hit] = []
    for hit in hits:
        alike = hit.kind, hit.time_ms, hit.bindings
        told.append(replace(hit, row=seen[alike]) if alike in seen else hit)
        seen[alike] += 1
    return told


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

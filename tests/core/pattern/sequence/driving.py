"""A sequence over a few events: timers before each event, then the clock runs on."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.sequence import SequencePattern
from oncue.core.pattern.operator import Arrival, Hit, Operator
from oncue.core.pattern.seen import Seen
from oncue.core.pattern.sequence.compiled import CompiledSequence, compile_sequence
from tests.make import make_event

Found: TypeAlias = tuple[str, int, dict[str, list[int]]]
"""The kind of a hit, its time, and the offsets of its events by step."""
LONG = 10**9


def make_sequence(*steps: Json, **changes: Json) -> dict[str, Json]:
    """A sequence within a second; a step that is text is named and takes what it begins with."""
    spelled = [_spelled(step) for step in steps]
    return {"type": "sequence", "steps": spelled, "within": "1s"} | changes


def _spelled(step: Json) -> Json:
    if isinstance(step, str):
        return {"as": step.lower(), "event": step[0].lower()}
    assert isinstance(step, Mapping)
    groups = {
        name: [_spelled(member) for member in members]
        for name in ("all", "any")
        if isinstance(members := step.get(name), list)
    }
    return {**step, **groups}


def compiled(document: Mapping[str, Json]) -> CompiledSequence:
    return compile_sequence(SequencePattern.model_validate(document), "pattern")


def make_events(text: str, step_ms: int = 100) -> list[Event]:
    """One event each 100 ms, of the type that its letter says; a capital is no other type."""
    return [
        make_event(
            offset=offset,
            type=letter.lower(),
            time_ms=offset * step_ms,
            subject="",
            data={"stop": letter == "S"},
        )
        for offset, letter in enumerate(text)
    ]


def arrival_of(sequence: CompiledSequence, event: Event, watermark_ms: int) -> Arrival | None:
    """Return the event as the operator sees it; None, if nothing of the pattern wants it."""
    seen = Seen(event)
    selectors = sum(
        1 << number
        for number, selector in enumerate(sequence.selectors)
        if event.type in selector.globs and selector.admits(event, seen)
    )
    if not selectors and not sequence.is_scope_all:
        return None
    return Arrival(event.subject or "", selectors, event, seen, watermark_ms)


def drive(operator: Operator, sequence: CompiledSequence, events: Iterable[Event]) -> Iterator[Hit]:
    """Yield the hits of events in their order; the watermark is the largest time so far."""
    watermark_ms = 0
    for event in events:
        watermark_ms = max(watermark_ms, event.time_ms)
        yield from operator.advance(watermark_ms)
        arrival = arrival_of(sequence, event, watermark_ms)
        if arrival is not None:
            yield from operator.admit(arrival)


def run(document: Mapping[str, Json], events: Iterable[Event], until_ms: int = LONG) -> list[Found]:
    """Return what a sequence finds, the clock having run on to `until_ms`."""
    sequence = compiled(document)
    operator = sequence.operator()
    operator.begin(0, [])
    hits = [*drive(operator, sequence, events), *operator.advance(until_ms)]
    return [found(hit) for hit in hits]


def found(hit: Hit) -> Found:
    return hit.kind.value, hit.time_ms, {name: list(offsets) for name, offsets in hit.bindings}

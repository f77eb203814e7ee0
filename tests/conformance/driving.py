"""Patterns over the events of a case: through their public JSON, or at the operator."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from oncue.core.errors import InvalidInput
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.backtest import Backtest, Found
from oncue.core.pattern.keys import compile_key
from oncue.core.pattern.kinds.sequence import SequencePattern
from oncue.core.pattern.operator import Arrival, Hit, Operator
from oncue.core.pattern.seen import Seen
from oncue.core.pattern.sequence.compiled import compile_sequence
from oncue.core.pattern.sequence.operator import SequenceOperator
from oncue.core.pattern.sequence.plan import SequencePlan
from tests.conformance.cases import Unsupported

FOREVER = 2**52


@dataclass(frozen=True)
class CaseEvent:
    """An event of a case; it is received in the order of the list."""

    id: str
    type: str
    time_ms: int
    data: Json


@dataclass(frozen=True)
class CaseMatch:
    """A match: the ids of its events by step, and the event at whose arrival it was found."""

    kind: str
    time_ms: int
    bindings: Mapping[str, Sequence[str]]
    found_at: str | None = field(default=None, compare=False)


def run_pattern(
    document: Mapping[str, Json], events: Sequence[CaseEvent], until_ms: int = FOREVER
) -> list[CaseMatch]:
    """
    Return the matches of a pattern, as a user writes it; the clock runs on to `until_ms`.

    It is what `POST /patterns/test` does with events that come with the question.

    Raises:
        Unsupported: the document is refused.
    """
    try:
        parsed = parse_pattern({"name": "case", "pattern": document})
    except InvalidInput as exc:
        raise Unsupported(f"a pattern that is refused: {exc}") from exc
    backtest = Backtest([parsed.named("pat_case", 1, 1, None)], 0)
    matches: list[CaseMatch] = []
    now = 0
    for place, each in enumerate(events, 1):
        now = max(now, each.time_ms)
        event = Event(place, now, each.id, "case", each.type, None, each.time_ms, each.data, {})
        matches += [_found(one, events, each.id) for one in backtest.fold(event)]
    for more in backtest.run_on(until_ms):
        matches += [_found(one, events, None) for one in more]
    assert backtest.failures == 0
    return matches


def _found(one: Found, events: Sequence[CaseEvent], found_at: str | None) -> CaseMatch:
    bindings = {
        name: [events[offset - 1].id for offset in offsets] for name, offsets in one.hit.bindings
    }
    return CaseMatch(one.hit.kind.value, one.hit.time_ms, bindings, found_at)


def plan_of(document: Mapping[str, Json]) -> SequencePlan:
    """
    Return what runs a pattern.

    Raises:
        Unsupported: the document is refused.
    """
    try:
        plan = compile_sequence(SequencePattern.model_validate(document), "pattern").plan
    except (InvalidInput, ValidationError) as exc:
        raise Unsupported(f"a pattern that is refused: {exc}") from exc
    assert isinstance(plan, SequencePlan)
    return plan


def run_plan(
    plan: SequencePlan,
    events: Sequence[CaseEvent],
    until_ms: int = FOREVER,
    *,
    begin_ms: int = 0,
    by: Sequence[str] = (),
) -> list[CaseMatch]:
    """Return the matches of a plan."""
    operator = SequenceOperator(plan)
    operator.begin(begin_ms, [] if plan.is_keyed else [""])
    key_of = compile_key(by, "skip", "pattern")
    matches: list[CaseMatch] = []
    watermark_ms = begin_ms
    for offset, each in enumerate(events):
        event = Event(offset, 0, each.id, "case", each.type, None, each.time_ms, each.data, {})
        watermark_ms = max(watermark_ms, each.time_ms)
        seen = Seen(event)
        hits = [*operator.advance(watermark_ms)]
        hits += _admit(operator, plan, key_of.text(event, seen), (event, seen, watermark_ms))
        matches += [_match(hit, events, each.id) for hit in hits]
    matches += [_match(hit, events, None) for hit in operator.advance(until_ms)]
    return matches


def _admit(
    operator: Operator, plan: SequencePlan, key: str | None, arrived: tuple[Event, Seen, int]
) -> Iterable[Hit]:
    event, seen, watermark_ms = arrived
    bits = sum(
        1 << number
        for number, selector in enumerate(plan.selectors)
        if event.type in selector.globs and selector.admits(event, seen)
    )
    if key is None or not (bits or plan.is_scope_all):
        return ()
    return operator.admit(Arrival(key, bits, event, seen, watermark_ms))


def _match(hit: Hit, events: Sequence[CaseEvent], found_at: str | None) -> CaseMatch:
    bindings = {name: [events[offset].id for offset in offsets] for name, offsets in hit.bindings}
    return CaseMatch(hit.kind.value, hit.time_ms, bindings, found_at)

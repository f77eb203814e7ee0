"""
Steps in any order: each by an event of its own, all within a time.

    events of the key, by time       1 2 · 1 · 3
                                     └── within ──┘   three steps served: a match

An event is kept until the watermark has passed its time by `within`. When one arrives, each
span of that length around it is looked at, the earliest first. A match consumes its events;
what it left over may serve the next one.
"""

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.core.pattern.keyed import Keyed, Remembered
from oncue.core.pattern.kinds.shared import Limits
from oncue.core.pattern.operator import Arrival, Hit, Kind, Note
from oncue.core.pattern.sequence.assignment import assign
from oncue.core.pattern.sequence.keyed_operator import KeyedOperator


@dataclass(frozen=True, slots=True)
class UnorderedPlan:
    """Steps in any order: how many are needed, and within which time."""

    names: tuple[str, ...]
    needed: int
    within_ms: int
    limits: Limits


class Kept(NamedTuple):
    """An event that may serve steps, those of `bits`."""

    time_ms: int
    offset: int
    bits: int


class UnorderedKey(Remembered):
    """The events of a key that no match has consumed, by (time, offset)."""

    __slots__ = ("events",)

    def __init__(self, events: list[Kept]) -> None:
        self.events = events


class UnorderedOperator(KeyedOperator[UnorderedKey]):
    """The state of a sequence whose steps have no order: events by key."""

    def __init__(self, plan: UnorderedPlan) -> None:
        super().__init__(Keyed(plan.limits.max_keys, plan.limits.key_ttl, _dump, _load))
        self._plan = plan

    def admit(self, arrival: Arrival) -> Sequence[Hit]:
        """Take an event, and return what it completes."""
        event = arrival.event
        state = self._keys.edit(arrival.key) or UnorderedKey([])
        self.last_note = Note.ADVANCED if state.events else Note.STARTED
        arrived = Kept(event.time_ms, event.offset, arrival.selectors)
        events = [*state.events]
        insort(events, arrived)
        chosen = self._chosen(events, arrived)
        consumed = set(chosen.values())
        kept = [each for each in events if each not in consumed]
        self._keep(arrival.key, state, kept, max(event.time_ms, arrival.watermark_ms))
        return [_hit(self._plan, arrival, chosen)] if chosen else []

    def advance(self, watermark_ms: int) -> Iterator[Hit]:
        """Forget the events whose time is over; no match comes of that."""
        for at_ms, key in self._due.until(watermark_ms):
            self._forget_expired(at_ms)
            state = self._keys.edit(key)
            if state is not None:
                begin_ms = at_ms - self._plan.within_ms
                kept = [each for each in state.events if each.time_ms > begin_ms]
                self._keep(key, state, kept, None)
        self._forget_expired(watermark_ms)
        yield from ()

    def begin(self, at_ms: int, keys: Sequence[str]) -> None:
        """Begin: nothing is known of a key before its first event."""

    def describe(self, key: str) -> Mapping[str, Json]:
        """Return what is remembered of a key, in the terms of people."""
        state = self._keys.get(key)
        if state is None:
            return {"events": 0, "nearest": None}
        names = self._plan.names
        served = assign([each.bits for each in state.events], len(names))
        missing = [name for step, name in enumerate(names) if step not in served]
        until = format_instant(_end(self._plan, state.events))
        wanted = " and ".join(map(repr, missing))
        text = f"{len(served)} of {self._plan.needed} steps; waiting for {wanted} until {until}"
        return {
            "events": len(state.events),
            "nearest": {"text": text, "waiting_for": missing, "until": until},
        }

    def restored(self) -> None:
        """Make what is derived from the states, after these were read back."""
        for key, state in self._keys.items():
            self._due.set(key, _end(self._plan, state.events))

    def _chosen(self, events: Sequence[Kept], arrived: Kept) -> dict[int, Kept]:
        """Return the events by step in the earliest span around one that serves enough steps."""
        plan = self._plan
        latest_ms = arrived.time_ms
        begins = dict.fromkeys(
            each.time_ms
            for each in events
            if latest_ms - plan.within_ms < each.time_ms <= latest_ms
        )
        for begin_ms in begins:
            in_span = [e for e in events if begin_ms <= e.time_ms < begin_ms + plan.within_ms]
            bits = [each.bits for each in in_span]
            if _may_serve(bits, plan.needed):
                served = assign(bits, len(plan.names))
                if len(served) >= plan.needed:
                    return {step: in_span[place] for step, place in served.items()}
        return {}

    def _keep(self, key: str, state: UnorderedKey, events: list[Kept], used_ms: int | None) -> None:
        excess = len(events) - self._plan.limits.max_partials_per_key
        if excess > 0:
            self.counts["partials_dropped"] += excess
            events = events[excess:]
        state.events = events
        if events:
            self._remember(key, state, _end(self._plan, events), used_ms)
        else:
            self._drop(key)


def _hit(plan: UnorderedPlan, arrival: Arrival, chosen: Mapping[int, Kept]) -> Hit:
    return Hit(
        kind=Kind.MATCHED,
        key=arrival.key,
        time_ms=arrival.event.time_ms,
        bindings=tuple((plan.names[step], (event.offset,)) for step, event in chosen.items()),
        event_count=len(chosen),
    )


def _end(plan: UnorderedPlan, events: Sequence[Kept]) -> int:
    return events[0].time_ms + plan.within_ms


def _may_serve(events: Sequence[int], needed: int) -> bool:
    reached = 0
    for bits in events:
        reached |= bits
    return reached.bit_count() >= needed


def _dump(state: UnorderedKey) -> Json:
    return [list(each) for each in state.events]


def _load(saved: Json) -> UnorderedKey:
    assert isinstance(saved, Sequence)
    events: list[Kept] = []
    for row in saved:
        assert isinstance(row, Sequence)
        time_ms, offset, bits = row
        assert isinstance(time_ms, int)
        assert isinstance(offset, int)
        assert isinstance(bits, int)
        events.append(Kept(time_ms, offset, bits))
    return UnorderedKey(events)

"""Ticks, restarts and the places of both change nothing of what a sequence finds."""

import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.operator import Hit, Operator
from oncue.core.pattern.sequence.compiled import CompiledSequence
from tests.core.pattern.sequence.driving import arrival_of, compiled, make_sequence
from tests.make import make_event

NOT_B: dict[str, Json] = {"as": "b", "event": "b", "not": True}
REPEATS: dict[str, Json] = {"as": "b", "event": "b", "times": {"min": 1, "max": 3}}
KEYED: dict[str, Json] = {"by": ["event.subject"], "within": "20ms"}
DOCUMENTS = {
    "steps": make_sequence("a", "b", "c", overlap="each", **KEYED),
    "a repeating last step": make_sequence("a", REPEATS, **KEYED),
    "an absence": make_sequence("a", NOT_B, on_timeout="emit", **KEYED),
    "a wait": make_sequence("a", {**NOT_B, "within": "5ms"}, "c", on_timeout="emit", **KEYED),
    "a silence": make_sequence({**NOT_B, "as": "n"}, **KEYED),
    "a silence first": make_sequence({**NOT_B, "within": "5ms"}, "a", "c", **KEYED),
    "silences": make_sequence(
        {**NOT_B, "within": "5ms"}, "a", overlap="each", after_match="no_skip", **KEYED
    ),
    "a group": make_sequence("a", {"all": [{**NOT_B, "within": "5ms"}, "C"]}, **KEYED),
    "steps with a time": make_sequence(
        "a", {**REPEATS, "within": "5ms"}, {"as": "c", "event": "c", "within": "3ms"}, **KEYED
    ),
    "conditions": make_sequence(
        "a",
        {**REPEATS, "where": "event.data.n >= a.data.n && (size(b) == 0 || b.last.data.n != 2)"},
        {"as": "c", "event": "c", "where": "b[0].data.n < 3"},
        **KEYED,
    ),
    "combinations": make_sequence(
        "a", {**REPEATS, "greedy": False}, "c", emit_all=True, on_timeout="emit", **KEYED
    ),
    "combinations with an absence": make_sequence(
        "a", NOT_B, emit_all=True, after_match="no_skip", **KEYED
    ),
    "any order": make_sequence("a", "b", "c", ordered=False, at_least=2, **KEYED),
    "few partial matches": make_sequence(
        "a", "b", overlap="each", limits={"max_partials_per_key": 2, "max_keys": 2}, **KEYED
    ),
    "short-lived keys": make_sequence("a", "b", limits={"key_ttl": "10ms"}, **KEYED),
}
END_MS = 500


@st.composite
def arrivals(draw: st.DrawFn) -> list[Event]:
    """Events of some keys, most in the order of time, some late and some far ahead."""
    count = draw(st.integers(0, 14))
    clock = 0
    events: list[Event] = []
    for offset in range(count):
        clock += draw(st.sampled_from([0, 0, 1, 2, 4, 9]))
        events.append(
            make_event(
                offset=offset,
                type=draw(st.sampled_from("abc")),
                time_ms=max(clock + draw(st.sampled_from([0, 0, 0, 0, -3, -30])), 0),
                subject=draw(st.sampled_from("xyz")),
                data={"n": draw(st.integers(0, 3))},
            )
        )
    return events


def played(
    sequence: CompiledSequence, events: Sequence[Event], ticks: Sequence[int], cuts: set[int]
) -> tuple[list[Hit], Mapping[str, int]]:
    """Return the hits and counts, with ticks between the events and restarts at `cuts`."""
    operator = sequence.operator()
    operator.begin(0, ['["x"]'])
    watermark_ms = 0
    hits: list[Hit] = []
    for place, event in enumerate(events):
        ahead_ms = max(watermark_ms, event.time_ms)
        for at_ms in sorted(tick for tick in ticks if watermark_ms < tick <= ahead_ms):
            hits += operator.advance(at_ms)
        watermark_ms = ahead_ms
        if place in cuts:
            operator = restarted(sequence, operator)
        hits += operator.advance(watermark_ms)
        arrival = arrival_of(sequence, event, watermark_ms)
        if arrival is not None:
            hits += operator.admit(arrival)
    for at_ms in [*sorted(tick for tick in ticks if tick > watermark_ms), END_MS]:
        hits += operator.advance(at_ms)
    return hits, operator.counts


def restarted(sequence: CompiledSequence, operator: Operator) -> Operator:
    """Return an operator that took up what was saved of another one, as JSON."""
    following = sequence.operator()
    for name, keyed in operator.states().items():
        following.states()[name].load(json.loads(json.dumps(keyed.rows())))
    following.restored()
    following.counts.update(operator.counts)
    return following


@pytest.mark.parametrize("name", DOCUMENTS)
@settings(max_examples=25)
@given(arrivals(), st.lists(st.integers(1, END_MS // 4), max_size=30), st.sets(st.integers(0, 13)))
def test_ticks_and_restarts_change_nothing(
    name: str, events: list[Event], ticks: list[int], cuts: set[int]
) -> None:
    sequence = compiled(DOCUMENTS[name])

    assert played(sequence, events, ticks, cuts) == played(sequence, events, [], set())

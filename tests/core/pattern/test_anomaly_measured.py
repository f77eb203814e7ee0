"""Anomalies of a measure: which windows are values, and which of these are hits."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.kinds.anomaly import AnomalyPattern, compile_anomaly
from oncue.core.pattern.kinds.shared import Cooldown
from oncue.core.pattern.operator import Arrival, Hit, Kind, Note, Operator
from tests.make import make_event

MINUTE = 60_000

Come = tuple[float, str, Json]
"""An event: its minute, its key, its value."""


def make_pattern(value: object = None, **changes: object) -> AnomalyPattern:
    fields: dict[str, object] = {
        "type": "anomaly",
        "event": "order",
        "by": ["event.subject"],
        "value": value or {"measure": "count", "window": "1m"},
        "min_samples": 3,
        "cooldown": None,
    }
    return AnomalyPattern.model_validate(fields | changes)


def make_operator(value: object = None, **changes: object) -> Operator:
    return compile_anomaly(make_pattern(value, **changes), "pattern").operator()


def make_arrival(offset: int, come: Come, watermark_ms: int) -> Arrival:
    minute, key, value = come
    time_ms = int(minute * MINUTE)
    event = make_event(offset=offset, time_ms=time_ms, received_at_ms=time_ms, data={"n": value})
    return Arrival(key, 1, event, {"event": event.view()}, watermark_ms)


def hits_of(
    operator: Operator, comes: Sequence[Come], until: float = 0, first: int = 0
) -> list[Hit]:
    """The hits of events, one after the other, and of the time that passes after the last."""
    found: list[Hit] = []
    for offset, come in enumerate(comes, first):
        watermark_ms = int(come[0] * MINUTE)
        found += operator.advance(watermark_ms)
        found += operator.admit(make_arrival(offset, come, watermark_ms))
    return [*found, *operator.advance(int(until * MINUTE))]


def each_minute(counts: Sequence[int], key: str = "a", value: Json = 1) -> list[Come]:
    return [
        (minute + n / (count + 1), key, value)
        for minute, count in enumerate(counts)
        for n in range(count)
    ]


def test_a_window_is_scored_when_it_closes() -> None:
    operator = make_operator()
    comes = each_minute([2, 2, 2, 2, 5])
    found = hits_of(operator, comes)

    assert found == []
    assert list(operator.advance(5 * MINUTE)) == [
        Hit(
            kind=Kind.ANOMALY,
            key="a",
            time_ms=5 * MINUTE,
            bindings=(("", (8, 9, 10, 11, 12)),),
            event_count=5,
            values={"actual": 5.0, "expected": 2.0, "scale": 0.02, "n": 4, "threshold": 5.0},
            window=(4 * MINUTE, 5 * MINUTE),
            score=150.0,
        )
    ]


@pytest.mark.parametrize(
    ("value", "comes", "minutes"),
    [
        pytest.param(
            {"measure": "count", "window": "1m"},
            each_minute([2, 2, 2, 2]),
            [5],
            id="a window without events counts as 0",
        ),
        pytest.param(
            {"measure": "sum", "of": "event.data.n", "window": "1m"},
            each_minute([2, 2, 2, 2], value=4),
            [5],
            id="and as a sum of 0",
        ),
        pytest.param(
            {"measure": "avg", "of": "event.data.n", "window": "1m"},
            each_minute([2, 2, 2, 2], value=4),
            [],
            id="it has no mean",
        ),
        pytest.param(
            {"measure": "avg", "of": "event.data.n", "window": "1m"},
            [*each_minute([1, 0, 1, 0, 1], value=4), (7.5, "a", 40)],
            [8],
            id="windows without one are passed over",
        ),
        pytest.param(
            {"measure": "max", "of": "event.data.n", "window": "1m"},
            [*each_minute([2, 2, 2, 2], value=4), (4.5, "a", "none"), (5.5, "a", 40)],
            [6],
            id="events without a value take no part",
        ),
        pytest.param(
            {"measure": "rate", "window": "1m"},
            each_minute([2, 2, 2, 9, 2]),
            [4],
            id="a rate that jumps",
        ),
    ],
)
def test_which_windows_are_hits(value: object, comes: list[Come], minutes: list[int]) -> None:
    found = hits_of(make_operator(value), comes, until=9)

    assert [hit.time_ms // MINUTE for hit in found] == minutes


def test_declared_keys_are_values_from_the_begin() -> None:
    operator = make_operator()
    operator.begin(30_000, ["a"])
    found = hits_of(operator, [(5.5, "a", 1)], until=6)

    assert [(hit.key, hit.values["actual"], hit.values["n"]) for hit in found] == [("a", 1.0, 4)]


def test_a_key_that_is_forgotten_is_no_value_and_begins_anew() -> None:
    operator = make_operator(limits={"key_ttl": "5m"})
    hits_of(operator, each_minute([2, 2, 2]), until=60)
    assert operator.describe("a")["n"] == 7

    hits_of(operator, [(61, "a", 1)], until=62)
    assert operator.describe("a")["n"] == 1
    assert operator.deadline() == 63 * MINUTE


def test_what_a_key_taught_is_forgotten_with_its_windows() -> None:
    operator = make_operator(limits={"key_ttl": "5m"})
    hits_of(operator, [*each_minute([2, 2, 2]), (9, "a", 1)], until=10)

    assert operator.describe("a")["n"] == 1


def test_the_note_of_an_event_is_that_of_its_window() -> None:
    operator = make_operator({"measure": "sum", "of": "event.data.n", "window": "1m"})
    notes: list[Note | None] = []
    comes: list[tuple[Come, float]] = [
        ((0.5, "a", 1), 0.5),
        ((0.7, "a", "x"), 0.7),
        ((0.8, "a", 1), 1),
    ]
    for come, watermark in comes:
        list(operator.advance(int(watermark * MINUTE)))
        operator.admit(make_arrival(0, come, int(watermark * MINUTE)))
        notes.append(operator.last_note)

    assert notes == [Note.COUNTED, Note.IGNORED, Note.LATE]
    assert operator.counts == {"without_value": 1, "late": 1}


def test_part_of_the_season_is_where_the_window_begins() -> None:
    season = {"period": "1d", "buckets": 24}
    operator = make_operator(
        {"measure": "count", "window": "30m"}, method="seasonal", season=season, min_samples=24
    )
    night_and_day = [(1 if half % 48 < 16 else 20) for half in range(48 * 4)]
    comes = [(30 * minute, key, value) for minute, key, value in each_minute(night_and_day)]
    quiet = hits_of(operator, comes)
    loud = hits_of(operator, [(60 * 24 * 4 + n, "a", 1) for n in range(20)], until=60 * 24 * 4 + 60)

    assert quiet == []
    assert [(hit.values["expected"], hit.values["actual"]) for hit in loud] == [(1.0, 20.0)]


@pytest.mark.parametrize(
    ("cooldown", "expected"),
    [
        pytest.param({"samples": 3}, 3 * MINUTE + 1, id="samples are windows"),
        pytest.param({"for": "1h"}, 60 * MINUTE, id="a time is itself"),
    ],
)
def test_the_cooldown_of_a_measure(cooldown: object, expected: int) -> None:
    pattern = make_pattern(cooldown=cooldown)

    assert isinstance(pattern.cooldown, Cooldown)
    assert (pattern.cooldown.for_, pattern.cooldown.samples) == (expected, None)


STREAMS = st.lists(
    st.tuples(st.floats(0, 3), st.sampled_from("ab"), st.integers(0, 9)), max_size=40
).map(
    lambda steps: [
        (sum(gap for gap, _, _ in steps[: n + 1]), key, value)
        for n, (_, key, value) in enumerate(steps)
    ]
)


@given(comes=STREAMS)
def test_the_values_are_the_counts_of_all_windows_since_the_first(comes: list[Come]) -> None:
    operator = make_operator(threshold=1e-6, rearm="every", min_samples=2, learn="always")
    found = hits_of(operator, comes, until=130)
    counted = {(hit.key, hit.window): hit.values["actual"] for hit in found}
    n = {(hit.key, hit.window): hit.values["n"] for hit in found}

    for (key, window), actual in counted.items():
        assert window is not None
        start = window[0] // MINUTE
        minutes = [int(minute * MINUTE) // MINUTE for minute, each, _ in comes if each == key]
        assert actual == minutes.count(start)
        assert n[key, window] == start - min(minutes)


@given(comes=STREAMS, place=st.integers(0, 40))
def test_read_back_at_any_place_it_finds_the_same(comes: list[Come], place: int) -> None:
    value = {"measure": "sum", "of": "event.data.n", "window": "1m"}
    whole, first, second = (make_operator(value, threshold=0.5, rearm="every") for _ in range(3))
    expected = hits_of(whole, comes, until=150)
    found = hits_of(first, comes[:place])
    for name, keyed in first.states().items():
        second.states()[name].load(json.loads(json.dumps(keyed.rows())))
    second.restored()
    found += hits_of(second, comes[place:], until=150, first=place)

    assert found == expected


def test_windows_are_no_shorter_than_a_second_since_empty_ones_are_values() -> None:
    measured: Json = {"measure": "count", "window": "200ms"}
    document: Json = {"type": "anomaly", "event": "a", "value": measured}
    with pytest.raises(InvalidInput, match="window: expected at least '1s'"):
        parse_pattern({"name": "p", "pattern": document})

"""Sliding windows in the order of event time, against a sweep that works everything out again."""

from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.json_text import Json
from tests.core.pattern.threshold.naive import Question, Sweep
from tests.core.pattern.threshold.streams import (
    LONG_AGO,
    Fields,
    Player,
    Sent,
    at,
    plan,
    play,
    reloaded,
)
from tests.core.pattern.threshold.streams import times_of as times

SIZE: Final = 10
SILENCE: Fields = {"operator": "<", "value": 1}
AVERAGE: Fields = {"measure": "avg", "of": "event.data.v", "operator": ">", "value": 5}


def values(*pairs: tuple[int, Json]) -> list[Sent]:
    return [Sent(time, value=value) for time, value in pairs]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(at(0), [10], id="a heartbeat that stays away is missed after the window"),
        pytest.param(at(0, 9, 18), [28], id="heartbeats in time are none to miss"),
        pytest.param(at(0, 10), [20], id="a heartbeat exactly in time is in time"),
        pytest.param(at(0, 30), [10, 40], id="after the next one, silence is noticed again"),
        pytest.param(at(0, 12, 7), [10, 22], id="one that comes too late was missed"),
    ],
)
def test_a_dead_mans_switch(stream: list[Sent], expected: list[int]) -> None:
    assert times(play(stream, SILENCE)) == expected


def test_silence_is_noticed_when_its_deadline_is_reached_without_further_events() -> None:
    player = Player(plan(SILENCE))
    assert player.play(at(5), until=14) == []
    assert player.operator.deadline() == 15
    [hit] = player.operator.advance(15)

    assert (hit.time_ms, hit.window, hit.event_count) == (15, (5, 15), 0)
    assert hit.values == {"measure": "count", "value": 0, "operator": "<", "threshold": 1}
    assert player.operator.deadline() is None


def test_declared_keys_are_missed_from_the_begin_on_and_never_forgotten() -> None:
    compiled = plan(
        {**SILENCE, "keys": ["a", "b", "c"], "limits": {"max_keys": 3, "key_ttl": "20ms"}}
    )
    player = Player(compiled, begin=100, keys=["a", "b", "c"])
    hits = player.play(
        [Sent(105, "b"), *(Sent(300 + n, f"k{n}") for n in range(9)), Sent(900, "c")]
    )

    assert [(hit.key, hit.time_ms) for hit in hits if hit.key in "abc"] == [
        ("a", 110),
        ("c", 110),
        ("b", 115),
        ("c", 910),
    ]


@pytest.mark.parametrize(
    ("fields", "stream", "expected"),
    [
        pytest.param(
            AVERAGE, values((0, 6), (1, 9), (2, 2), (3, 9)), [0], id="an average that stays above"
        ),
        pytest.param(
            AVERAGE,
            values((0, 6), (1, 0), (2, 20)),
            [0, 2],
            id="below in between, it matches again",
        ),
        pytest.param(
            AVERAGE,
            values((0, 6), (11, 6)),
            [0, 11],
            id="a window that ran empty was not above",
        ),
        pytest.param(AVERAGE, values((0, 6), (10, 6)), [0], id="truths that touch are one"),
        pytest.param(
            AVERAGE,
            values((0, 9), (5, 6), (6, 1), (9, 9), (11, 9)),
            [0],
            id="what leaves may keep it above",
        ),
        pytest.param(
            AVERAGE,
            values((0, 9), (5, 1), (3, 20)),
            [0, 5],
            id="a late event counts where it stands",
        ),
        pytest.param(
            AVERAGE, values((20, 9), (9, 9)), [20], id="one older than the window is late"
        ),
        pytest.param(
            {"operator": "==", "value": 2},
            at(0, 1, 2),
            [10],
            id="two are left when the first leaves",
        ),
        pytest.param(
            {"operator": "!=", "value": 0}, at(0, 1), [10], id="unequal, as long as one is left"
        ),
        pytest.param(
            {"measure": "rate", "per": "1ms", "operator": ">=", "value": 0.3},
            at(0, 1, 2),
            [2],
            id="three in ten are 0.3 for each millisecond",
        ),
        pytest.param(
            {"measure": "last", "of": "event.data.v", "value": 3},
            values((0, 1), (1, 3), (2, 5), (3, 2), (4, 4)),
            [1, 4],
            id="the last value",
        ),
    ],
)
def test_measures_that_may_fall(fields: Fields, stream: list[Sent], expected: list[int]) -> None:
    assert times(play(stream, fields)) == expected


@pytest.mark.parametrize(
    ("fields", "stream", "expected"),
    [
        pytest.param({"for": "5ms"}, at(0, 1, 2), [("threshold", 7)], id="it holds so long"),
        pytest.param({"for": "9ms"}, at(0, 1, 2), [], id="it ends when the first event leaves"),
        pytest.param(
            {"for": "8ms"}, at(0, 1, 2), [], id="at the end of the time it must hold as well"
        ),
        pytest.param(
            {"for": "9ms"},
            at(0, 1, 2, 9, 10),
            [("threshold", 11)],
            id="one more event makes it last",
        ),
        pytest.param(
            {"notify_clear": True},
            at(0, 1, 2, 30),
            [("threshold", 2), ("cleared", 10)],
            id="the end of an alert is told when it comes",
        ),
        pytest.param(
            {"clear": {"<": 2}},
            at(0, 1, 2, 10, 12, 13),
            [("threshold", 2)],
            id="an alert that is not cleared goes on",
        ),
        pytest.param(
            {"clear": {"<": 2}, "notify_clear": True},
            at(0, 1, 2),
            [("threshold", 2), ("cleared", 11)],
            id="cleared, when one is left",
        ),
        pytest.param(
            {"operator": "<", "value": 1, "notify_clear": True},
            at(0, 30),
            [("threshold", 10), ("cleared", 30), ("threshold", 40)],
            id="a heartbeat that comes back",
        ),
        pytest.param(
            {"operator": "<", "value": 1, "for": "5ms"},
            at(0, 12, 40),
            [("threshold", 27), ("threshold", 55)],
            id="silence that lasts",
        ),
    ],
)
def test_alerts_have_a_duration_and_an_end(
    fields: Fields, stream: list[Sent], expected: list[tuple[str, int]]
) -> None:
    assert [(str(hit.kind), hit.time_ms) for hit in play(stream, fields)] == expected


def test_a_clock_that_is_fast_waits_until_its_time_has_come() -> None:
    fast = Sent(50, value=9, received=1)
    stream = [Sent(0, value=1), fast, Sent(2, value=9), Sent(3, value=9), Sent(60, value=1)]

    # The fast one must not make those between late, and counts in its own place.
    assert times(play(stream, AVERAGE)) == [3, 50]


QUESTIONS: dict[str, Fields] = {
    "avg >": AVERAGE,
    "sum >=": {"measure": "sum", "of": "event.data.v", "operator": ">=", "value": 6},
    "p50 >": {"measure": "p50", "of": "event.data.v", "operator": ">", "value": 2},
    "p90 >": {"measure": "p90", "of": "event.data.v", "operator": ">", "value": 4},
    "last >": {"measure": "last", "of": "event.data.v", "operator": ">", "value": 2},
    "rate >": {"measure": "rate", "operator": ">", "value": 200},
    "min >=": {"measure": "min", "of": "event.data.v", "operator": ">=", "value": 2},
    "count >=": {"measure": "count", "operator": ">=", "value": 3, "emit": "final"},
    "count <": {"measure": "count", "operator": "<", "value": 2},
    "count ==": {"measure": "count", "operator": "==", "value": 2},
    "count !=": {"measure": "count", "operator": "!=", "value": 1},
    "distinct <=": {"measure": "distinct", "of": "event.data.v", "operator": "<=", "value": 1},
    "sum <": {"measure": "sum", "of": "event.data.v", "operator": "<", "value": 4},
    "avg <": {"measure": "avg", "of": "event.data.v", "operator": "<", "value": 2},
    "max <": {"measure": "max", "of": "event.data.v", "operator": "<", "value": 3},
    "min <": {"measure": "min", "of": "event.data.v", "operator": "<", "value": 1, "emit": "final"},
}
MANNERS: dict[str, Fields] = {
    "edge": {},
    "every": {"rearm": "every"},
    "reset": {"rearm": "reset"},
    "cooldown": {"cooldown": "1s"},
    "for": {"for": "4ms"},
    "notify": {"notify_clear": True},
    "for and notify": {"for": "3ms", "notify_clear": True},
}
SENT = st.builds(Sent, time=st.integers(0, 45), key=st.sampled_from("ab"), value=st.integers(-1, 6))


def naive_hits(fields: Fields, stream: Sequence[Sent]) -> list[tuple[object, ...]]:
    """Return the hits of a stream as it is, with the watermark at the newest event."""
    question = Question(
        str(fields.get("measure")), str(fields["operator"]), float(str(fields["value"])), SIZE
    )
    upwards = question.operator in (">", ">=")
    for_ = int(str(fields["for"]).removesuffix("ms")) if "for" in fields else None

    def begin() -> Sweep:
        return Sweep(
            question,
            on_arrival=upwards or (question.measure == "min" and question.operator == "<"),
            for_=for_,
            notifies="notify_clear" in fields,
            repeats="cooldown" in fields,
            rearm=str(fields.get("rearm", "edge")),
        )

    sweeps: dict[str, Sweep] = {}
    newest = LONG_AGO
    for offset, sent in enumerate(stream):
        for sweep in sweeps.values():
            sweep.catch_up(newest)
        if sent.key not in sweeps:
            sweeps[sent.key] = begin()
            sweeps[sent.key].position = max(min(sent.time - 1, newest), -1)
        sweeps[sent.key].admit((sent.time, offset, sent.value))
        newest = max(newest, sent.time)
    for sweep in sweeps.values():
        sweep.catch_up(1_000)
    return sorted((key, *hit) for key, sweep in sweeps.items() for hit in sweep.hits)


@settings(max_examples=200)
@given(
    name=st.sampled_from(sorted(QUESTIONS)),
    manner=st.sampled_from(sorted(MANNERS)),
    stream=st.lists(SENT, max_size=12),
    reloads=st.frozensets(st.integers(0, 12), max_size=2),
)
def test_hits_are_those_of_a_sweep_over_the_whole_history(
    name: str, manner: str, stream: list[Sent], reloads: frozenset[int]
) -> None:
    fields: Fields = {"measure": "count", **QUESTIONS[name], **MANNERS[manner]}
    stream = sorted(stream, key=lambda sent: sent.time)
    hits = Player(plan(fields), reloads=reloads).play(stream)

    told = [
        (hit.key, str(hit.kind), hit.time_ms, hit.is_repeat, hit.bindings[0][1]) for hit in hits
    ]
    assert sorted(told) == naive_hits(fields, stream)


@settings(max_examples=200)
@given(
    name=st.sampled_from(sorted(QUESTIONS)),
    manner=st.sampled_from(sorted(MANNERS)),
    stream=st.lists(SENT, max_size=14),
    ticks=st.lists(st.integers(0, 60), max_size=8).map(sorted),
    reloads=st.frozensets(st.integers(0, 14), max_size=3),
)
def test_ticks_and_reloads_change_nothing(
    name: str, manner: str, stream: list[Sent], ticks: list[int], reloads: frozenset[int]
) -> None:
    compiled = plan({"measure": "count", **QUESTIONS[name], **MANNERS[manner]})
    plain = Player(compiled).play(stream)

    assert Player(compiled, ticks=ticks, reloads=reloads).play(stream) == plain


@pytest.mark.parametrize("name", ["avg >", "p90 >", "last >", "count <", "count ==", "avg <"])
@settings(max_examples=40)
@given(
    stream=st.lists(
        st.builds(Sent, time=st.integers(0, 45), value=st.integers(-1, 6)),
        max_size=14,
        unique_by=lambda sent: sent.time,
    ),
    shift=st.lists(st.integers(0, 8), min_size=14, max_size=14),
)
def test_behind_a_watermark_the_order_of_arrival_does_not_matter(
    name: str, stream: list[Sent], shift: list[int]
) -> None:
    compiled = plan({"measure": "count", **QUESTIONS[name]})
    in_order = sorted(stream, key=lambda sent: sent.time)
    late = [sent.time + more for sent, more in zip(in_order, shift, strict=False)]
    shuffled = [sent for _, sent in sorted(zip(late, in_order, strict=True), key=lambda e: e[0])]

    expected = times(Player(compiled, delay=10).play(in_order))
    assert times(Player(compiled, delay=10).play(shuffled)) == expected


def test_what_is_remembered_is_read_back() -> None:
    compiled = plan({**AVERAGE, "notify_clear": True})
    player = Player(compiled)
    player.play(values((0, 6), (4, 7)), until=4)
    again = reloaded(player.operator, compiled)

    assert again.describe("a") == player.operator.describe("a")
    assert again.describe("a") == {
        "value": 6.5,
        "event_count": 2,
        "position_ms": 4,
        "is_active": True,
        "holds_since_ms": 0,
    }
    assert again.deadline() == 10

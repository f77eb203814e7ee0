"""Conditions that events can only bring nearer, against all stretches of their truth."""

import random
from collections import Counter
from itertools import pairwise
from operator import itemgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.pattern.threshold.naive import Question, early_hits
from tests.core.pattern.threshold.streams import (
    LONG_AGO,
    Fields,
    Player,
    Sent,
    arrival,
    at,
    plan,
    play,
)
from tests.core.pattern.threshold.streams import times_of as times

MINUTE = 60_000
SIZE = 10


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(at(0, 1), [], id="two events are not three"),
        pytest.param(at(0, 1, 2), [2], id="the event that crosses the number matches"),
        pytest.param(at(0, 1, 10), [], id="an event leaves the window exactly after its length"),
        pytest.param(at(0, 1, 9), [9], id="a moment before it is still inside"),
        pytest.param(at(0, 1, 2, 3, 4), [2], id="a condition that stays true matches once"),
        pytest.param(at(0, 1, 2, 10), [2], id="an event when the oldest leaves keeps it true"),
        pytest.param(at(0, 1, 2, 11), [2], id="true stretches that touch are one"),
        pytest.param(
            at(0, 1, 2, 13, 14), [2], id="events that leave make it false, but three must come"
        ),
        pytest.param(at(0, 1, 2, 13, 14, 15), [2, 15], id="false in between, it matches again"),
        pytest.param(at(5, 6, 4), [6], id="a late event makes it true where the third one is"),
        pytest.param(at(0, 20, 3, 5), [5], id="late events may complete a window of their own"),
        pytest.param(at(0, 12, 3, 5), [5, 12], id="a late event may complete two windows"),
        pytest.param(at(0, 1, 2, 3, 1), [2], id="a late event in a true stretch changes nothing"),
        pytest.param(at(0, 1, 2, 40, 41, 42, 12, 13, 11), [2, 42, 13], id="three may come late"),
        pytest.param(at(0, 0, 0), [0], id="three of one moment are three"),
    ],
)
def test_a_count_is_judged_on_arrival(stream: list[Sent], expected: list[int]) -> None:
    assert times(play(stream)) == expected


def test_one_late_event_can_make_two_matches() -> None:
    hits = play(at(0, 1, 12, 13, 5))

    assert [(hit.time_ms, hit.bindings) for hit in hits] == [
        (5, (("", (0, 1, 4)),)),
        (13, (("", (4, 2, 3)),)),
    ]


def test_what_a_late_event_joins_stays_two_matches() -> None:
    apart = at(0, 1, 2, 14, 15, 16)

    assert times(play([*apart, *at(6, 7, 8, 9)])) == [2, 16]


def test_a_match_tells_the_count_and_the_window() -> None:
    [hit] = play(at(3, 4, 5), {"max_events": 2})

    assert hit.values == {"measure": "count", "value": 3, "operator": ">=", "threshold": 3}
    assert (hit.window, hit.bindings, hit.event_count) == ((-5, 5), (("", (1, 2)),), 3)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"rearm": "every"}, [(2, False), (3, False), (14, False)], id="every event"),
        pytest.param({"rearm": "reset"}, [(2, False), (14, False)], id="a match empties it"),
        pytest.param(
            {"cooldown": "1s"}, [(2, False), (3, True), (14, False)], id="a cooldown sees repeats"
        ),
        pytest.param({}, [(2, False), (14, False)], id="an edge"),
    ],
)
def test_when_it_matches_again(fields: Fields, expected: list[tuple[int, bool]]) -> None:
    hits = play(at(0, 1, 2, 3, 13, 12, 14), fields)

    assert [(hit.time_ms, hit.is_repeat) for hit in hits] == expected


def test_a_repeat_tells_all_events_of_the_window() -> None:
    hits = play(at(*range(8)), {"rearm": "every"})

    assert [hit.values["value"] for hit in hits] == [3, 4, 5, 6, 7, 8]
    assert hits[-1].bindings == (("", tuple(range(8))),)


MEASURES: dict[str, Fields] = {
    "count": {"measure": "count", "operator": ">=", "value": 3},
    "more than": {"measure": "count", "operator": ">", "value": 1.5},
    "one": {"measure": "count", "operator": ">=", "value": 1},
    "distinct": {"measure": "distinct", "operator": ">=", "value": 2, "of": "event.data.v"},
    "sum": {
        "measure": "sum", "operator": ">", "value": 7, "of": "event.data.v", "non_negative": True,
    },
    "max": {"measure": "max", "operator": ">=", "value": 4, "of": "event.data.v"},
    "min": {"measure": "min", "operator": "<", "value": 2, "of": "event.data.v"},
}  # fmt: skip
SENT = st.builds(Sent, time=st.integers(0, 45), value=st.integers(0, 5))


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=60)
@given(stream=st.lists(SENT, max_size=14), reloads=st.frozensets(st.integers(0, 14), max_size=3))
def test_hits_are_those_of_all_true_stretches(
    name: str, stream: list[Sent], reloads: frozenset[int]
) -> None:
    fields = MEASURES[name]
    question = Question(
        str(fields["measure"]), str(fields["operator"]), float(str(fields["value"])), SIZE
    )
    compiled = plan(fields)
    hits = Player(compiled, reloads=reloads).play(stream)

    expected = early_hits(question, stream)
    assert [(hit.time_ms, hit.bindings[0][1]) for hit in hits] == [each[1:] for each in expected]
    assert [hit.event_count for hit in hits] == [len(each[2]) for each in expected]


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=40)
@given(stream=st.lists(SENT, max_size=14), is_every=st.booleans())
def test_every_event_of_a_true_window_is_a_hit(
    name: str, stream: list[Sent], *, is_every: bool
) -> None:
    fields = MEASURES[name]
    question = Question(
        str(fields["measure"]), str(fields["operator"]), float(str(fields["value"])), SIZE
    )
    compiled = plan({**fields, **({"rearm": "every"} if is_every else {"cooldown": "1s"})})
    hits = Player(compiled).play(stream)

    begins = [(offset, begin, False) for offset, begin, _ in early_hits(question, stream)]
    known = [(sent.time, offset, sent.value) for offset, sent in enumerate(stream)]
    others = [
        (offset, sent.time, not is_every)
        for offset, sent in enumerate(stream)
        if question.holds(known[: offset + 1], sent.time)
        and (offset, sent.time, False) not in begins
    ]
    # What begins anew comes before the event that goes on.
    expected = [each[1:] for each in sorted([*begins, *others], key=itemgetter(0))]
    assert [(hit.time_ms, hit.is_repeat) for hit in hits] == expected


def bursts(seed: int, size: int) -> list[Sent]:
    """Return bursts of each key, shorter than the window and further apart than it."""
    draw = random.Random(seed)
    stream: list[Sent] = []
    for key in ("a", "b", "c"):
        now = 10**12
        for _ in range(12):
            now += 2 * size + draw.randrange(size)
            length = draw.randrange(1, size)
            stream += [Sent(now + draw.randrange(length), key) for _ in range(draw.randrange(9))]
            now += length
    return sorted(stream, key=lambda sent: sent.time)


@pytest.mark.parametrize("seed", range(20))
def test_clients_whose_clocks_differ_get_as_many_matches_as_a_sorted_stream(seed: int) -> None:
    """Times are shuffled within a minute; one client is fast, one is slow, one event of 2020."""
    draw = random.Random(seed)
    fields: Fields = {"window": "5m", "value": 4}
    in_order = bursts(seed, 5 * MINUTE)
    received: list[Sent] = []
    for sent in in_order:
        client = draw.choice(["good", "good", "fast", "slow"])
        late = {"good": 0, "fast": -4 * MINUTE, "slow": 10 * MINUTE}[client]
        arrives = sent.time + draw.randrange(MINUTE) + late
        received.append(Sent(sent.time, sent.key, received=max(arrives, 0)))
    received.append(Sent(1_577_836_800_000, "a", received=10**12 + 90 * MINUTE))
    received.sort(key=lambda sent: sent.received or 0)

    expected = Counter(hit.key for hit in play(in_order, fields))
    assert expected.total() > 10
    assert Counter(hit.key for hit in play(received, fields)) == expected


def test_of_a_busy_key_only_the_last_events_are_kept() -> None:
    operator = plan({"value": 5, "window": "1m"}).operator()
    for offset in range(2_000):
        operator.admit(arrival(Sent(offset), offset, offset - 1))

    state = operator.states()["known"].get("a")
    assert state is not None
    assert len(state.marks) // 2 <= 10


def test_of_an_old_key_nothing_older_than_a_late_event_could_reach_is_kept() -> None:
    operator = plan({"value": 5, "window": "1m"}).operator()
    for offset in range(200):
        now = offset * MINUTE
        operator.admit(arrival(Sent(now), offset, now - MINUTE))

    state = operator.states()["known"].get("a")
    assert state is not None
    assert len(state.marks) // 2 <= 18


def test_an_event_of_the_far_future_does_not_slow_down_what_comes_after_it() -> None:
    fields: Fields = {"measure": "distinct", "of": "event.data.v", "value": 3, "window": "10ms"}
    future = Sent(10**13, value=9, received=0)
    stream = [future, Sent(1, value=1), Sent(2, value=2), Sent(3, value=3)]

    assert times(play(stream, fields)) == [3]


def test_a_key_is_forgotten_after_its_time_and_for_lack_of_room() -> None:
    silent = [*at(0, 1), *at(40, key="b"), *at(41, key="b"), *at(2)]
    assert times(play(silent, {"limits": {"key_ttl": "20ms"}})) == []
    assert times(play(silent, {"limits": {"key_ttl": "90ms"}})) == [2]

    crowded = [*at(0, 1), *at(1, key="b"), *at(2)]
    player = Player(plan({"limits": {"max_keys": 1}}))
    assert player.play(crowded) == []
    assert player.operator.counts["keys_forgotten"] == 2


def test_values_that_are_no_numbers_take_no_part() -> None:
    stream = [Sent(0, value="7"), Sent(1, value=None), Sent(2, value=True), Sent(3, value=[9])]
    player = Player(plan({"measure": "max", "of": "event.data.v", "value": 1}))

    assert player.play(stream) == []
    assert player.operator.counts["without_value"] == 4


def test_equal_values_are_told_apart_as_keys_are() -> None:
    same = [Sent(0, value=1), Sent(1, value=1.0), Sent(2, value=1)]
    apart = [Sent(0, value=1), Sent(1, value="1"), Sent(2, value=True)]
    fields: Fields = {"measure": "distinct", "of": "event.data.v", "value": 2}

    assert times(play(same, fields)) == []
    assert times(play(apart, fields)) == [1]


def test_the_watermark_before_the_first_event_forgets_nothing() -> None:
    operator = plan().operator()
    hits = [operator.admit(arrival(sent, 0, LONG_AGO)) for sent in at(1, 2, 3)]

    assert [len(each) for each in hits] == [0, 0, 1]
    assert all(first <= second for first, second in pairwise(len(each) for each in hits))

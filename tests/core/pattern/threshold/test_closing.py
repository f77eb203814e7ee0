"""Windows that close, against all windows that there are."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.json_text import Json
from oncue.core.pattern.operator import Note
from oncue.core.pattern.threshold.silence import MAX_SILENT_WINDOWS, MAX_TOGETHER
from tests.core.pattern.threshold.naive_windows import Grids, Sessions, Told
from tests.core.pattern.threshold.streams import Fields, Player, Sent, arrival, at, plan, play
from tests.core.pattern.threshold.streams import times_of as times

TUMBLING: Final[dict[str, Json]] = {"window_type": "tumbling"}
HOPPING: Final[dict[str, Json]] = {"window_type": "hopping", "slide": "5ms"}
SESSION: Final[dict[str, Json]] = {"window_type": "session", "gap": "6ms", "window": None}


@pytest.mark.parametrize(
    ("fields", "stream", "expected"),
    [
        pytest.param(TUMBLING, at(0, 9, 9), [(0, 10)], id="three in one window"),
        pytest.param(TUMBLING, at(9, 9, 10), [], id="the end of a window is not inside"),
        pytest.param(TUMBLING, at(-3, -2, -1), [(-10, 0)], id="before 1970, too"),
        pytest.param(
            TUMBLING, at(0, 1, 2, 10, 11, 12), [(0, 10), (10, 20)], id="each window alone"
        ),
        pytest.param(
            TUMBLING | {"rearm": "edge"},
            at(0, 1, 2, 10, 11, 12),
            [(0, 10)],
            id="not if the one before held, where that is asked for",
        ),
        pytest.param(
            TUMBLING | {"rearm": "edge"},
            at(0, 1, 2, 20, 21, 22),
            [(0, 10), (20, 30)],
            id="nothing in between did not hold",
        ),
        pytest.param(
            HOPPING, at(3, 6, 8), [(0, 10)], id="three are in one of the overlapping windows"
        ),
        pytest.param(HOPPING, at(5, 6, 8), [(0, 10), (5, 15)], id="or in two"),
        pytest.param(
            SESSION, at(0, 5, 10), [(0, 16)], id="events nearer than the gap are together"
        ),
        pytest.param(SESSION, at(0, 6, 12), [], id="at the gap a session is over"),
        pytest.param(SESSION, at(0, 4, 9, 15), [(0, 15)], id="a session ends a gap after its last"),
        pytest.param(
            TUMBLING | {"operator": "==", "value": 1, "limits": {"key_ttl": "20ms"}},
            at(1, 12, 13),
            [(0, 10)],
            id="equal",
        ),
    ],
)
def test_windows(fields: Fields, stream: list[Sent], expected: list[tuple[int, int]]) -> None:
    assert [hit.window for hit in play(stream, fields)] == expected


def test_a_late_event_joins_two_sessions() -> None:
    hits = Player(plan(SESSION), delay=20).play(at(0, 8, 4))

    assert [(hit.window, hit.bindings[0][1]) for hit in hits] == [((0, 14), (0, 2, 1))]


def test_a_match_is_at_the_end_of_its_window_and_shows_the_first_events() -> None:
    [hit] = play(at(4, 2, 3, 1), {**TUMBLING, "max_events": 2})

    assert (hit.time_ms, hit.window, hit.bindings, hit.event_count) == (
        10, (0, 10), (("", (3, 1)),), 4,
    )  # fmt: skip
    assert hit.values == {"measure": "count", "value": 4, "operator": ">=", "threshold": 3}


def test_windows_come_in_the_order_of_end_and_key() -> None:
    stream = [Sent(time, key) for key in "cab" for time in (1, 1, 1, 12, 12, 12)]
    hits = Player(plan(TUMBLING), delay=100).play(stream)

    assert [(hit.time_ms, hit.key) for hit in hits] == [
        (end, key) for end in (10, 20) for key in "abc"
    ]


def test_an_event_of_a_closed_window_is_late() -> None:
    player = Player(plan({**TUMBLING, "value": 1}))
    hits = player.play([Sent(1), Sent(10, "b"), Sent(9), Sent(15)])

    assert [(hit.key, hit.window, hit.event_count) for hit in hits] == [
        ("a", (0, 10), 1), ("a", (10, 20), 1), ("b", (10, 20), 1),
    ]  # fmt: skip
    assert player.operator.counts["late"] == 1
    player.operator.admit(arrival(Sent(3), 9, 10))
    assert player.operator.last_note is Note.LATE


def test_a_corrected_window_is_emitted_again_while_it_is_kept() -> None:
    amend: dict[str, Json] = {"late": {"allowed": "5ms", "action": "amend"}}
    stream = [Sent(1), Sent(2), Sent(10, "b"), Sent(3), Sent(4), Sent(15, "b"), Sent(5)]
    player = Player(plan({**TUMBLING, **amend}))
    hits = player.play(stream)

    assert [(hit.revision, hit.values["value"], hit.values.get("holds")) for hit in hits] == [
        (1, 3, True),
        (2, 4, True),
    ]
    assert player.operator.counts["late"] == 1


def test_a_correction_may_say_that_a_window_holds_no_longer() -> None:
    fields: Fields = {
        **TUMBLING, "operator": "==", "value": 1, "late": {"allowed": "5ms", "action": "amend"},
    }  # fmt: skip
    hits = play([Sent(1), Sent(10, "b"), Sent(2), Sent(3)], fields)

    assert [(hit.revision, hit.values["value"], hit.values.get("holds")) for hit in hits] == [
        (0, 1, None),
        (1, 2, False),
        (0, 1, None),
    ]


def test_an_empty_window_that_was_told_is_corrected_by_a_late_event() -> None:
    fields: Fields = {
        **TUMBLING, "operator": "<", "value": 1, "late": {"allowed": "9ms", "action": "amend"},
        "limits": {"key_ttl": "100ms"},
    }  # fmt: skip
    player = Player(plan(fields))
    hits = player.play([Sent(1), Sent(21, "b"), Sent(15)], until=22)

    assert [(hit.window, hit.revision, hit.values.get("holds")) for hit in hits] == [
        ((10, 20), 0, None),
        ((10, 20), 1, False),
    ]


def test_empty_windows_exist_for_declared_keys_from_the_first_whole_one_on() -> None:
    compiled = plan({**TUMBLING, "operator": "<", "value": 1, "keys": ["a"]})
    hits = Player(compiled, begin=13, keys=["a"]).play([Sent(35), Sent(60, "b")], until=60)

    assert [(hit.key, hit.window) for hit in hits] == [
        ("a", (20, 30)), ("a", (40, 50)), ("a", (50, 60)),
    ]  # fmt: skip


def test_empty_windows_of_other_keys_exist_until_the_key_is_forgotten() -> None:
    fields: Fields = {
        **TUMBLING, "operator": "<=", "value": 0, "limits": {"key_ttl": "35ms"},
    }  # fmt: skip

    assert times(play(at(5), fields)) == [20, 30, 40]


def test_of_a_long_silence_only_so_many_windows_are_told() -> None:
    compiled = plan({**TUMBLING, "window": "1s", "operator": "<", "value": 1, "keys": ["a"]})
    player = Player(compiled, begin=0, keys=["a"])
    hits = player.play([], until=30 * 86_400_000)

    assert len(hits) == MAX_SILENT_WINDOWS
    assert player.operator.counts["silences_cut"] == 1
    assert player.operator.deadline() is None


def test_of_many_silent_keys_fewer_windows_are_told_of_each() -> None:
    keys: list[Json] = [f"k{number}" for number in range(MAX_TOGETHER // MAX_SILENT_WINDOWS * 50)]
    fields: Fields = {**TUMBLING, "window": "1s", "operator": "<", "value": 1, "keys": keys}
    player = Player(plan(fields), begin=0, keys=[f"k{number}" for number in range(len(keys))])
    hits = player.play([], until=86_400_000)

    assert len(hits) == MAX_TOGETHER
    assert player.operator.counts["silences_cut"] == len(keys)


def test_a_long_silence_costs_nothing_where_nothing_can_match() -> None:
    player = Player(plan({**TUMBLING, "window": "1s"}))
    player.play(at(0))

    assert player.operator.deadline() is None
    assert len(player.operator.states()["known"]) == 0


MEASURED: dict[str, Fields] = {
    "count": {"measure": "count", "operator": ">=", "value": 2},
    "few": {"measure": "count", "operator": "<", "value": 2},
    "distinct": {"measure": "distinct", "operator": "==", "value": 2},
    "sum": {"measure": "sum", "operator": ">", "value": 4},
    "none": {"measure": "sum", "operator": "<=", "value": 0},
    "avg": {"measure": "avg", "operator": ">", "value": 2},
    "min": {"measure": "min", "operator": "<", "value": 2},
    "max": {"measure": "max", "operator": "!=", "value": 3},
    "rate": {"measure": "rate", "operator": ">=", "value": 0.2, "per": "1ms"},
    "last": {"measure": "last", "operator": ">", "value": 2},
    "p75": {"measure": "p75", "operator": ">=", "value": 3},
}
SENT = st.builds(Sent, time=st.integers(0, 50), key=st.sampled_from("ab"), value=st.integers(-1, 6))


TTL: Final = 25
AMEND: Final[dict[str, Json]] = {"late": {"allowed": "7ms", "action": "amend"}}
SHAPES: dict[str, Fields] = {
    "tumbling": TUMBLING,
    "hopping": HOPPING,
    "uneven": {"window_type": "hopping", "slide": "4ms"},
    "session": SESSION,
    "tumbling, amended": TUMBLING | AMEND,
    "hopping, amended": HOPPING | AMEND,
    "session, amended": SESSION | AMEND,
}


def naive_rows(fields: Fields, stream: list[Sent], delay: int) -> list[Told]:
    allowed = 7 if "late" in fields else 0
    slide = int(str(fields.get("slide", "10ms")).removesuffix("ms"))
    kind = Sessions if "gap" in fields else Grids
    windows = kind(fields, slide=slide, allowed=allowed, ttl=TTL)
    return windows.play(stream, delay)


@settings(max_examples=250)
@given(
    name=st.sampled_from(sorted(MEASURED)),
    shape=st.sampled_from(sorted(SHAPES)),
    stream=st.lists(SENT, max_size=12),
    delay=st.sampled_from([0, 0, 8]),
    ticks=st.lists(st.integers(0, 60), max_size=6).map(sorted),
    reloads=st.frozensets(st.integers(0, 12), max_size=2),
)
def test_rows_are_those_of_all_windows(
    name: str,
    shape: str,
    stream: list[Sent],
    delay: int,
    ticks: list[int],
    reloads: frozenset[int],
) -> None:
    fields: dict[str, Json] = {**MEASURED[name], **SHAPES[shape], "limits": {"key_ttl": f"{TTL}ms"}}
    if fields["measure"] not in ("count", "rate"):
        fields["of"] = "event.data.v"
    player = Player(plan(fields), delay=delay, ticks=ticks, reloads=reloads)
    hits = player.play(stream)

    told = [
        (
            hit.key,
            hit.window,
            hit.event_count,
            hit.bindings[0][1],
            hit.revision,
            hit.values.get("holds", True),
        )
        for hit in hits
    ]
    assert told == naive_rows(fields, stream, delay)

"""Steps in any order: each by an event of its own, as many as are needed."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncue.core.json_text import Json
from oncue.core.pattern.sequence.assignment import assign
from tests.core.pattern.sequence.driving import (
    Found,
    compiled,
    drive,
    make_events,
    make_sequence,
    run,
)
from tests.make import make_event


def unordered(*steps: Json, **changes: Json) -> dict[str, Json]:
    return make_sequence(*steps, ordered=False, **changes)


@pytest.mark.parametrize(
    ("document", "events", "expected"),
    [
        pytest.param(
            unordered("a", "b", "c"),
            "cxab",
            [("matched", 300, {"a": [2], "b": [3], "c": [0]})],
            id="all steps in any order",
        ),
        pytest.param(
            unordered("a", "b", within="200ms"),
            "axb",
            [],
            id="all within the time, not with its end",
        ),
        pytest.param(
            unordered("a", "b", within="200ms"),
            "axab",
            [("matched", 300, {"a": [2], "b": [3]})],
            id="the time slides",
        ),
        pytest.param(
            unordered("a1", "a2"),
            "aaa",
            [("matched", 100, {"a1": [0], "a2": [1]})],
            id="each step has an event of its own, which a match consumes",
        ),
        pytest.param(
            unordered("a", "b"),
            "aabb",
            [
                ("matched", 200, {"a": [0], "b": [2]}),
                ("matched", 300, {"a": [1], "b": [3]}),
            ],
            id="what a match left serves the next one, the earliest event first",
        ),
        pytest.param(
            unordered("a", "b", "c", at_least=2),
            "acb",
            [("matched", 100, {"a": [0], "c": [1]})],
            id="some of the steps may do",
        ),
        pytest.param(
            unordered({"as": "any", "event": ["a", "b"]}, "a"),
            "ab",
            [("matched", 100, {"any": [1], "a": [0]})],
            id="events are given to steps so that most are served",
        ),
    ],
)
def test_what_steps_in_any_order_find(
    document: dict[str, Json], events: str, expected: list[Found]
) -> None:
    assert run(document, make_events(events)) == expected


def test_an_event_that_comes_late_counts_with_what_is_still_kept() -> None:
    events = [
        make_event(offset=offset, type=letter, time_ms=at_ms, subject="")
        for offset, (letter, at_ms) in enumerate([("a", 900), ("c", 2_500), ("b", 1_600)])
    ]
    three: list[Json] = ["a", "b", "c"]

    assert run(unordered(*three, at_least=2), events) == [("matched", 1_600, {"b": [2], "c": [1]})]


def test_people_are_told_what_is_missing() -> None:
    sequence = compiled(unordered("a", "b", "c"))
    operator = sequence.operator()
    list(drive(operator, sequence, make_events("xcx")))

    assert operator.describe("") == {
        "events": 1,
        "nearest": {
            "text": "1 of 3 steps; waiting for 'a' and 'b' until 1970-01-01T00:00:01.100Z",
            "waiting_for": ["a", "b"],
            "until": "1970-01-01T00:00:01.100Z",
        },
    }


def by_trial(events: Sequence[int], steps: int) -> dict[int, int]:
    """Return the best of all ways to give events to steps."""
    ways = [
        {step: place for step, place in enumerate(order) if place is not None}
        for order in permutations([*range(len(events)), *[None] * steps], steps)
    ]
    fitting = [way for way in ways if all(events[place] >> step & 1 for step, place in way.items())]
    return min(fitting, key=lambda way: (-len(way), list(way), list(way.values())))


@settings(max_examples=200)
@given(st.lists(st.integers(0, 7), max_size=5))
def test_the_assignment_is_the_best_of_all(events: list[int]) -> None:
    assert assign(events, 3) == by_trial(events, 3)

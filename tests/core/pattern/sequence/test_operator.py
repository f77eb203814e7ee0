"""What a sequence finds in a few events, sentence by sentence."""

import pytest

from oncue.core.json_text import Json
from tests.core.pattern.sequence.driving import Found, make_events, make_sequence, run

B_REPEATS: Json = {"as": "b", "event": "b", "times": {"min": 1}}
NOT_B: Json = {"as": "b", "event": "b", "not": True}


@pytest.mark.parametrize(
    ("document", "events", "expected"),
    [
        pytest.param(
            make_sequence("a", "b", "c"),
            "axbc",
            [("matched", 300, {"a": [0], "b": [2], "c": [3]})],
            id="steps follow each other with others between",
        ),
        pytest.param(
            make_sequence("a", "b"),
            "aab",
            [("matched", 200, {"a": [0], "b": [2]})],
            id="while a start is open no other begins",
        ),
        pytest.param(
            make_sequence("a", "b", overlap="each", after_match="no_skip"),
            "aab",
            [
                ("matched", 200, {"a": [0], "b": [2]}),
                ("matched", 200, {"a": [1], "b": [2]}),
            ],
            id="each start has its own match, in the order of starts",
        ),
        pytest.param(
            make_sequence("a", "b", overlap="each"),
            "aab",
            [("matched", 200, {"a": [0], "b": [2]})],
            id="a match drops what began before its last event",
        ),
        pytest.param(
            make_sequence("a", "b", overlap="last"),
            "aab",
            [("matched", 200, {"a": [1], "b": [2]})],
            id="a new start replaces the open one",
        ),
        pytest.param(
            make_sequence("a", "b", within="200ms"),
            "axb",
            [],
            id="the last event comes before the time is over, not with its end",
        ),
        pytest.param(
            make_sequence("a", NOT_B),
            "aa",
            [("absent", 1000, {"a": [0]}), ("absent", 1100, {"a": [1]})],
            id="each start has its own absence",
        ),
        pytest.param(
            make_sequence("a", NOT_B),
            "ab",
            [],
            id="what comes is not absent",
        ),
        pytest.param(
            make_sequence("a", NOT_B, within="100ms"),
            "ab",
            [("absent", 100, {"a": [0]})],
            id="what comes with the deadline does not cancel it",
        ),
        pytest.param(
            make_sequence("a", NOT_B, overlap="last"),
            "aaa",
            [("absent", 1200, {"a": [2]})],
            id="a dead man's switch waits from the last event on",
        ),
        pytest.param(
            make_sequence("a", B_REPEATS),
            "abb",
            [("matched", 1000, {"a": [0], "b": [1, 2]})],
            id="a last step that repeats completes with the deadline",
        ),
        pytest.param(
            make_sequence("a", B_REPEATS, "c"),
            "abbc",
            [("matched", 300, {"a": [0], "b": [1, 2], "c": [3]})],
            id="a step that repeats takes all it can",
        ),
    ],
)
def test_what_a_sequence_finds(
    document: dict[str, Json], events: str, expected: list[Found]
) -> None:
    assert run(document, make_events(events)) == expected

"""Which fields of a sequence do not fit together, and where that is."""

import pytest

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.sequence import SequencePattern
from oncue.core.pattern.sequence.compiled import compile_sequence

A: dict[str, Json] = {"as": "a", "event": "a"}
B: dict[str, Json] = {"as": "b", "event": "b"}


def sequence(*steps: Json, **changes: Json) -> SequencePattern:
    document = {"type": "sequence", "steps": list(steps), "within": "1h", **changes}
    return SequencePattern.model_validate(document)


def problems(pattern: SequencePattern) -> list[str]:
    """Return the places and messages of what is wrong, from the pattern on."""
    try:
        compile_sequence(pattern, "pattern")
    except InvalidInput as exc:
        return [f"{each.path.removeprefix('pattern.')}: {each.message}" for each in exc.problems]
    return []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(
            sequence(A, {**B, "as": "a"}),
            ["steps[1].as: expected a name of its own, got 'a' as at pattern.steps[0]"],
            id="a name given twice",
        ),
        pytest.param(
            sequence({"event": "a"}, {**B, "as": "step1"}),
            ["steps[1].as: expected a name of its own, got 'step1' as at pattern.steps[0]"],
            id="a name that an unnamed step has",
        ),
        pytest.param(
            sequence(A, {"as": "b"}),
            ["steps[1]: expected one of 'event', 'all' and 'any', got none of them"],
            id="a step that is nothing",
        ),
        pytest.param(
            sequence(A, {"event": "b", "all": [B, {"event": "c"}]}),
            ["steps[1]: expected one of 'event', 'all' and 'any', got 'event' and 'all'"],
            id="a step that is two things",
        ),
        pytest.param(
            sequence(A, {**B, "not": True, "times": 2, "optional": True, "greedy": True}),
            [
                f"steps[1].{name}: expected a step that comes, got 'not'"
                for name in ("times", "optional", "greedy")
            ],
            id="repetitions of what stays away",
        ),
        pytest.param(
            sequence(A, {**B, "times": {"min": 3, "max": 2}}),
            ["steps[1].times: expected 'max' of at least 3, got 2"],
            id="more at least than at most",
        ),
        pytest.param(
            sequence(A, {**B, "until": "event.data.x"}),
            ["steps[1].until: expected it where 'times' has no 'max'"],
            id="until without repetitions",
        ),
        pytest.param(
            sequence(A, {**B, "greedy": True}),
            ["steps[1].greedy: expected a step that repeats or is optional"],
            id="greed for one event",
        ),
        pytest.param(
            sequence(A, {**B, "greedy": True, "times": {"contiguity": "any"}}),
            ["steps[1].greedy: expected no 'any' between the repetitions"],
            id="greed for every combination",
        ),
        pytest.param(
            sequence({**A, "not": True}, {**B, "not": True}),
            ["steps: expected a step that comes, or one that stays away alone"],
            id="nothing that comes",
        ),
        pytest.param(
            sequence({**A, "optional": True}, {**B, "not": True}, {"event": "c"}),
            ["steps[1]: expected no optional step right before 'not'"],
            id="an absence after what may be missing",
        ),
        pytest.param(
            sequence({**A, "not": True}, overlap="each"),
            ["overlap: expected 'first' or none: silence would match for ever"],
            id="silence without end",
        ),
        pytest.param(
            sequence(A, {**B, "within": "2h"}),
            ["steps[1].within: expected at most the time of the whole sequence"],
            id="a step longer than the whole",
        ),
        pytest.param(
            sequence(A, B, after_match={"skip_to_first": "bb"}),
            [
                "after_match: expected the name of a step that takes an event, "
                "got 'bb'; did you mean 'b'?"
            ],
            id="a skip to nowhere",
        ),
        pytest.param(
            sequence(A, {**B, "not": True}, after_match={"skip_to_last": "b"}),
            ["after_match: expected the name of a step that takes an event, got 'b'"],
            id="a skip to what stays away",
        ),
        pytest.param(
            sequence(A, B, at_least=1),
            ["at_least: expected it with 'ordered: false' alone"],
            id="some of ordered steps",
        ),
        pytest.param(
            sequence(A, B, emit_all=True, overlap="last"),
            ["overlap: expected 'each' with 'emit_all', got 'last'"],
            id="every combination of the last start",
        ),
        pytest.param(
            sequence({**A, "not": True}, B, emit_all=True),
            ["steps[0]: expected a step that comes first with 'emit_all'"],
            id="every combination of silence",
        ),
        pytest.param(
            sequence(A, {**B, "not": True}, emit="early"),
            [
                "emit: expected 'final': an event that comes late could take this match back, "
                "got 'early'"
            ],
            id="an early absence",
        ),
        pytest.param(
            sequence(A, B, keys=["x"]),
            ["keys: expected 'by' beside declared keys, got none"],
            id="declared keys of no key",
        ),
        pytest.param(
            sequence(
                A,
                B,
                ordered=False,
                at_least=3,
                overlap="first",
                emit_all=True,
                scope="all",
                contiguity="strict",
                on_timeout="emit",
                after_match="no_skip",
            ),
            [
                *(
                    f"{name}: expected it with ordered steps alone"
                    for name in (
                        "after_match",
                        "overlap",
                        "emit_all",
                        "contiguity",
                        "scope",
                        "on_timeout",
                    )
                ),
                "at_least: expected at most the 2 steps, got 3",
            ],
            id="order where there is none",
        ),
        pytest.param(
            sequence(A, {**B, "not": True, "within": "1m"}, ordered=False),
            [
                "steps[1].not: expected it with ordered steps alone",
                "steps[1].within: expected it with ordered steps alone",
            ],
            id="an absence without order",
        ),
        pytest.param(
            sequence(A, {"any": [B, {"event": "c", "not": True}]}),
            ["steps[1].any: expected 'within' beside 'not': after it the step is met"],
            id="an absence that is never met",
        ),
        pytest.param(
            sequence(A, {"all": [{**B, "not": True}, {"event": "c", "not": True}]}),
            ["steps[1].all: expected a step that comes, or 'within' beside 'not'"],
            id="a group of nothing that comes",
        ),
        pytest.param(
            sequence(A, {"all": [{**B, "times": 2}, {"event": "c", "within": "1m"}], "until": "1"}),
            [
                "steps[1].until: expected it on the steps of the group, not on the group",
                "steps[1].all[0].times: expected a plain step inside of a group",
                "steps[1].all[1].within: expected it on the group, or beside 'not'",
            ],
            id="repetitions inside of a group",
        ),
        pytest.param(
            sequence(A, {"all": [B, {"any": [{"event": "c"}, {"event": "d"}]}]}),
            ["steps[1].all[1].any: expected a plain step inside of a group"],
            id="a group inside of a group",
        ),
    ],
)
def test_what_does_not_fit(pattern: SequencePattern, expected: list[str]) -> None:
    assert problems(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        (sequence(A, {**B, "where": "c.data.x > 1"}), "steps[1].where"),
        (sequence({**A, "where": "b.data.x > 1"}, B), "steps[0].where"),
        (sequence(A, {**B, "where": "b.data.x > 1"}), "steps[1].where"),
        (sequence(A, {"all": [B, {"event": "c", "where": "b.data.x > 1"}]}), "steps[1].all[1].where"),
        (sequence(A, B, ordered=False, at_least=1), ""),
        (sequence(A, {**B, "conditions": {"x": [{"odd": 1}]}}), "steps[1].conditions"),
        (sequence(A, {**B, "times": {"min": 1}, "until": "1 +"}), "steps[1].until"),
    ],
)  # fmt: skip
def test_expressions_name_earlier_steps_alone(pattern: SequencePattern, place: str) -> None:
    found = {text.partition(": ")[0].partition(".x")[0] for text in problems(pattern)}

    assert found == ({place} if place else set())


@pytest.mark.parametrize(
    ("pattern", "is_early"),
    [
        (sequence(A, B), True),
        (sequence({**A, "times": 2}, B), True),
        (sequence(A, B, ordered=False), True),
        (sequence(A, {**B, "times": 2}), False),
        (sequence(A, {**B, "optional": True}), False),
        (sequence(A, {**B, "contiguity": "strict"}), False),
        (sequence(A, B, contiguity="strict"), False),
        (sequence(A, {**B, "not": True}, {"event": "c"}), False),
        (sequence(A, {"all": [{**B, "not": True}, {"event": "c"}]}), False),
        (sequence({**A, "times": {"min": 2, "contiguity": "strict"}}, B), False),
    ],
)
def test_what_may_match_on_arrival(pattern: SequencePattern, is_early: bool) -> None:  # noqa: FBT001 a column of the table
    assert compile_sequence(pattern, "pattern").is_early is is_early


@pytest.mark.parametrize(
    ("pattern", "overlap"),
    [
        (sequence(A, B), "first"),
        (sequence(A, {**B, "not": True}), "each"),
        (sequence({**A, "not": True}), "first"),
        (sequence(A, {"any": [B, {"event": "c", "not": True, "within": "1m"}]}), "each"),
        (sequence(A, {**B, "not": True}, overlap="last"), "last"),
    ],
)
def test_what_a_first_event_does_while_another_one_waits(
    pattern: SequencePattern, overlap: str
) -> None:
    assert pattern.chosen_overlap == overlap


def test_steps_have_names_and_places() -> None:
    compiled = compile_sequence(
        sequence({"event": "a"}, {"any": [B, {"event": ["c", "d.*"]}]}), "pattern"
    )

    assert compiled.names == ("step1", "b", "step3")
    assert compiled.paths == (
        "pattern.steps[0]",
        "pattern.steps[1].any[0]",
        "pattern.steps[1].any[1]",
    )
    assert [selector.globs for selector in compiled.selectors] == [("a",), ("b",), ("c", "d.*")]

"""Bad workflows: every problem at once, each with its path and the nearest right thing."""

import pytest

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.workflow.parse import parse_workflow
from tests.installation import LIBRARY
from tests.make import make_call, make_document


def _problems(document: Json, max_steps: int = 100) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        parse_workflow(document, LIBRARY, max_steps=max_steps)
    return {problem.path: problem.message for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("document", "path", "part"),
    [
        pytest.param([], "", "expected", id="a list"),
        pytest.param(make_document(name="Greet"), "name", "got 'Greet'", id="an upper-case name"),
        pytest.param(make_document(name="test"), "name", "not reserved", id="a reserved name"),
        pytest.param(make_document(name=5), "name", "got 5", id="a number for a name"),
        pytest.param(make_document(stepz=[]), "stepz", "did you mean 'steps'?", id="a slip"),
        pytest.param(make_document(steps=[]), "steps", "at least 1", id="no steps"),
        pytest.param(make_document(on={"type": "evnt"}), "on.type", "'event'", id="a trigger type"),
        pytest.param(
            make_document(on={"type": "event", "event": "a b"}), "on.event", "got 'a b'", id="glob"
        ),
        pytest.param(
            make_document(on={"type": "event", "event": "a", "where": "evnt.data.x == 1"}),
            "on.where",
            "event",
            id="an unknown root in where",
        ),
        pytest.param(
            make_document(on=[{"type": "event", "event": "a"}, {"type": "event"}]),
            "on[1].event",
            "got none",
            id="a trigger without a type",
        ),
        pytest.param(
            make_document(**{"if": "connectd.slack"}),
            "if",
            "did you mean 'connected'?",
            id="a condition of the workflow that means nothing",
        ),
        pytest.param(
            make_document(steps=[{"id": "a", "type": "emit_event", "event": {"data": 1}}]),
            "steps[0]",
            "expected an event with a 'type', got data",
            id="an event without a type",
        ),
        pytest.param(
            make_document(steps=[{"id": "a", "type": "acton"}]),
            "steps[0].type",
            "did you mean 'action'?",
            id="an unknown step type",
        ),
        pytest.param(
            make_document(steps=[make_call("a", action="noet")]),
            "steps[0].action",
            "did you mean 'note'?",
            id="an unknown action",
        ),
        pytest.param(
            make_document(steps=[make_call("a", **{"with": {"txt": "x", "text": "y"}})]),
            "steps[0].with.txt",
            "did you mean 'text'?",
            id="an unknown field of an action",
        ),
        pytest.param(
            make_document(steps=[make_call("a", **{"with": {}})]),
            "steps[0].with.text",
            "got none",
            id="an action without what it needs",
        ),
        pytest.param(
            make_document(steps=[make_call("a", **{"with": {"text": 5}})]),
            "steps[0].with.text",
            "got 5",
            id="a number for a text",
        ),
        pytest.param(
            make_document(steps=[make_call("a", **{"with": {"text": "{{ steps.b.output + }}"}})]),
            "steps[0].with.text",
            "^",
            id="a template that does not parse",
        ),
        pytest.param(
            make_document(steps=[{"id": "a", "type": "delay", "for": "tomorrow"}]),
            "steps[0].for",
            "expected a duration such as '24h', got 'tomorrow'",
            id="no duration",
        ),
        pytest.param(
            make_document(steps=[{"id": "a", "type": "delay"}]), "steps[0]", "got none", id="neither"
        ),
        pytest.param(
            make_document(steps=[{"id": "a", "type": "delay", "for": "1h", "until": "x"}]),
            "steps[0]",
            "got both",
            id="both for and until",
        ),
        pytest.param(
            make_document(steps=[{"id": "a", "type": "transform"}]), "steps[0]", "got none", id="pure"
        ),
        pytest.param(
            make_document(steps=[make_call("a"), make_call("a")]),
            "steps[1].id",
            "an id of its own, got 'a'",
            id="the same id twice",
        ),
        pytest.param(
            make_document(steps=[make_call("a", retry={"attempts": 0})]),
            "steps[0].retry.attempts",
            "got 0",
            id="no attempts",
        ),
    ],
)  # fmt: skip
def test_a_bad_workflow_is_refused_with_the_place(document: Json, path: str, part: str) -> None:
    problems = _problems(document)

    assert path in problems
    assert part in problems[path]


def test_all_problems_come_at_once() -> None:
    document = make_document(
        steps=[
            make_call("a", action="noet", **{"with": {"text": "{{ evnt }}"}}),
            {"id": "b", "type": "delay", "for": "tomorrow"},
            make_call("c", **{"with": {"text": "{{ nope }}"}}),
        ]
    )

    assert set(_problems(document)) == {
        "steps[0].action",
        "steps[0].with.text",
        "steps[1].for",
        "steps[2].with.text",
    }


def test_a_wrong_shape_hides_neither_delays_nor_ids() -> None:
    document = make_document(
        steps=[
            {"type": "stop"},
            {"id": "a", "type": "delay", "for": "tomorrow"},
            {"id": "b", "type": "delay", "until": "{{ input.at }}"},
            {
                "id": "c",
                "type": "parallel",
                "branches": {"left": [make_call("a")], "right": [make_call("d")]},
            },
            {
                "id": "e",
                "type": "condition",
                "cases": [{"if": "true", "steps": [make_call("d")]}],
                "default": [make_call("f", **{"with": {"type": "text", "id": "a", "text": "x"}})],
            },
        ],
        on_failure=[make_call("f")],
    )

    assert set(_problems(document)) == {
        "steps[0].id",
        "steps[1].for",
        "steps[3].branches.left[0].id",
        "steps[4].cases[0].steps[0].id",
        "on_failure[0].id",
    }


def test_a_wrong_shape_hides_no_wrong_expression() -> None:
    wrong: dict[str, Json] = {"action": "noet", "if": "1 +", "with": {"text": ["{{ nope }}"]}}
    document = make_document(
        name="Bad Name",
        on=[{"type": "event", "event": "a", "where": "evnt.x"}],
        steps=[
            {"id": "a", "type": "delay"},
            make_call("b", **wrong),
            {
                "id": "c",
                "type": "loop",
                "as": "row",
                "for_each": "{{ input }}",
                "steps": [make_call("d", **{"with": {"text": "{{ row }} {{ rwo }}"}})],
            },
        ],
    )

    assert set(_problems(document)) == {
        "name",
        "on[0].where",
        "steps[0]",
        "steps[1].action",
        "steps[1].if",
        "steps[1].with.text[0]",
        "steps[2].steps[0].with.text",
    }


def test_more_steps_than_allowed_are_refused() -> None:
    document = make_document(steps=[make_call("a"), make_call("b")])

    assert _problems(document, max_steps=1) == {"steps": "expected at most 1 steps, got 2"}


def test_a_template_may_give_what_a_literal_may_not() -> None:
    document = make_document(steps=[make_call("a", **{"with": {"text": "{{ event.data }}"}})])

    assert parse_workflow(document, LIBRARY, max_steps=100).plan.steps[0].id == "a"


def test_what_is_stored_is_what_was_written() -> None:
    document = make_document(steps=[make_call("a"), {"id": "w", "type": "delay", "for": "24h"}])

    parsed = parse_workflow(document, LIBRARY, max_steps=100)

    assert parsed.document == document
    assert parse_workflow(parsed.document, LIBRARY, max_steps=100).document == document


_SIGNUP: Json = {"type": "event", "event": "user.signup", "cooldown": "10m"}
_COUNTED: Json = {"type": "threshold", "event": "login.failed", "value": 5, "window": "5m"}


@pytest.mark.parametrize(
    ("document", "triggers"),
    [
        pytest.param({}, [], id="nothing starts it"),
        pytest.param({"on": _COUNTED}, [_COUNTED], id="one trigger"),
        pytest.param({"on": [_COUNTED, _SIGNUP]}, [_COUNTED, _SIGNUP], id="a list"),
    ],
)
def test_triggers_are_kept_as_written(document: dict[str, Json], triggers: list[Json]) -> None:
    given = {name: value for name, value in make_document().items() if name != "on"} | document

    assert list(parse_workflow(given, LIBRARY, max_steps=100).triggers) == triggers

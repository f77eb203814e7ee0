"""What a threshold may say, and what does not fit together."""

import pytest
from pydantic import ValidationError

from oncue.core.errors import InvalidInput
from oncue.core.pattern.active import parse_pattern
from oncue.core.pattern.kinds.threshold import ThresholdPattern
from oncue.core.pattern.threshold.plan import ClosingPlan, SlidingPlan
from tests.core.pattern.threshold.streams import Fields, plan

OF: Fields = {"of": "event.data.v"}
TUMBLING: Fields = {"window_type": "tumbling"}
SESSION: Fields = {"window_type": "session", "gap": "1s"}
HOPPING: Fields = {"window_type": "hopping", "slide": "5ms"}
SILENCE: Fields = {"operator": "<", "value": 1}

BAD: list[tuple[Fields, str, str]] = [
    ({"measure": "sum"}, "of", "expected a value for 'sum' to measure, got none"),
    ({"measure": "count", **OF}, "of", "'count' counts events"),
    ({"measure": "avg", "of": "event.data."}, "of", "expected"),
    ({"measure": "avg", "of": "order.total"}, "of", "order"),
    ({"measure": "max", **OF, "per": "1s"}, "per", "expected it with 'rate' alone"),
    ({"non_negative": True}, "non_negative", "expected it with 'sum' alone"),
    ({"value": 0}, "value", "an empty window does not meet, got 0"),
    ({"operator": ">", "value": -1}, "value", "an empty window does not meet"),
    ({"measure": "rate", "value": 0}, "value", "an empty window does not meet"),
    ({"measure": "sum", **OF, "value": 0, "non_negative": True}, "value", "does not meet"),
    ({"operator": "<", "value": 0}, "value", "expected a number that a count can be <, got 0"),
    ({"operator": "<=", "value": -1}, "value", "a count can be <="),
    ({"operator": "==", "value": 1.5}, "value", "a count can be ==, got 1.5"),
    ({"value": 200_000}, "value", "expected at most 100000"),
    ({"window": None}, "window", "expected a duration such as '5m', got none"),
    ({"gap": "1s"}, "gap", "expected it with session windows, got 'sliding'"),
    ({"window_type": "session"}, "gap", "expected the silence that ends a session"),
    ({**SESSION, "window": "1s"}, "window", "expected 'gap' alone"),
    ({"slide": "1s"}, "slide", "expected it with hopping windows, got 'sliding'"),
    ({"window_type": "hopping"}, "slide", "expected how far apart the windows begin"),
    ({**HOPPING, "slide": "11ms"}, "slide", "expected at most the window"),
    ({**HOPPING, "slide": "1ms", "window": "2s"}, "slide", "expected at most 1000 windows"),
    ({**TUMBLING, "for": "1s"}, "for", "expected sliding windows, got 'tumbling'"),
    ({**TUMBLING, "clear": {"<": 1}}, "clear", "expected sliding windows"),
    ({**TUMBLING, "notify_clear": True}, "notify_clear", "expected sliding windows"),
    ({**TUMBLING, "emit": "early"}, "emit", "expected 'final'"),
    ({"operator": "<", "emit": "early"}, "emit", "expected 'final'"),
    ({"for": "1s", "emit": "early"}, "emit", "expected 'final'"),
    ({"clear": {}}, "clear", "expected one comparison"),
    ({"clear": {"<": 1, "<=": 1}}, "clear", "expected one comparison"),
    ({"clear": {">": 1}}, "clear.>", "expected < or <= to end what '>=' begins"),
    ({"clear": {"<": 4}}, "clear.<", "expected a limit that >= 3 does not meet, got 4"),
    ({"clear": {"<=": 3}}, "clear.<=", "expected a limit that >= 3 does not meet, got 3"),
    ({"operator": "<", "clear": {">": 2}}, "clear.>", "a limit that < 3 does not meet"),
    ({"operator": "==", "clear": {">": 2}}, "clear", "expected it with > >= < <=, got '=='"),
    ({**TUMBLING, "rearm": "reset"}, "rearm", "expected sliding windows for 'reset'"),
    ({"rearm": "every", "clear": {"<": 1}}, "rearm", "expected 'edge'"),
    ({"rearm": "reset", "notify_clear": True}, "rearm", "expected 'edge'"),
    ({"rearm": "every", "for": "1s"}, "rearm", "expected 'edge' or 'reset' beside 'for'"),
    ({"late": {"action": "amend"}}, "late.action", "expected windows that close"),
    ({"late": {"allowed": "1s"}}, "late.allowed", "expected windows that close"),
    ({**TUMBLING, "late": {"action": "amend"}}, "late.allowed", "how long a closed window"),
    (
        {**TUMBLING, "rearm": "edge", "late": {"action": "amend", "allowed": "1s"}},
        "rearm",
        "expected each window alone",
    ),
    ({**SILENCE, "by": [], "keys": ["a"]}, "keys", "expected 'by' beside declared keys"),
    ({**SILENCE, "keys": ["a", "b"], "limits": {"max_keys": 1}}, "keys", "expected at most 1"),
    ({"keys": ["a"]}, "keys", "expected a condition that silence can meet"),
    ({**SESSION, **SILENCE, "keys": ["a"]}, "keys", "silence has no session"),
    ({"limits": {"key_ttl": "5ms"}}, "limits.key_ttl", "expected at least as long"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "path", "message"), BAD)
def test_what_does_not_fit_is_refused_with_path_and_reason(
    fields: Fields, path: str, message: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        plan(fields)

    problems = {problem.path: problem.message for problem in raised.value.problems}
    assert message in problems[f"pattern.{path}"]


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as raised:
        plan({"measure": "avg", "of": "nobody.x", "per": "1s", "slide": "1s"})

    paths = {problem.path for problem in raised.value.problems}
    assert paths == {"pattern.of", "pattern.per", "pattern.slide"}


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        ("p42", "a percentile from p50 to p99, got 'p42'"),
        ("p100", "a percentile from p50 to p99"),
        ("summ", "did you mean 'sum'?"),
    ],
)
def test_a_measure_that_there_is_not(measure: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("?", r"\?")):
        plan({"measure": measure, **OF})


@pytest.mark.parametrize("number", ["inf", "nan"])
def test_a_limit_is_a_number_that_json_has(number: str) -> None:
    with pytest.raises(ValidationError):
        plan({"value": number})


@pytest.mark.parametrize(
    ("fields", "sorts"),
    [
        pytest.param({}, False, id="a count is early"),
        pytest.param({"emit": "final"}, True, id="unless it is to be final"),
        pytest.param({"for": "5ms"}, True, id="or has to last"),
        pytest.param({"measure": "min", "operator": "<", **OF}, False, id="a minimum below"),
        pytest.param({"measure": "min", "operator": ">", **OF}, True, id="a minimum above"),
        pytest.param({"measure": "sum", **OF}, True, id="a sum may fall"),
        pytest.param({"measure": "sum", **OF, "non_negative": True}, False, id="it cannot"),
        pytest.param({"measure": "p95", **OF}, True, id="a percentile"),
        pytest.param({"operator": "<"}, True, id="below"),
        pytest.param(TUMBLING, False, id="windows that close take events in any order"),
    ],
)
def test_whether_events_must_come_in_the_order_of_event_time(fields: Fields, sorts: bool) -> None:  # noqa: FBT001 a column of the table
    compiled = plan(fields)

    assert compiled.sorts is sorts
    assert isinstance(compiled, ClosingPlan if fields == TUMBLING else SlidingPlan)


def test_the_schema_shows_measures_by_example() -> None:
    measure = ThresholdPattern.model_json_schema()["properties"]["measure"]

    assert "p95" in measure["examples"]
    assert measure["default"] == "count"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({**TUMBLING, **SILENCE, "window": "999ms"}, "pattern.window"),
        ({**HOPPING, **SILENCE, "window": "2s", "slide": "500ms"}, "pattern.slide"),
        ({**TUMBLING, "measure": "sum", **OF, "value": 0, "window": "10ms"}, "pattern.window"),
    ],
)
def test_windows_that_match_though_empty_are_no_shorter_than_a_second(
    fields: Fields, path: str
) -> None:
    document = {"type": "threshold", "event": "a", "value": 1, **fields}
    with pytest.raises(InvalidInput) as caught:
        parse_pattern({"name": "p", "pattern": document})

    (problem,) = caught.value.problems
    assert problem.path == path
    assert "expected at least '1s'" in problem.message


def test_windows_that_cannot_match_while_empty_may_be_short() -> None:
    for fields in ({**TUMBLING, "window": "10ms"}, {**SILENCE, "window": "10ms"}):
        parse_pattern(
            {"name": "p", "pattern": {"type": "threshold", "event": "a", "value": 1, **fields}}
        )

"""Selectors: the fast way and the explaining one agree, and what is wrong is told."""

from random import Random

import pytest
from hypothesis import given, settings

from oncue.core.errors import EvaluationError, InvalidInput
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.pattern.kinds.shared import Selector
from oncue.core.pattern.selection import Refusal, Seen, Selection, compile_selection
from tests.core.pattern.random_selectors import chances, shown, some_event, some_selection
from tests.make import make_event


def make_selection(**fields: Json) -> Selection:
    return compile_selection(Selector.model_validate({"event": "*"} | fields), "pattern")


def fast(selection: Selection, event: Event) -> bool | None:
    """Return what the generated function gives; None for an error."""
    try:
        return selection.decides(event, Seen(event))
    except EvaluationError:
        return None


def slow(selection: Selection, event: Event) -> bool | None:
    """Return the same of the tests; which of several errors they tell may differ."""
    refusal = selection.refusal(event, {"event": event.view()})
    if refusal is None:
        return True
    return None if refusal.error else False


@settings(max_examples=30)
@given(chances)
def test_the_fast_way_and_the_explaining_one_agree(chance: Random) -> None:
    events = [some_event(chance) for _ in range(40)]
    for selection in [some_selection(chance) for _ in range(15)]:
        found = [fast(selection, event) for event in events]

        assert found == [slow(selection, event) for event in events], shown([selection])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"source": "shop", "conditions": {"plan": "x"}}, Refusal("source")),
        ({"conditions": {"plan": "enterprise", "n": 1}, "where": "false"}, Refusal("conditions.n")),
        ({"conditions": {"$or": [{"n": 1}, {"m": 1}]}}, Refusal("conditions.$or")),
        ({"where": "event.data.plan == 'free'"}, Refusal("where")),
        ({"where": "event.data.n > 1"}, Refusal("where", "event.data.n: no such field")),
        ({"where": "event.data.plan"}, Refusal("where", "expected a bool, got string")),
        ({"where": "event.data.plan == 'enterprise'", "source": "web"}, None),
        ({"where": "event.time == '1970-01-01T00:00:01.000Z' && event.id == 'e-1'"}, None),
    ],
)
def test_the_first_failing_clause_is_named(
    fields: dict[str, Json], expected: Refusal | None
) -> None:
    event = make_event()
    selection = make_selection(**fields)

    assert selection.refusal(event, Seen(event)) == expected
    assert selection.admits(event, Seen(event)) == (expected is None)


def test_all_problems_are_told() -> None:
    with pytest.raises(InvalidInput) as caught:
        make_selection(conditions={"a": [], "b": {"numeric": 1}}, where="event.dat.x ==")

    paths = [problem.path for problem in caught.value.problems]
    assert paths == ["pattern.conditions.a", "pattern.conditions.b.numeric", "pattern.where"]


@pytest.mark.parametrize(
    ("where", "is_viewed"),
    [
        ("event.data.plan == 'x' || event.source == 'x' || has(event.data.n)", False),
        ("event.subject == null && event.type.startsWith('user.')", False),
        ("event.time == 'x'", True),
        ("event.ext == 'x'", True),
        ("size(event) == 1", True),
    ],
)
def test_a_view_is_made_only_for_what_the_event_does_not_hold(
    where: str, *, is_viewed: bool
) -> None:
    event = make_event(data={"plan": "enterprise"})
    seen = Seen(event)
    make_selection(where=where).admits(event, seen)

    assert (seen._view is not None) == is_viewed


def test_deep_conditions_are_tested_as_others_are() -> None:
    conditions: Json = {"a": 1}
    value: Json = {"a": 1}
    for _ in range(30):
        conditions, value = {"a": conditions}, {"a": value}
    selection = make_selection(conditions=conditions)

    assert fast(selection, make_event(data=value)) is True
    assert fast(selection, make_event(data={"a": value})) is False

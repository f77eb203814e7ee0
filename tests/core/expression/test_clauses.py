"""Several clauses as one function, and lists that a pattern captured."""

from typing import Any

import pytest

from oncue.core.errors import EvaluationError, InvalidInput
from oncue.core.expression import (
    Clause,
    Failure,
    Fragment,
    check_expression,
    compile_clauses,
    compile_expression,
)

PRO = check_expression("event.data.plan == 'pro'", roots=["event"])
LARGE = check_expression("event.data.seats > 10", roots=["event"])
IS_LIVE = Fragment("values['event']['source'] in live", {"live": frozenset({"web"})})
IS_SHORT = Fragment(
    "size(plan := values['event']['data']['plan']) < limit and plan != live",
    {"size": len, "limit": 5, "live": "long"},
)


def event(**data: Any) -> dict[str, Any]:
    return {"event": {"source": "web", "data": data}}


@pytest.mark.parametrize(
    ("clauses", "values", "failure"),
    [
        pytest.param([PRO, LARGE], event(plan="pro", seats=11), None, id="all hold"),
        pytest.param([PRO, LARGE], event(plan="free", seats=11), Failure(0), id="the first fails"),
        pytest.param([PRO, LARGE], event(plan="free", seats=1), Failure(0), id="both fail"),
        pytest.param([PRO, LARGE], event(plan="pro", seats=1), Failure(1), id="the second fails"),
        pytest.param([LARGE, PRO], event(plan="free"), Failure(0, "event.data.seats: no such field"), id="an error is not absorbed by a later clause"),
        pytest.param([PRO, LARGE], event(plan="free", seats="x"), Failure(0), id="what comes after a failure is not asked"),
        pytest.param([IS_LIVE, PRO, IS_SHORT], event(plan="pro"), None, id="tests of our own beside expressions"),
        pytest.param([IS_LIVE, IS_SHORT], event(plan="enterprise"), Failure(1), id="a test of our own fails"),
        pytest.param([IS_LIVE, IS_SHORT], {"event": {"source": "ads", "data": {}}}, Failure(0), id="fragments are asked in order"),
        pytest.param([check_expression("event.data.plan", roots=["event"])], event(plan="pro"), Failure(0, "expected a bool, got string"), id="no bool is an error"),
        pytest.param([], event(), None, id="nothing to ask"),
    ],
)  # fmt: skip
def test_first_failure(clauses: list[Clause], values: Any, failure: Failure | None) -> None:
    assert compile_clauses(clauses).first_failure(values) == failure


def test_clauses_read_what_they_have_in_common_once() -> None:
    compiled = compile_clauses([PRO, LARGE])

    assert compiled.reads == (("event", "data", "plan"), ("event", "data", "seats"))
    assert compiled.source.count("['event']") == 1


def test_clauses_share_one_budget() -> None:
    loop = "event.data.all(a, event.data.all(b, a != b || a == b))"
    half = check_expression(loop, roots=["event"])
    values = {"event": {"data": list(range(90))}}

    assert compile_clauses([half]).first_failure(values) is None
    failure = compile_clauses([half, half]).first_failure(values)
    assert failure is not None
    assert failure.clause == 1
    assert "units" in (failure.error or "")


@pytest.mark.parametrize(
    "source", ["unknown(values)", "len(values)", "__import__('os')", "(lambda: values)()"]
)
def test_a_fragment_reaches_only_what_it_was_given(source: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        compile_clauses([Fragment(source)])


CAPTURED = {
    "event": {"data": {"total": 9}},
    "signup": {"data": {"min": 5}},
    "cart": [{"data": {"total": 1}}, {"data": {"total": 2.5}}, {"data": {"total": 4}}],
    "none": [],
}


def evaluate(text: str) -> Any:
    expression = compile_expression(text, roots=["event", "signup"], lists=["cart", "none"])
    return expression.evaluate(CAPTURED)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("event.data.total > signup.data.min", True),
        ("cart[0].data.total", 1),
        ("cart.last.data.total", 4),
        ("cart.first.data.total", 1),
        ("event.data.total > cart.last.data.total", True),
        ("has(cart.last.data.total) && !has(cart.last.data.tax)", True),
        ("cart.size() == 3 && size(none) == 0", True),
        ("cart.exists(c, c.data.total > signup.data.min)", False),
    ],
)
def test_earlier_captures(text: str, value: Any) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("none.last.data", "none.last: expected a member, got an empty list"),
        ("cart.last.data.tax", "cart.last.data.tax: no such field"),
        ("cart[7].data", "cart[7]: expected an index below 3"),
    ],
)
def test_what_was_not_captured_is_named(text: str, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(text)

    assert str(caught.value) == message


def test_a_list_has_no_fields_but_its_ends() -> None:
    with pytest.raises(InvalidInput) as caught:
        compile_expression("cart.data.total > 1", roots=["event"], lists=["cart"])

    message = "expected cart[0], cart.first or cart.last, as cart is a list, got cart.data"
    assert caught.value.problems[0].message == f"{message}\n  cart.data.total > 1\n      ^"


def test_reads_of_a_list_are_the_list() -> None:
    text = "cart.last.data.total > cart[0].data.total"

    assert compile_expression(text, roots=[], lists=["cart"]).reads == (("cart",),)

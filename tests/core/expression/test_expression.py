"""Expressions as users write them: what they give, what is refused, what they may cost."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.errors import EvaluationError, InvalidInput
from oncue.core.expression import compile_expression, to_json
from oncue.core.expression.library import FUNCTIONS
from oncue.core.expression.macros import MACROS

EVENT = {
    "type": "user.signup",
    "data": {
        "plan": "enterprise",
        "seats": 12,
        "price": 9.5,
        "is_trial": False,
        "coupon": None,
        "tags": ["new", "eu"],
        "items": [{"sku": "a", "price": 2}, {"sku": "b", "price": 3}],
    },
}


def evaluate(text: str, event: Any = EVENT) -> Any:
    return compile_expression(text, roots=["event"], path="where").evaluate({"event": event})


def refusal(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        compile_expression(text, roots=["event"], path="where")
    (problem,) = caught.value.problems
    assert problem.path == "where"
    return problem.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("event.data.plan == 'enterprise'", True),
        ("event.data.seats > 10 && event.data.price < 10.0", True),
        ("event.data.seats * 2 + 1", 25),
        ("event.data.seats * event.data.price", 114.0),
        ("event.data.coupon == null", True),
        ("event.data.is_trial ? 'trial' : 'paid'", "paid"),
        ("event.data.tags[1]", "eu"),
        ("event['data']['plan']", "enterprise"),
        ("event.data.tags.exists(t, t.startsWith('e'))", True),
        ("event.data.items.map(i, i.price)", [2, 3]),
        ("event.data.items.filter(i, i.price > 2)[0].sku", "b"),
        ("event.data.items.all(i, event.data.items.exists(j, j.price >= i.price))", True),
        ("has(event.data.coupon) && !has(event.data.voucher)", True),
        ("event.data.?voucher.orValue('none')", "none"),
        ("event.data.?voucher.?code.hasValue()", False),
        ("event.data.plan in ['pro', 'enterprise']", True),
        ("size(event.data.tags) == 2", True),
        ("'new' in event.data.tags", True),
        ("[1, ?event.data.?seats, ?event.data.?voucher]", [1, 12]),
        ("{'a': 1, ?'b': event.data.?voucher}", {"a": 1}),
        ("event.data.seats == 12.0", True),
        ("event.data.is_trial == 0", False),
        ("event.data.is_trial != 0", True),
        ("1 != event.data.seats", True),
        ("10 <= event.data.seats", True),
        ("(event.data.voucher.code == 'x') || true", True),
        ("false && event.data.voucher.code == 'x'", False),
        ("event.data.voucher == 'x' && event.data.plan == 'free'", False),
        ("cel.bind(n, event.data.seats, n * n)", 144),
        ("cel.bind(n, event.data.voucher, 1)", 1),
        ("cel.bind(n, event.data.voucher, true || n == 1)", True),
        ("9007199254740992.0 >= dyn(9007199254740993)", True),
        ("dyn(9007199254740993) == 9007199254740992.0", True),
        (
            "string(18446744073709551615u) + '%s'.format([18446744073709551615u])",
            "1844674407370955161518446744073709551615",
        ),
        ("optional.ofNonZeroValue(optional.none()).hasValue()", True),
        ("optional.of(1).optFlatMap(n, n)", 1),
        ("{'a': 1}[?b'a'].hasValue()", False),
        ("timestamp('0001-01-01T00:00:00Z').getFullYear('-02:30')", 0),
        ("timestamp('9999-12-31T23:00:00Z').getFullYear('+02:00')", 10000),
        ("timestamp('0001-01-01T00:00:00Z').getDayOfWeek('-02:30')", 0),
        ("timestamp(0).getHours('')", 0),
        ("timestamp('2026-01-01T12:00:00Z').getHours('Europe/Berlin')", 13),
    ],
)
def test_value(text: str, value: Any) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_example_of_a_function_is_true(name: str) -> None:
    example = FUNCTIONS[name].example

    assert evaluate(example.text) == evaluate(example.gives)


@pytest.mark.parametrize("macro", MACROS.values(), ids=lambda macro: macro.name)
def test_the_example_of_a_macro_is_true(macro: Any) -> None:
    assert evaluate(macro.example) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "event.data.plan.name",
            "event.data.plan.name: expected a map with this field, got string",
        ),
        ("event.data.voucher", "event.data.voucher: no such field"),
        ("event.voucher.code", "event.voucher: no such field"),
        ("event.data.items[2].sku", "event.data.items[2]: expected an index below 2"),
        ("event.data.items[0].name", "event.data.items[0].name: no such field"),
        ("event.data.items.map(i, i.name)", "i.name: no such field"),
        ("event.data.seats && true", "expected a bool, got int"),
        ("event.data.plan + event.data.seats", "use string()"),
        ("event.data.seats / 0", "expected a divisor other than 0"),
        ("event.data.seats + 9223372036854775807", "64 bits"),
        ("event.data.plan.startsWith(event.data.seats)", "startsWith takes (string, string)"),
    ],
)
def test_what_cannot_be_evaluated_is_named(text: str, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(text)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message", "caret"),
    [
        ("evnt.data", "expected a known name, got 'evnt', did you mean 'event'?", 0),
        ("event.data.plan.startWith('a')", "did you mean 'startsWith'?", 16),
        ("event.data.plan ==", "expected a value, got the end", 18),
        ("event.data.plan = 'x'", "expected an expression, got '='", 16),
        ("1 + 'a'", "use string()", 2),
        ("size()", "size takes 1 argument, got 0", 0),
        ("startsWith('a', 'b')", "expected value.startsWith(…)", 0),
        ("'a' && true", "expected a bool, got string", 0),
        ("has(event)", "expected a field such as has(event.data.x)", 4),
        ("has(event.?data)", "expected a field such as has(event.data.x)", 9),
        ("'a'.b", "expected a map before .b, got string", 3),
        ("(" * 65 + "1" + ")" * 65, "levels of nesting", 60),
        ("event.class('a')", "expected a known function, got 'class'", 6),
    ],
)
def test_what_means_nothing_is_refused_at_its_place(text: str, message: str, caret: int) -> None:
    refused = refusal(text)

    assert message in refused
    assert refused.splitlines()[-1].index("^") == caret + 2


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("event.data.plan == 'a'", [("event", "data", "plan")]),
        ("has(event.data.a.b)", [("event", "data", "a", "b")]),
        ("event.data.items.map(i, i.sku + event.type)", [("event", "data", "items"), ("event", "type")]),
        ("event.data['plan'] == event.data.tags[0]", [("event", "data", "plan"), ("event", "data", "tags")]),
        ("event.data.?a.b", [("event", "data", "a", "b")]),
        ("1 + 1", []),
    ],
)  # fmt: skip
def test_reads(text: str, reads: list[tuple[str, ...]]) -> None:
    assert list(compile_expression(text, roots=["event"]).reads) == reads


@pytest.mark.parametrize(
    "text",
    [
        "event.__class__",
        "event.data.plan.__class__.__mro__",
        "''.join",
        "__builtins__",
        "values",
        "budget",
        "event.data.get('plan')",
        "event['__class__']",
    ],
)
def test_nothing_of_python_is_reachable(text: str) -> None:
    with pytest.raises((InvalidInput, EvaluationError)):
        evaluate(text)


@pytest.mark.parametrize(
    "text",
    [
        "event.all(a, event.all(b, event.all(c, event.all(d, event.all(e, e >= 0)))))",
        "event.map(a, event.map(b, event.map(c, [a, b, c])))",
        "cel.bind(a, event.map(x, 'xxxxxxxxxxxxxxxx'), a.map(y, a.join(',').size()))",
        "".join(f"cel.bind(x{n}, " + (f"x{n - 1} + x{n - 1}" if n else "'ab'") + ", " for n in range(40))
        + "x39" + ")" * 40,
        "event.map(x, event.map(y, 'a'.replace('', 'bbbbbbbbbbbbbbbbbbbbbbbbbb')))",
    ],
)  # fmt: skip
def test_what_would_take_long_is_stopped(text: str) -> None:
    with pytest.raises(EvaluationError, match="units"):
        evaluate(text, list(range(1_000)))


def test_deep_expressions_compile() -> None:
    deep = "event.a ? 1 : " * 60 + "2"
    mixed = "(event.a || (event.a && " * 20 + "true" + "))" * 20

    assert evaluate(deep, {"a": False}) == 2
    assert evaluate(mixed, {"a": False}) is False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("timestamp('2026-01-01T00:00:00Z')", "2026-01-01T00:00:00Z"),
        ("duration('90m')", "5400s"),
        ("b'abc'", "YWJj"),
        ("{1: 'a', true: 'b'}", {"1": "a", "true": "b"}),
        ("5u", 5),
        ("type(1)", "int"),
        ("[optional.of(1), optional.none()]", [1, None]),
    ],
)
def test_as_json(text: str, value: Any) -> None:
    assert to_json(evaluate(text)) == value


def test_what_json_does_not_have_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="got nan"):
        to_json(evaluate("0.0 / 0.0"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(json_values)
def test_data_comes_through_unchanged(value: Any) -> None:
    event = json.loads(json.dumps({"data": value}))

    if value not in (float("inf"), float("-inf")) and "Infinity" not in json.dumps(value):
        assert to_json(evaluate("event.data", event)) == event["data"]
    assert evaluate("event.data == event.data", event) is True


_SYMBOLS = ["event", ".", "data", "a", "'x'", "1", "2.5", "(", ")", "[", "]", "{", "}", "+", "-", "&&",
            "||", "!", "?", ":", ",", "==", "<", "in", "map", "exists", "size", "null", "true", "x", ".?"]  # fmt: skip


@given(st.lists(st.sampled_from(_SYMBOLS), max_size=25).map(" ".join), json_values)
def test_any_text_gives_a_value_or_an_error_of_ours(text: str, data: Any) -> None:
    with suppress(InvalidInput, EvaluationError):
        evaluate(text, {"data": data, "a": data})


@given(json_values, json_values)
def test_equality_is_symmetric_and_order_is_consistent(one: Any, other: Any) -> None:
    event = {"a": one, "b": other}

    assert evaluate("event.a == event.b", event) is evaluate("event.b == event.a", event)
    assert evaluate("event.a != event.b", event) is not evaluate("event.a == event.b", event)
    try:
        is_less = evaluate("event.a < event.b", event)
    except EvaluationError:
        return
    assert is_less is evaluate("event.b > event.a", event)
    assert not (is_less and evaluate("event.a == event.b", event))

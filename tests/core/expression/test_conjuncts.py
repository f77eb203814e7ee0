"""What an index may ask before it evaluates: never more than the expression itself asks."""

import json
from contextlib import suppress
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.errors import EvaluationError
from oncue.core.expression import check_expression
from oncue.core.expression.checker import Names
from oncue.core.expression.conjuncts import (
    MISSING,
    Conjunct,
    Equals,
    StartsWith,
    Within,
    conjuncts,
    key_of,
    value_at,
)
from oncue.core.expression.expression import compile_source
from oncue.core.expression.values import BoolKey

PLAN = ("event", "data", "plan")
SEATS = ("event", "data", "seats")


def conjuncts_of(text: str) -> list[Conjunct]:
    return list(conjuncts(check_expression(text, roots=["event"])))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("event.data.plan == 'pro'", [Equals(PLAN, frozenset({"pro"}))], id="equality"),
        pytest.param("'pro' == event.data['plan']", [Equals(PLAN, frozenset({"pro"}))], id="either way round, by key"),
        pytest.param("event.data.plan in ['a', 'b']", [Equals(PLAN, frozenset({"a", "b"}))], id="membership"),
        pytest.param("event.data.plan in []", [Equals(PLAN, frozenset())], id="in nothing it never is"),
        pytest.param("event.data.plan == null", [Equals(PLAN, frozenset({None}))], id="null is a value"),
        pytest.param("event.data.plan == true", [Equals(PLAN, frozenset({BoolKey.TRUE}))], id="true is not 1"),
        pytest.param("event.data.plan", [Equals(PLAN, frozenset({BoolKey.TRUE}))], id="a path alone is true"),
        pytest.param("!event.data.plan", [Equals(PLAN, frozenset({BoolKey.FALSE}))], id="its negation is false"),
        pytest.param("event.data.seats == 12", [Equals(SEATS, frozenset({12.0}))], id="numbers are doubles"),
        pytest.param("event.data.plan.startsWith('p')", [StartsWith(PLAN, "p")], id="prefix"),
        pytest.param("event.data.seats < 5", [Within(SEATS, -inf, 5.0)], id="upper bound"),
        pytest.param("5u >= event.data.seats", [Within(SEATS, -inf, 5.0)], id="upper bound on the left"),
        pytest.param("event.data.seats >= 1.5", [Within(SEATS, 1.5, inf)], id="lower bound"),
        pytest.param("event.data.seats > 1 && event.data.seats < 5 && true", [Within(SEATS, 1.0, 5.0)], id="bounds of one path meet"),
        pytest.param("event.data.plan == 'a' && event.data.plan == 'b'", [Equals(PLAN, frozenset())], id="two values at once it never has"),
        pytest.param("(event.data.plan == 'a' || event.data.plan in ['b', 'c'])", [Equals(PLAN, frozenset({"a", "b", "c"}))], id="either of some values"),
        pytest.param("event.data.plan == 'a' || event.data.seats == 1", [], id="either of two paths"),
        pytest.param("event.data.plan == 'a' || true", [], id="or anything"),
        pytest.param("event.data.?plan.orValue('free') == 'pro'", [Equals(PLAN, frozenset({"pro"}))], id="missing counts as another value"),
        pytest.param("event.data.?plan.orValue('pro') == 'pro'", [], id="missing counts as this value"),
        pytest.param("event.data.?plan == 'pro'", [], id="an optional is no value"),
        pytest.param("event.data.plan != 'pro'", [], id="all values but one"),
        pytest.param("!(event.data.plan == 'pro')", [], id="negated"),
        pytest.param("event.data.plan > 'pro'", [], id="order of strings"),
        pytest.param("event.data.plan in ['a', event.type]", [], id="not all are constants"),
        pytest.param("event.data.tags[0] == 'a'", [], id="members of lists"),
        pytest.param("event.data.plan == event.type", [], id="two paths"),
        pytest.param("event.data.plan == b'a'", [], id="no scalar of JSON"),
        pytest.param("event.data.tags.exists(plan, plan == 'a')", [], id="a variable of a loop"),
        pytest.param("event.type == 'a' && (1 / 0 == 1 || event.data.plan == 'a')", [Equals(("event", "type"), frozenset({"a"}))], id="the other side of an error"),
    ],
)  # fmt: skip
def test_conjuncts(text: str, expected: list[Conjunct]) -> None:
    assert conjuncts_of(text) == expected


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (1, 1.0),
        (2**53 + 1, 2.0**53),
        (10**400, inf),
        (-0.0, 0.0),
        ("a", "a"),
        (None, None),
        (True, BoolKey.TRUE),
        ([], MISSING),
        ({}, MISSING),
        (MISSING, MISSING),
    ],
)
def test_key(value: Any, key: Any) -> None:
    assert key_of(value) == key
    assert key_of(value).__class__ is key.__class__


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("event", "data", "a"), 1),
        (("event", "data"), {"a": 1}),
        (("event", "data", "b"), MISSING),
        (("event", "data", "a", "c"), MISSING),
        (("match",), MISSING),
    ],
)
def test_value_at(path: tuple[str, ...], value: Any) -> None:
    assert value_at({"event": {"data": {"a": 1}}}, path) == value


_SCALARS = ["'a'", "'ab'", "''", "0", "1", "1.0", "-0.0", "2u", "true", "false", "null",
            "9007199254740993", "9007199254740992.0", "9223372036854775807", "1e400"]  # fmt: skip
_PATHS = ["event.a", "event.b", "event.a.b", "event['a']", "event.?a.orValue(1)", "event.?b.orValue('a')",
          "event.?a", "event.?a.b"]  # fmt: skip
_scalars, _paths = st.sampled_from(_SCALARS), st.sampled_from(_PATHS)
_tests = st.one_of(
    st.tuples(_paths, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), _scalars).map(" ".join),
    st.tuples(_scalars, st.sampled_from(["==", "<", ">="]), _paths).map(" ".join),
    st.tuples(_paths, st.lists(_scalars, max_size=3)).map(lambda t: f"{t[0]} in [{', '.join(t[1])}]"),
    st.tuples(_paths, st.sampled_from(["'a'", "''"])).map(lambda t: f"{t[0]}.startsWith({t[1]})"),
    _paths,
)  # fmt: skip
_expressions = st.recursive(
    _tests,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(lambda all_: f"({' && '.join(all_)})")
        | st.lists(inner, min_size=2, max_size=3).map(lambda any_: f"({' || '.join(any_)})")
        | inner.map(lambda test: f"!({test})")
    ),
    max_leaves=6,
)
_leaves = st.sampled_from([json.loads(text.rstrip("u").replace("'", '"')) for text in _SCALARS])
_data = st.dictionaries(
    st.sampled_from(["a", "b"]), _leaves | st.dictionaries(st.sampled_from(["a", "b"]), _leaves)
)


@given(_expressions, _data)
def test_where_an_expression_is_true_its_conjuncts_admit_the_data(text: str, event: Any) -> None:
    values = {"event": event}
    expression = compile_source(text, Names(["event"], is_checked=False))
    found: object = None
    with suppress(EvaluationError):
        found = expression.evaluate(values)

    refused = [c for c in conjuncts(expression) if not c.admits(value_at(values, c.path))]

    assert found is not True or refused == []

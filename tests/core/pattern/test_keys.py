"""Keys: what tells events apart, and how it is spelled."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.core.pattern.keys import KeyOf, compile_key
from oncue.core.pattern.seen import Seen
from tests.core.pattern.random_selectors import chances, some_value
from tests.make import make_event


def make_key(*by: str, on_missing_key: str = "skip") -> KeyOf:
    return compile_key(by, "null_key" if on_missing_key == "null_key" else "skip", "pattern")


def text_of(key: KeyOf, **event: object) -> str | None:
    made = make_event(**event)
    return key.text(made, Seen(made))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("anna", '["anna"]'),
        ('"\\\n', '["\\"\\\\\\n"]'),
        ("é\u2028", '["é\u2028"]'),
        (1, "[1]"),
        (1.0, "[1]"),
        (-0.0, "[0]"),
        (0.5, "[0.5]"),
        (2**63, f"[{2**63}]"),
        (2.0**63, f"[{2**63}]"),
        (2**53 + 1, f"[{2**53 + 1}]"),
        (1e30, f"[{int(1e30)}]"),
        (True, "[true]"),
        ("1", '["1"]'),
        ([1.0, "a", {"z": 1, "b": 2.0}], '[[1,"a",{"b":2,"z":1}]]'),
        ({"z": {"b": 1.0, "a": None}, "a": []}, '[{"a":[],"z":{"a":null,"b":1}}]'),
        ([], "[[]]"),
    ],
)
def test_a_value_has_one_spelling(value: Json, text: str) -> None:
    key = make_key("event.data.n")

    assert text_of(key, data={"n": value}) == text


@pytest.mark.parametrize("data", [{}, {"n": None}, None, [], "x", {"n": float("inf")}], ids=str)
def test_an_event_without_the_key_is_skipped_or_has_null(data: Json) -> None:
    assert text_of(make_key("event.data.n"), data=data) is None
    assert text_of(make_key("event.data.n", on_missing_key="null_key"), data=data) == "[null]"


def test_a_key_of_several_parts_needs_all_of_them() -> None:
    by = ("event.subject", "event.data.n", "event.source", "event.time", "event.ext")
    event = {"subject": "s", "attributes": {"ext": 7}}
    time = "1970-01-01T00:00:01.000Z"

    assert text_of(make_key(*by), data={"n": 1.0}, **event) == f'["s",1,"web","{time}",7]'
    assert text_of(make_key(*by), data={}, **event) is None
    nulls = make_key(*by, on_missing_key="null_key")
    assert text_of(nulls, data={}, **event) == f'["s",null,"web","{time}",7]'
    assert nulls.named(f'["s",null,"web","{time}",7]') == dict(
        zip(by, ("s", None, "web", time, 7), strict=True)
    )


def test_without_parts_all_events_have_the_same_key() -> None:
    key = make_key()

    assert text_of(key) == ""
    assert key.named("") == {}


def test_a_part_may_be_an_expression() -> None:
    key = make_key("event.data.email.lowerAscii()", "event.data.tags[0]")
    data: Json = {"email": "A@X", "tags": [True]}

    assert text_of(key, data=data) == '["a@x",true]'
    assert text_of(key, data={"email": 1, "tags": []}) is None


def test_all_problems_are_told() -> None:
    with pytest.raises(InvalidInput) as caught:
        make_key("event.data.n", "evnt.data", "event.")

    assert [problem.path for problem in caught.value.problems] == ["pattern.by[1]", "pattern.by[2]"]


def is_same(one: Json, other: Json) -> bool:
    """Compare as JSON does: numbers by value, booleans as no numbers."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[n], other[n]) for n in one)
    return one == other


@given(chances)
def test_keys_are_the_same_where_values_are(chance: Random) -> None:
    key = make_key("event.data.n", on_missing_key="null_key")
    one, other = some_value(chance), some_value(chance)
    texts = [text_of(key, data={"n": value}) for value in (one, other)]

    assert (texts[0] == texts[1]) == is_same(one, other)
    for text, value in zip(texts, (one, other), strict=True):
        assert is_same(json.loads(text or ""), [value])


@given(st.text())
def test_any_text_is_spelled_as_json(text: str) -> None:
    key = make_key("event.data.n")

    assert key.named(text_of(key, data={"n": text}) or "") == {"event.data.n": text}

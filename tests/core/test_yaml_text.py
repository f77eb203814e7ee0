"""YAML as people mean it."""

import pytest

from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json
from oncue.core.yaml_text import parse_yaml, write_yaml


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("on: {off: yes}", {"on": {"off": "yes"}}, id="on, off and yes are words"),
        pytest.param("a: [true, False]", {"a": [True, False]}, id="true and false are booleans"),
        pytest.param("a: 2026-11-26", {"a": "2026-11-26"}, id="dates are text"),
        pytest.param("a: 12:30", {"a": "12:30"}, id="times of day are text"),
        pytest.param("a: 1_000", {"a": "1_000"}, id="digits with an underscore are text"),
        pytest.param("a: [017, 0o17, 0x1f, -3]", {"a": [17, 15, 31, -3]}, id="integers"),
        pytest.param("a: [1e3, .5, 2., -1.5E-2]", {"a": [1000.0, 0.5, 2.0, -0.015]}, id="numbers"),
        pytest.param("a: &a {x: 1}\nb: {<<: *a, x: 2}", {"a": {"x": 1}, "b": {"x": 2}}, id="merged"),
        pytest.param("", None, id="nothing"),
    ],
)  # fmt: skip
def test_a_scalar_is_what_it_looks_like(text: str, expected: Json) -> None:
    assert parse_yaml(text) == expected


@pytest.mark.parametrize(
    "text",
    ["on", "1e3", "0o17", "017", "12:30", ".nan", "true", "2026-11-26", "1_0", "- a\nb", "~", ""],
)
def test_text_that_looks_like_something_else_is_text_again(text: str) -> None:
    document: Json = {text: [text, 1e3, 17, True, None]}

    assert parse_yaml(write_yaml(document)) == document


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: 1\nb: 2\na: 3", "expected each member once, got 'a' twice", id="a member twice"),
        pytest.param("{on: 1, 'on': 2}", "got 'on' twice", id="a member twice, once in quotes"),
        pytest.param("a: .nan", "expected a number that JSON has, got .nan", id="no number"),
        pytest.param("a: -.inf", "expected a number that JSON has, got -.inf", id="infinity"),
        pytest.param("a: 1e999", "expected a number that JSON has, got 1e999", id="beyond all numbers"),
        pytest.param("a: !!float x", "expected a number that JSON has, got x", id="no number by its tag"),
        pytest.param("a: !!int x", "expected an integer, got 'x'", id="no integer by its tag"),
        pytest.param("null: 1", "expected YAML that JSON can hold", id="a key that is no text"),
        pytest.param("a: &a [*a]", "expected YAML that JSON can hold", id="a list within itself"),
        pytest.param("a: 1\n---\nb: 1", "expected YAML", id="two documents"),
    ],
)  # fmt: skip
def test_what_json_cannot_hold_is_refused(text: str, message: str) -> None:
    with pytest.raises(MalformedJson) as caught:
        parse_yaml(text)

    assert message in str(caught.value)

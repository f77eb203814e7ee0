"""JSON: what is read, and what is written."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.errors import MalformedJson
from oncue.core.json_text import MAX_DEPTH, Json, encode_json, parse_json

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "expected JSON", id="nothing"),
        pytest.param(b"{", "expected JSON", id="an object that does not end"),
        pytest.param(b"{'a': 1}", "expected JSON", id="single quotes"),
        pytest.param(b"[1,]", "expected JSON", id="a trailing comma"),
        pytest.param(b"NaN", "expected JSON", id="not a number"),
        pytest.param(b'{"a": -Infinity}', "expected JSON", id="infinity"),
        pytest.param(b"1e999", "out of range", id="a number beyond any double"),
        pytest.param(b'"\\ud800"', "expected JSON", id="half a surrogate pair"),
        pytest.param(b'"\xff"', "expected UTF-8, got byte 0xff", id="not UTF-8"),
        pytest.param(b"1 2", "expected JSON", id="two values"),
        pytest.param(b'{"a":1,"b":2,"a":3}', "got 'a' twice", id="a member given twice"),
        pytest.param(b'[{"x":{"a":1,"\\u0061":2}}]', "got 'a' twice", id="twice in two spellings"),
        pytest.param(b"[" * 65 + b"]" * 65, "at most 64 levels", id="65 levels"),
        pytest.param(b'{"a":' * 100_000, "at most 64 levels", id="100 000 levels"),
    ],
)
def test_what_is_not_json_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(MalformedJson, match=message):
        parse_json(body)


def test_brackets_in_text_are_not_nesting() -> None:
    assert parse_json(b'"' + b"[" * 1000 + b'"') == "[" * 1000


def test_as_many_levels_as_allowed_are_taken() -> None:
    assert encode_json(parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)) == b"[" * 64 + b"]" * 64


@given(values)
def test_what_was_written_is_read_again(value: Json) -> None:
    assert parse_json(encode_json(value)) == value


def _spell(value: Json, draw: Callable[..., Any]) -> str:
    """Return one of the many texts of a value; members may come twice."""
    space = st.sampled_from(["", "", "", " ", "\n", "\t"])
    match value:
        case list():
            return "[" + ",".join(draw(space) + _spell(item, draw) for item in value) + "]"
        case dict():
            members = [*value.items()]
            if members and draw(st.booleans()):
                members.append(draw(st.sampled_from(members)))
            spelled = (
                _text(name, draw) + draw(space) + ":" + draw(space) + _spell(item, draw)
                for name, item in members
            )
            return "{" + ",".join(spelled) + "}"
        case str():
            return _text(value, draw)
    return json.dumps(value)


def _text(text: str, draw: Callable[..., Any]) -> str:
    escaped = draw(st.booleans())
    return '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"' if escaped else json.dumps(text)


_tricky = st.recursive(
    st.none() | st.integers(0, 3) | st.text('":a\\ ', max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('":a ', max_size=2), inner, max_size=4),
)  # fmt: skip


@given(st.data())
def test_members_given_twice_are_found_in_every_spelling(data: st.DataObject) -> None:
    text = _spell(data.draw(_tricky), data.draw)
    repeated: list[str] = []

    def note(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        repeated.extend({name for name, _ in pairs} if len(dict(pairs)) < len(pairs) else ())
        return dict(pairs)

    naive = json.loads(text, object_pairs_hook=note)

    if repeated:
        with pytest.raises(MalformedJson, match="twice"):
            parse_json(text.encode())
    else:
        assert parse_json(text.encode()) == naive

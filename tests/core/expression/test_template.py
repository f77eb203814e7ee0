"""Documents with expressions in them."""

from typing import Any

import pytest

from oncue.core.errors import EvaluationError, InvalidInput
from oncue.core.expression import compile_template
from oncue.core.json_text import Json

VALUES = {
    "event": {"data": {"name": "Ada", "age": 36, "score": 1.5, "tags": ["x"], "none": None}},
}


def render(document: Any) -> Any:
    return compile_template(document, roots=["event"], path="with").render(VALUES)


@pytest.mark.parametrize(
    ("document", "value"),
    [
        pytest.param("{{ event.data.age }}", 36, id="alone it keeps its type"),
        pytest.param("{{event.data}}", VALUES["event"]["data"], id="whole objects too"),
        pytest.param(" {{ event.data.age }}", " 36", id="not alone it is text"),
        pytest.param(
            "{{ event.data.age }}{{ event.data.score }}", "361.5", id="two make a text"
        ),
        pytest.param("Hi {{ event.data.name }}!", "Hi Ada!", id="a string is put as it is"),
        pytest.param("{{ event.data.tags }}, {{ event.data.none }}", '["x"], null', id="as JSON"),
        pytest.param("{{ {'a': {'b': 1}} }}", {"a": {"b": 1}}, id="braces of a map"),
        pytest.param("{{ '}}' }}", "}}", id="braces in a string"),
        pytest.param("{{ '{{ x }}' }}", "{{ x }}", id="what a value contains is not read"),
        pytest.param(r"\{{ not read }}", "{{ not read }}", id="escaped"),
        pytest.param(r"a \{{ b }} {{ event.data.age }}", "a {{ b }} 36", id="escaped and not"),
        pytest.param("}} { {", "}} { {", id="other braces are text"),
        pytest.param({"{{ key }}": [1, {"a": "{{ event.data.age }}"}]}, {"{{ key }}": [1, {"a": 36}]}, id="nested; keys are as written"),
        pytest.param([None, True, 1.5, "x", {}, []], [None, True, 1.5, "x", {}, []], id="constants"),
    ],
)  # fmt: skip
def test_rendered(document: Any, value: Any) -> None:
    assert render(document) == value


def test_data_that_looks_like_a_template_is_never_read() -> None:
    template = compile_template({"text": "got {{ event.data }}"}, roots=["event"])

    assert template.render({"event": {"data": "{{ secrets.KEY }}"}}) == {
        "text": "got {{ secrets.KEY }}"
    }


def test_an_error_names_the_place_in_the_document() -> None:
    with pytest.raises(EvaluationError) as caught:
        render({"blocks": [{"text": "Hi {{ event.data.nam }}"}]})

    assert str(caught.value) == "blocks[0].text: event.data.nam: no such field"


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        render({"a": "{{ evnt.x }}", "b": ["{{ 1 + }}"], "c": "{{ 1"})

    assert [problem.path for problem in caught.value.problems] == ["with.a", "with.b[0]", "with.c"]
    first = caught.value.problems[0].message
    assert (
        first == "expected a known name, got 'evnt', did you mean 'event'?\n  {{ evnt.x }}\n     ^"
    )


def test_reads_are_those_of_all_expressions() -> None:
    template = compile_template(
        {"a": "{{ event.data.name }}", "b": "x {{ event.type }} {{ event.data.name }}"},
        roots=["event"],
    )

    assert set(template.reads) == {("event", "data", "name"), ("event", "type")}


def test_a_document_without_expressions_stays_as_it_is() -> None:
    document: Json = {"a": [1, "two"]}

    assert compile_template(document, roots=[]).render({}) == document

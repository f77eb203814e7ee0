"""What is wrong with a document, in our words."""

import pytest
from pydantic import Field, ValidationError

from oncue.core.documents import Document
from oncue.core.json_text import Json
from oncue.core.problems import problems_of


class _Part(Document):
    title: str = Field(default="a", min_length=2, max_length=3)


class _Whole(Document):
    on: str = ""
    enabled: bool = True
    limit: int = Field(default=1, ge=1, le=9)
    rate: float | None = Field(default=None, gt=0, lt=1.5)
    parts: tuple[_Part, ...] = ()
    tags: list[str] = Field(default_factory=lambda: ["a"], min_length=1, max_length=2)


@pytest.mark.parametrize(
    ("document", "problems"),
    [
        pytest.param({"enabled": "no"}, {"enabled": "expected true or false, got 'no'"}, id="text for a boolean"),
        pytest.param({"enabled": 1}, {"enabled": "expected true or false, got 1"}, id="a number for a boolean"),
        pytest.param({"limit": "5"}, {"limit": "expected an integer, got '5'"}, id="text for an integer"),
        pytest.param({"limit": True}, {"limit": "expected an integer, got true"}, id="a boolean for an integer"),
        pytest.param({"limit": 1.5}, {"limit": "expected an integer, got 1.5"}, id="a fraction"),
        pytest.param({"limit": 0}, {"limit": "expected a number of at least 1, got 0"}, id="too small"),
        pytest.param({"limit": 10}, {"limit": "expected a number of at most 9, got 10"}, id="too large"),
        pytest.param({"rate": "0.5"}, {"rate": "expected a number, got '0.5'"}, id="text for a number"),
        pytest.param({"rate": 0}, {"rate": "expected a number above 0, got 0"}, id="on the lower bound"),
        pytest.param({"rate": 1.5}, {"rate": "expected a number below 1.5, got 1.5"}, id="on the upper bound"),
        pytest.param({"on": None}, {"on": "expected text, got null"}, id="null for text"),
        pytest.param({"parts": {}}, {"parts": "expected a list, got {}"}, id="an object for a list"),
        pytest.param({"parts": ["x"]}, {"parts[0]": "expected an object, got 'x'"}, id="text for an object"),
        pytest.param({"parts": [{"title": "a"}]}, {"parts[0].title": "expected at least 2 characters, got 1"}, id="too short"),
        pytest.param({"parts": [{"title": "abcd"}]}, {"parts[0].title": "expected at most 3 characters, got 4"}, id="too long"),
        pytest.param({"tags": []}, {"tags": "expected at least 1 item, got 0"}, id="too few"),
        pytest.param({"tags": ["a"] * 3}, {"tags": "expected at most 2 items, got 3"}, id="too many"),
        pytest.param({"true": 1}, {"true": "expected no such field, got 'true'; did you mean 'on'? YAML 1.1 reads a bare on as true, \"on\" as text"}, id="`on` as YAML 1.1 reads it"),
    ],
)  # fmt: skip
def test_a_problem_says_what_was_expected_and_what_came(
    document: Json, problems: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        _Whole.model_validate(document)

    found = problems_of(caught.value, document, names=["on", "enabled", "parts"])
    assert {problem.path: problem.message for problem in found} == problems


def test_numbers_without_a_fraction_are_numbers() -> None:
    whole = _Whole.model_validate({"rate": 1, "limit": 3, "parts": [{"title": "ab"}]})

    assert (whole.rate, whole.limit, whole.parts) == (1.0, 3, (_Part(title="ab"),))

"""Data made and judged without leaving the machine."""

from typing import Any

import pytest

from oncue.core.errors import PermanentError
from oncue.core.json_text import Json
from oncue.testing.vendors import Simulators
from tests.vendors import Ask, with_vendors


def ask_for(action: str, **document: Json) -> Any:
    async def use(_: Simulators, ask: Ask) -> Any:
        return await ask(action, document)

    return with_vendors(use)


@pytest.mark.parametrize(
    ("document", "made"),
    [
        ({"data": [1, 2, 3], "expr": "data.filter(n, n > 1)"}, [2, 3]),
        ({"data": {"a": 1}, "output": {"b": "{{ data.a }}", "c": "no {{ data.a }}"}}, {"b": 1, "c": "no 1"}),
    ],
)  # fmt: skip
def test_data_is_made_of_data(document: dict[str, Json], made: Json) -> None:
    assert ask_for("transform_data", **document) == made


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"data": 1, "expr": "data +"}, "expr: expected a value, got the end"),
        ({"data": {}, "expr": "data.x"}, "data.x: no such field"),
        ({"data": {}, "output": "{{ dta }}"}, "did you mean 'data'"),
        ({"data": {}}, "expected either 'expr' or 'output', got none"),
    ],
)
def test_what_cannot_be_made_is_named(document: dict[str, Json], message: str) -> None:
    with pytest.raises(PermanentError) as caught:
        ask_for("transform_data", **document)

    assert message in str(caught.value)


SCHEMA: Json = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "tags": {"items": {"type": "string"}}},
    "required": ["id"],
}


def test_valid_data_passes() -> None:
    assert ask_for("validate_data", data={"id": 1}, schema=SCHEMA) == {"valid": True, "errors": []}


def test_all_errors_are_listed_with_their_paths() -> None:
    found = ask_for("validate_data", data={"id": "x", "tags": ["a", 5]}, schema=SCHEMA, fail=False)

    assert found["valid"] is False
    assert [error["path"] for error in found["errors"]] == ["id", "tags[1]"]


def test_invalid_data_fails_the_step_unless_told_otherwise() -> None:
    with pytest.raises(PermanentError, match='1 errors in the data; data: "id" is a required'):
        ask_for("validate_data", data={}, schema=SCHEMA)


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(PermanentError, match="expected a JSON Schema"):
        ask_for("validate_data", data={}, schema={"type": "nope"})


def test_a_schema_leads_nowhere_else() -> None:
    with pytest.raises(PermanentError, match="Retrieval is disabled"):
        ask_for("validate_data", data={}, schema={"$ref": "http://127.0.0.1:1/schema.json"})


@pytest.mark.timeout(5)
@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "(a*)*b"])
def test_a_pattern_cannot_take_for_ever(pattern: str) -> None:
    found = ask_for(
        "validate_data", data="a" * 50_000 + "!", schema={"pattern": pattern}, fail=False
    )

    assert found["valid"] is False

"""Vendors' own OpenAPI documents, as far as they are on this machine."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SPECS = Path(__file__).parents[2] / "shared" / "specs"


def check_against_spec(file: str, schema: str, value: object) -> None:
    """Fail unless `value` is what the schema of that name says; skip where there is no document."""
    path = SPECS / file
    if not path.exists():
        pytest.skip("the vendors' specifications are not on this machine")
    components = _components(path)
    validator = Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": components}
    )
    assert [error.message for error in validator.iter_errors(value)] == []


@cache
def _components(path: Path) -> Any:
    return json.loads(path.read_text())["components"]

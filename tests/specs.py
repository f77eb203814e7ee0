"""Vendors' own specifications, as far as they are on this machine, and what they say of a request."""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values
from jsonschema import Draft202012Validator

from oncue.testing.vendors import ReceivedCall

SPECS = Path(__file__).parents[2] / "shared" / "specs"
_PARAMETER = re.compile(r"\\\{(\w+)\\\}")
_TYPES: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": lambda text: text == "true",
}


def check_against_spec(file: str, schema: str, value: object) -> None:
    """Fail unless `value` is what the schema of that name says; skip where there is no document."""
    _check({"$ref": f"#/components/schemas/{schema}"}, value, _document(file))


def check_request(file: str, call: ReceivedCall) -> None:
    """Fail unless an OpenAPI document has this path and method, and they take what was sent."""
    document = _document(file)
    parts = urlsplit(call.path)
    template, values = _operation(document, parts.path)
    operation = document["paths"][template].get(call.method.lower())
    assert operation, f"{call.method} {template}: no such operation"
    parameters = [*document["paths"][template].get("parameters", ()), *operation["parameters"]]
    known = {one["name"]: one["schema"] for one in parameters if one["in"] in ("path", "query")}
    for name, value in {**values, **call.query}.items():
        assert name in known, f"{name}: no such parameter of {template}"
        _check(known[name], value, document)
    media_type = call.headers["content-type"].partition(";")[0]
    schema = operation["requestBody"]["content"][media_type]["schema"]
    if "json" in media_type:
        _check(schema, call.body, document)
    else:
        fields = schema["properties"]
        assert set(call.form) <= set(fields)
        typed = {
            name: _TYPES.get(fields[name].get("type"), str)(value)
            for name, value in call.form.items()
        }
        _check(schema, typed, document)


def _operation(document: Any, path: str) -> tuple[str, dict[str, str]]:
    # A path without parameters is meant before one that has them.
    for template in sorted(document["paths"], key=lambda one: one.count("{")):
        pattern = _PARAMETER.sub(r"(?P<\1>[^/]+)", re.escape(template))
        if found := re.fullmatch(pattern, path):
            return template, {name: unquote(value) for name, value in found.groupdict().items()}
    raise AssertionError(f"{path}: no such path")


def _check(schema: Any, value: object, document: Any) -> None:
    validator = Draft202012Validator({**schema, "components": document["components"]})
    assert [error.message for error in validator.iter_errors(value)] == []


def text_of_spec(file: str) -> str:
    """Return a specification; skip where there is none."""
    path = SPECS / file
    if not path.exists():
        pytest.skip("the vendors' specifications are not on this machine")
    return path.read_text(encoding="utf-8")


@cache
def _document(file: str) -> Any:
    return json.loads(text_of_spec(file))


def check_graphql(file: str, call: ReceivedCall) -> None:
    """Fail unless a GraphQL schema takes the operation that was sent, and its variables."""
    body = call.body
    assert isinstance(body, dict)
    schema, document = _schema(file), parse(str(body["query"]))
    assert [error.message for error in validate(schema, document)] == []
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    values = get_variable_values(schema, operation.variable_definitions or (), body["variables"])
    assert not isinstance(values, list), values


@cache
def _schema(file: str) -> GraphQLSchema:
    return build_schema(text_of_spec(file), assume_valid=True)


def check_discovery(file: str, method: str, call: ReceivedCall) -> None:
    """Fail unless a method of a Google discovery document takes what was sent."""
    document = json.loads(text_of_spec(file))
    *resources, name = method.split(".")
    for resource in resources:
        document_of = document["resources"][resource]
    described = document_of["methods"][name]
    path = urlsplit(call.path).path
    template = f"/{document['servicePath']}{described['path']}"
    assert call.method == described["httpMethod"]
    assert re.fullmatch(_PARAMETER.sub("[^/]+", re.escape(template)), path), path
    for parameter, value in call.query.items():
        known = described["parameters"][parameter]
        assert value in known.get("enum", [value]), parameter
    if "request" in described:
        schemas = _closed(document["schemas"])
        _check(schemas[described["request"]["$ref"]], call.body, {"components": schemas})


def _closed(schema: Any) -> Any:
    """Return a discovery document's schemas as JSON Schema that allows no other properties."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    ours = {name: _closed(value) for name, value in schema.items() if name != "required"}
    if isinstance(ref := ours.get("$ref"), str):
        ours["$ref"] = f"#/components/{ref}"
    if ours.get("type") == "object" and "properties" in ours:
        ours["additionalProperties"] = ours.get("additionalProperties", False)
    ours.pop("id", None) if isinstance(ours.get("id"), str) else None
    return ours

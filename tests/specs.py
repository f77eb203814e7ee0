"""
Vendors' own specifications, as far as they are on this machine, and what they say of calls.

`check_exchanges` holds all that went between actions and simulated vendors against
them; where they are not, it does nothing.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, execute, parse, validate
from graphql.execution.values import get_variable_values
from jsonschema_rs import Draft202012Validator
from openai.types.chat import ChatCompletion
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from oncue.testing.vendors import Fixed, ReceivedCall, Simulator

SPECS = Path(__file__).parents[2] / "shared" / "specs"
RESEND = "resend.openapi.json"
TWILIO = "twilio_api_v2010.openapi.json"
LINEAR = "linear.schema.graphql"
GOOGLE = "google_calendar_v3.discovery.json"
_HUBSPOT = "hubspot_crm_v3_{}.openapi.json"
_TYPES: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": lambda text: text == "true",
}
# Of these the documents at hand do not tell.
_UNTOLD = ("/token", "/account-info/v3/details", "/v1/models")
_PARAMETER = re.compile(r"\\\{(\w+)\\\}")
_DATED = re.compile(r"/crm/objects/\d{4}-\d\d/")


def check_exchanges(vendors: Mapping[str, Simulator]) -> None:
    """Fail unless all that was asked of vendors is what they take, and their answers what they give."""
    if not SPECS.exists():
        return
    for name, vendor in vendors.items():
        refused = {id(call) for call, answer in vendor.answers if answer.status >= 400}
        for call in vendor.calls:
            # What a vendor itself refused was wrong on purpose.
            if id(call) not in refused:
                check_call(name, call)
        for call, answer in vendor.answers:
            check_answer(name, call, answer)


def check_call(vendor: str, call: ReceivedCall) -> None:
    """Fail unless the vendor's specification takes what was sent."""
    if urlsplit(call.path).path in _UNTOLD:
        return
    match vendor:
        case "resend":
            _check_request(RESEND, call)
        case "twilio":
            _check_request(TWILIO, call)
        case "hubspot" if file := _hubspot_file(call):
            _check_request(file, _classic(call))
        case "linear":
            _check_graphql(call)
        case "google_calendar":
            _check_discovery(call)
        case "ai":
            _check_question(call)


def check_answer(vendor: str, call: ReceivedCall, answer: Fixed) -> None:
    """Fail unless the vendor's specification has such an answer, as far as it has any."""
    if urlsplit(call.path).path in _UNTOLD or call.method == "HEAD":
        return
    match vendor:
        case "resend":
            _check_response(RESEND, call, answer)
        case "twilio":
            _check_response(TWILIO, call, answer)
        case "hubspot" if (file := _hubspot_file(call)) and answer.status != 429:
            _check_response(file, _classic(call), answer)
        case "linear" if answer.status == 200:
            _check_data(call, answer)
        case "google_calendar" if answer.status == 200:
            schemas = _closed(_document(GOOGLE)["schemas"])
            described = _google_method(call)["response"]
            _check(schemas[described["$ref"]], answer.body, {"components": schemas})
        case "ai" if answer.status == 200:
            assert ChatCompletion.model_validate(answer.body, strict=True).choices


def text_of_spec(file: str) -> str:
    """Return a specification; skip where there is none."""
    path = SPECS / file
    if not path.exists():
        pytest.skip("the vendors' specifications are not on this machine")
    return path.read_text(encoding="utf-8")


def _check_request(file: str, call: ReceivedCall) -> None:
    document = _document(file)
    template, values = _template(document["paths"], urlsplit(call.path).path)
    operation = document["paths"][template].get(call.method.lower())
    assert operation, f"{call.method} {template}: no such operation"
    known = dict(_parameters(document, template, operation))
    for name, value in {**values, **call.query}.items():
        assert name in known, f"{name}: no such parameter of {template}"
        _check(known[name], _typed(known[name], value), document)
    if "requestBody" not in operation:
        assert call.content == b""
        return
    media_type = call.headers["content-type"].partition(";")[0]
    schema = operation["requestBody"]["content"][media_type]["schema"]
    if "json" in media_type:
        _check(schema, call.body, document)
    else:
        fields = schema["properties"]
        assert set(call.form) <= set(fields)
        typed = {name: _typed(fields[name], value) for name, value in call.form.items()}
        _check(schema, typed, document)


def _check_response(file: str, call: ReceivedCall, answer: Fixed) -> None:
    document = _document(file)
    template, _ = _template(document["paths"], urlsplit(call.path).path)
    responses = document["paths"][template].get(call.method.lower(), {}).get("responses", {})
    found = responses.get(str(answer.status), responses.get("default"))
    if found is None:
        return
    if "$ref" in found:
        found = document["components"]["responses"][found["$ref"].rpartition("/")[2]]
    for content in list(found["content"].values())[:1]:
        _check(content["schema"], answer.body, document)


def _parameters(document: Any, template: str, operation: Any) -> Iterator[tuple[str, Any]]:
    listed = (*document["paths"][template].get("parameters", ()), *operation.get("parameters", ()))
    for one in listed:
        ref = one.get("$ref")
        described = document["components"]["parameters"][ref.rpartition("/")[2]] if ref else one
        if described["in"] in ("path", "query"):
            yield described["name"], described["schema"]


def _typed(schema: Any, value: str) -> Any:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return next((_TYPES[one] for one in kinds if one in _TYPES), str)(value)


def _template(paths: Any, path: str) -> tuple[str, dict[str, str]]:
    # A path without parameters is meant before one that has them.
    for template in sorted(paths, key=lambda one: one.count("{")):
        pattern = _PARAMETER.sub(r"(?P<\1>[^/]+)", re.escape(template))
        if found := re.fullmatch(pattern, path):
            return template, {name: unquote(value) for name, value in found.groupdict().items()}
    raise AssertionError(f"{path}: no such path")


def _hubspot_file(call: ReceivedCall) -> str | None:
    """Return the document of a type of records; a type of somebody's own has none."""
    kind = _classic(call).path.split("/")[4].partition("?")[0]
    file = _HUBSPOT.format({"0-3": "deals"}.get(kind, kind))
    return file if (SPECS / file).exists() else None


def _classic(call: ReceivedCall) -> ReceivedCall:
    """Return a call as the classic API has it, by the paths of the documents at hand."""
    path = _DATED.sub("/crm/v3/objects/", call.path)
    path = path.replace("/objects/deals", "/objects/0-3")
    if path.endswith("/batch/upsert"):
        # What is the same for all types stands in the document of one.
        path = "/crm/v3/objects/companies/batch/upsert"
    return ReceivedCall(call.method, path, call.headers, call.content)


def _check_graphql(call: ReceivedCall) -> None:
    body = call.body
    assert isinstance(body, dict)
    schema, document = _schema(), parse(str(body["query"]))
    assert [error.message for error in validate(schema, document)] == []
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    given: Any = body.get("variables", {})
    values = get_variable_values(schema, operation.variable_definitions or (), given)
    assert not isinstance(values, list), values


def _check_data(call: ReceivedCall, answer: Fixed) -> None:
    """Fail unless the schema, asked the same of this data, gives the same answer."""
    body: Any = call.body
    told: Any = answer.body
    given = body.get("variables", {})
    found: Any = execute(_schema(), parse(body["query"]), told["data"], variable_values=given)
    assert (found.errors, found.data) == (None, told["data"])


@cache
def _schema() -> GraphQLSchema:
    return build_schema(text_of_spec(LINEAR), assume_valid=True)


def _check_discovery(call: ReceivedCall) -> None:
    document, described = _document(GOOGLE), _google_method(call)
    for parameter, value in call.query.items():
        known = described["parameters"][parameter]
        assert value in known.get("enum", [value]), parameter
        _typed(known, value)
    if "request" in described:
        schemas = _closed(document["schemas"])
        _check(schemas[described["request"]["$ref"]], call.body, {"components": schemas})


def _google_method(call: ReceivedCall) -> Any:
    document = _document(GOOGLE)
    path = urlsplit(call.path).path.removeprefix(f"/{document['servicePath']}")
    methods = [m for one in document["resources"].values() for m in one["methods"].values()]
    known = {m["path"]: m for m in methods if m["httpMethod"] == call.method}
    return known[_template(known, path)[0]]


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
    if ours.get("type") == "any":
        del ours["type"]
    if isinstance(ours.get("id"), str):
        del ours["id"]
    return ours


def _check_question(call: ReceivedCall) -> None:
    asked: Any = call.body
    taken = TypeAdapter(CompletionCreateParamsNonStreaming).validate_python(asked)
    assert [*taken["messages"]] == asked["messages"]
    assert set(asked) <= set(CompletionCreateParamsNonStreaming.__annotations__)


def _check(schema: Any, value: object, document: Any) -> None:
    validator = Draft202012Validator({**schema, "components": document["components"]})
    assert [error.message for error in validator.iter_errors(value)] == []


def _nullable(schema: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema has it: what may be null says so as a type."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    ours = {name: _nullable(value) for name, value in schema.items()}
    if ours.get("nullable") is True and isinstance(ours.get("type"), str):
        ours["type"] = [ours["type"], "null"]
        if "enum" in ours:
            ours["enum"] = [*ours["enum"], None]
    return ours


@cache
def _document(file: str) -> Any:
    return _nullable(json.loads(text_of_spec(file)))

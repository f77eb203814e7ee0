"""`/openapi.json`: what all endpoints say of themselves, as one document."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from oncue import __version__
from oncue.core.json_text import Json
from oncue.core.pattern.definition import Pattern
from oncue.core.workflow.definition import Workflow
from oncue.web.endpoint import JSON_TYPE, OPEN, Body, Endpoint, Gives
from oncue.web.schemas import QUERY, SAVED, SCHEMAS
from oncue.web.shapes import OBJECT, TEXT, Schema, page, ref

_PARAMETER = re.compile(r"{(\w+)(?::path)?}")
_MEANING: Final[Mapping[int, str]] = {
    400: "The body is not JSON, or not UTF-8.",
    401: "No key, or an unknown one.",
    403: "The key lacks the scope.",
    404: "No such thing in this account.",
    409: "It changed, or exists already.",
    412: "`If-Match` names another version.",
    413: "The body is too large.",
    415: "Another media type than the path takes.",
    422: "All that is wrong with the request, with places.",
    429: "The account used what it may; see `Retry-After`.",
    503: "No room; see `Retry-After`.",
}
# Bodies and answers have these in them.
_MODELS: Final[tuple[type[BaseModel], ...]] = (Workflow, Pattern)


def document(endpoints: Iterable[Endpoint]) -> dict[str, Json]:
    """Return the OpenAPI 3.1 document of `endpoints`."""
    shown = list(endpoints)
    bodies = [e.body.schema for e in shown if e.body and not isinstance(e.body.schema, str)]
    models = dict.fromkeys([*_MODELS, *bodies])
    _, definitions = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Json]] = {}
    for endpoint in shown:
        path = _PARAMETER.sub(r"{\1}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint)
    models_shown: dict[str, Schema] = definitions.get("$defs", {})
    saved = {name: _saved(models_shown[kind], added) for name, (kind, added) in SAVED.items()}
    schemas: dict[str, Json] = {**models_shown, **saved, **SCHEMAS}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OnCue",
            "version": __version__,
            "description": "Events come in, patterns watch them, matches start workflows.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(paths),
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _saved(document_: Schema, added: Schema) -> Schema:
    """Return the schema of a document with what is added to it; defaults are left out of it."""
    properties, more = document_["properties"], added["properties"]
    required, further = document_["required"], added["required"]
    assert isinstance(properties, dict)
    assert isinstance(more, dict)
    assert isinstance(required, list)
    assert isinstance(further, list)
    shown: Json = {**properties, **more}
    return {"type": "object", "properties": shown, "required": [*required, *further]}


def _operation(endpoint: Endpoint) -> dict[str, Json]:
    operation: dict[str, Json] = {
        "summary": endpoint.summary,
        "operationId": _operation_id(endpoint),
        "tags": [endpoint.path.split("/")[1] or "page"],
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint),
    }
    if endpoint.scope != OPEN:
        operation["security"] = [{"key": []}]
        operation["description"] = f"Needs a key with the scope `{endpoint.scope}`."
    else:
        operation["security"] = []
    if endpoint.body:
        operation["requestBody"] = _body(endpoint.body)
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"\w+", _PARAMETER.sub(r"by_\1", endpoint.path))
    return "_".join([endpoint.method.lower(), *words]).replace("-", "_")


def _parameters(endpoint: Endpoint) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": dict(TEXT)}
        for name in _PARAMETER.findall(endpoint.path)
    ]
    for name in endpoint.query:
        schema = {key: value for key, value in QUERY[name].items() if key != "description"}
        told = QUERY[name].get("description", "")
        found.append({"name": name, "in": "query", "description": told, "schema": schema})
    if 412 in endpoint.gives.also:
        found.append(_header("If-Match", "The version that is meant."))
    if "Idempotency-Key" in endpoint.gives.also.get(409, ""):
        found.append(_header("Idempotency-Key", "A repeat with it gets the first one's answer."))
    return found


def _header(name: str, meaning: str) -> Json:
    header: Json = {"name": name, "in": "header", "description": meaning, "schema": dict(TEXT)}
    return header


def _body(body: Body) -> Json:
    name = body.schema if isinstance(body.schema, str) else body.schema.__name__
    content: dict[str, Json] = {}
    for media_type in body.media_types:
        shown: dict[str, Json] = {"schema": OBJECT if name == "object" else ref(name)}
        if body.example is not None and media_type.endswith("json"):
            shown["example"] = body.example
        content[media_type] = shown
    return {"required": body.is_required, "content": content}


def _responses(endpoint: Endpoint) -> dict[str, Json]:
    problems = dict(endpoint.gives.also)
    expected = [503]
    if endpoint.scope != OPEN:
        expected += [401, 403]
    if "{" in endpoint.path:
        expected.append(404)
    if endpoint.body:
        expected += [400, 413, 415, 422]
    elif endpoint.query:
        expected.append(422)
    for status in expected:
        problems.setdefault(status, _MEANING[status])
    answers: dict[str, Json] = {str(endpoint.gives.status): _answer(endpoint.gives)}
    for status, meaning in sorted(problems.items()):
        is_problem = status >= 400
        media_type = "application/problem+json" if is_problem else JSON_TYPE
        content = {media_type: {"schema": ref("Problem") if is_problem else OBJECT}}
        answers[str(status)] = {"description": meaning or _MEANING[status], "content": content}
    return answers


def _answer(gives: Gives) -> Json:
    if gives.schema is None:
        return {"description": "It is so."}
    schema: Schema = page(gives.schema.removesuffix("[]")) if gives.is_list else ref(gives.schema)
    if not gives.media_type.endswith("json"):
        schema = dict(TEXT)
    return {"description": "As asked for.", "content": {gives.media_type: {"schema": schema}}}

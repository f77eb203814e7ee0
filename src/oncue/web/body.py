"""Request bodies: read to a limit, parsed once."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from oncue.core.errors import InvalidInput, MalformedJson, Problem
from oncue.core.json_text import Json, parse_json
from oncue.core.problems import problems_of
from oncue.core.yaml_text import parse_yaml

Model = TypeVar("Model", bound=BaseModel)

JSON = ("application/json",)
YAML = ("application/yaml", "text/yaml", "application/x-yaml")
PATCH = ("application/json", "application/merge-patch+json")


async def read_json(request: Request, max_bytes: int, media_types: Collection[str] = JSON) -> Json:
    """
    Return the JSON value in the body.

    Raises:
        HTTPException: 413 above `max_bytes`, 415 for another media type.
        MalformedJson: it is not JSON.
    """
    check_media_type(request, media_types)
    return parse_json(await read_bytes(request, max_bytes))


async def read_document(request: Request, max_bytes: int) -> Json:
    """
    Return the definition in the body, which is JSON or YAML.

    Raises:
        HTTPException: 413 above `max_bytes`, 415 for another media type.
        MalformedJson: it is neither.
    """
    media_type = check_media_type(request, (*JSON, *YAML))
    content = await read_bytes(request, max_bytes)
    if media_type in JSON:
        return parse_json(content)
    try:
        return parse_yaml(content.decode())
    except UnicodeDecodeError as exc:
        raise MalformedJson("expected UTF-8") from exc


async def read_object(
    request: Request, max_bytes: int, media_types: Collection[str] = JSON
) -> Mapping[str, Json]:
    """
    Return the JSON object in the body.

    Raises:
        HTTPException: 413 above `max_bytes`, 415 for another media type.
        MalformedJson: it is not JSON.
        InvalidInput: it is another value.
    """
    given = await read_json(request, max_bytes, media_types)
    if not isinstance(given, Mapping):
        raise InvalidInput([Problem("", "expected an object, got something else")])
    return given


async def read_patch(request: Request, max_bytes: int) -> Mapping[str, Json]:
    """
    Return the JSON Merge Patch (RFC 7396) of an object in the body.

    Raises:
        HTTPException: 413 above `max_bytes`, 415 for another media type.
        MalformedJson: it is not JSON.
        InvalidInput: it would make something else of an object.
    """
    return await read_object(request, max_bytes, PATCH)


async def read_optional_json(request: Request, max_bytes: int) -> Json:
    """
    Return the JSON value in the body, an empty object where there is no body.

    Raises:
        HTTPException: 413 above `max_bytes`, 415 for another media type.
        MalformedJson: it is not JSON.
    """
    content = await read_bytes(request, max_bytes)
    if not content:
        return {}
    check_media_type(request, JSON)
    return parse_json(content)


def read_model(model: type[Model], body: Json, inner: Iterable[str] = ()) -> Model:
    """
    Return `body` as a model; `inner` are the names of fields within its fields.

    Raises:
        InvalidInput: with all problems.
    """
    try:
        return model.model_validate(body)
    except ValidationError as exc:
        outer = [field.alias or name for name, field in model.model_fields.items()]
        names = [*outer, *inner]
        raise InvalidInput(problems_of(exc, body, names=names)) from exc


def check_media_type(request: Request, media_types: Collection[str]) -> str:
    """
    Return the media type of the body, by default the first of `media_types`.

    Raises:
        HTTPException: 415, it is none of them.
    """
    default = next(iter(media_types))
    given = request.headers.get("content-type", default).partition(";")[0].strip().lower()
    if given not in media_types:
        raise HTTPException(415, f"expected {' or '.join(media_types)}, got {given!r}")
    return given


async def read_bytes(request: Request, max_bytes: int) -> bytes:
    """
    Return the body.

    Raises:
        HTTPException: 413 above `max_bytes`.
    """
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > max_bytes:
        raise _too_large(max_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(max_bytes: int) -> HTTPException:
    return HTTPException(413, f"expected at most {max_bytes} bytes")

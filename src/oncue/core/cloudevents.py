"""
CloudEvents 1.0 on the wire: structured JSON, and HTTP's binary mode.

Plain JSON may leave out what OnCue can supply; whoever says that it sends
CloudEvents is held to the specification.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from oncue.core.errors import InvalidInput, Problem
from oncue.core.event import IncomingEvent, parse_event
from oncue.core.json_text import Json, parse_json

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
HEADER_PREFIX: Final = "ce-"
_REQUIRED: Final = ("specversion", "id", "source", "type")


def parse_cloudevent(value: Json, fresh_id: Callable[[], str]) -> IncomingEvent:
    """
    Return the event that a JSON object in the CloudEvents JSON format spells.

    Raises:
        InvalidInput: with all problems.
    """
    if not isinstance(value, Mapping):
        return parse_event(value, fresh_id)
    # JSON format §2.2: an attribute that is null is one that is not there.
    given = {name: item for name, item in value.items() if item is not None or name == "data"}
    problems = [
        Problem(name, f"expected the CloudEvents attribute {name!r}, got none")
        for name in _REQUIRED
        if name not in given
    ]
    try:
        event = parse_event(given, fresh_id)
    except InvalidInput as exc:
        named = {problem.path for problem in problems}
        problems += [problem for problem in exc.problems if problem.path not in named]
        raise InvalidInput(problems) from exc
    if problems:
        raise InvalidInput(problems)
    return event


def read_binary(headers: Iterable[tuple[str, str]], content_type: str, body: bytes) -> Json:
    """
    Return as a JSON object the event whose attributes are `ce-*` headers and whose data is `body`.

    The headers are decoded already.

    Raises:
        MalformedJson: the body says that it is JSON, and is not.
        InvalidInput: a text body is not UTF-8, or `ce-data` is a header.
    """
    value: dict[str, Json] = {
        name.removeprefix(HEADER_PREFIX): text
        for name, text in headers
        if name.startswith(HEADER_PREFIX)
    }
    forbidden = sorted({"data", "data_base64", "datacontenttype"} & value.keys())
    if forbidden:
        raise InvalidInput(
            Problem(f"{HEADER_PREFIX}{name}", "expected the body or Content-Type to carry it")
            for name in forbidden
        )
    media_type = content_type.partition(";")[0].strip().lower()
    if content_type and media_type != "application/json":
        value["datacontenttype"] = content_type
    if body:
        value |= _data(media_type, body)
    return value


def _data(media_type: str, body: bytes) -> dict[str, Json]:
    if media_type == "application/json" or media_type.endswith("+json"):
        return {"data": parse_json(body)}
    if media_type.startswith("text/"):
        try:
            return {"data": body.decode()}
        except UnicodeDecodeError as exc:
            raise InvalidInput([Problem("data", "expected UTF-8 text")]) from exc
    return {"data_base64": b64encode(body).decode()}

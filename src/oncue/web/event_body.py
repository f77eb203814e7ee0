"""Events in a request: plain JSON, or CloudEvents in one of their three modes."""

import asyncio
from collections.abc import Iterator, Sized
from dataclasses import dataclass
from urllib.parse import unquote

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from oncue.core.cloudevents import BATCH, HEADER_PREFIX, STRUCTURED, parse_cloudevent, read_binary
from oncue.core.errors import InvalidInput, MalformedJson, Problem
from oncue.core.event import parse_event
from oncue.core.json_text import Json, parse_json
from oncue.engine.ingest import Parse
from oncue.web.body import read_bytes
from oncue.web.context import Limits

_PLAIN = "application/json"


@dataclass(frozen=True, slots=True)
class EventBody:
    """One event, or the events of a batch, and what makes an event of each value."""

    values: list[Json]
    parse: Parse
    is_batch: bool


async def read_event(request: Request, limits: Limits) -> EventBody:
    """
    Return what was posted to where one event is expected; a CloudEvents batch says that it is one.

    Raises:
        HTTPException: 413 too large, 415 none of the media types.
        MalformedJson: the body is not JSON.
        InvalidInput: a binary event cannot be read.
    """
    content_type = request.headers.get("content-type", _PLAIN)
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == BATCH:
        return await read_batch(request, limits)
    is_binary = media_type != STRUCTURED and f"{HEADER_PREFIX}specversion" in request.headers
    if not is_binary and media_type not in (_PLAIN, STRUCTURED):
        raise HTTPException(
            415, f"expected {_PLAIN}, {STRUCTURED} or ce-* headers, got {media_type!r}"
        )
    body = await read_bytes(request, limits.event_bytes)
    if is_binary:
        given = request.headers.get("content-type", "")
        return EventBody(
            [read_binary(_attributes(request), given, body)], parse_cloudevent, is_batch=False
        )
    parse = parse_event if media_type == _PLAIN else parse_cloudevent
    return EventBody([parse_json(body)], parse, is_batch=False)


async def read_batch(request: Request, limits: Limits) -> EventBody:
    """
    Return the events of a list.

    Raises:
        HTTPException: 413 too many or too large, 415 none of the media types.
        MalformedJson: the body is not JSON.
        InvalidInput: it is no list, or empty.
    """
    media_type = request.headers.get("content-type", _PLAIN).partition(";")[0].strip().lower()
    if media_type not in (_PLAIN, BATCH):
        raise HTTPException(415, f"expected {_PLAIN} or {BATCH}, got {media_type!r}")
    body = await read_bytes(request, limits.event_bytes * limits.batch_events)
    values = await _values(body, limits)
    if not isinstance(values, list):
        raise InvalidInput([Problem("", "expected a list of events, got something else")])
    if not values:
        raise InvalidInput([Problem("", "expected at least one event, got none")])
    _check_count(values, limits)
    parse = parse_event if media_type == _PLAIN else parse_cloudevent
    return EventBody(values, parse, is_batch=True)


def _attributes(request: Request) -> Iterator[tuple[str, str]]:
    # HTTP binding §3.1.3.2: values are percent-encoded UTF-8.
    for name, text in request.headers.items():
        yield name, unquote(text) if name.startswith(HEADER_PREFIX) else text


_decode_parts = msgspec.json.Decoder(list[msgspec.Raw]).decode


async def _values(body: bytes, limits: Limits) -> Json:
    """Return what a batch spells; a large one an event at a time, so that others have turns."""
    if len(body) <= limits.event_bytes:
        return parse_json(body)
    try:
        parts = _decode_parts(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return parse_json(body)
    _check_count(parts, limits)
    values: list[Json] = []
    in_a_row = 0
    for index, part in enumerate(map(bytes, parts)):
        if len(part) > limits.event_bytes:
            raise HTTPException(
                413, f"expected events of at most {limits.event_bytes} bytes, got [{index}]"
            )
        try:
            values.append(parse_json(part))
        except MalformedJson as exc:
            raise MalformedJson(f"[{index}]: {exc}") from exc
        in_a_row += len(part)
        if in_a_row >= limits.event_bytes:
            in_a_row = 0
            await asyncio.sleep(0)
    return values


def _check_count(events: Sized, limits: Limits) -> None:
    if len(events) > limits.batch_events:
        raise HTTPException(
            413, f"expected at most {limits.batch_events} events, got {len(events)}"
        )

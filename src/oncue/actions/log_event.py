"""Events of our own in the account's log, which patterns see like any others."""

from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from oncue.core.action import Action, Call, Idempotency, Origin
from oncue.core.errors import InvalidInput, PermanentError
from oncue.core.event import (
    DEPTH,
    MAX_DATA_BYTES,
    MAX_DEPTH,
    MAX_TEXT,
    OWN_SOURCE,
    IncomingEvent,
    parse_event,
    refuse_own_source,
)
from oncue.core.ids import digest
from oncue.core.json_text import Json, encode_json

_ID_CHARS = 32


def _type(text: str) -> str:
    try:
        parse_event({"type": text}, lambda: "")
    except InvalidInput as exc:
        raise ValueError(exc.problems[0].message) from exc
    return text


class EventInput(BaseModel):
    """The event."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, AfterValidator(_type)] = Field(
        description="What kind of thing happened.", examples=["order.shipped"]
    )
    data: Json = Field(default=None, description="Any JSON, at most 256 KiB.")
    subject: str | None = Field(
        default=None, min_length=1, max_length=MAX_TEXT, description="About whom or what."
    )
    level: Literal["debug", "info", "warning", "error"] | None = Field(
        default=None, description="How grave it is; becomes the event's attribute `level`."
    )


class EventOutput(BaseModel):
    """The event's id; a repeated attempt gives the same one."""

    id: str


class WholeEventInput(BaseModel):
    """The event as `POST /events` takes it."""

    model_config = ConfigDict(extra="forbid")

    event: dict[str, Json] = Field(
        description="`type`, and if wanted `data`, `subject`, `source`, `id`, `time` and attributes.",
        examples=[{"type": "order.shipped"}],
    )


def _checked_depth(origin: Origin | None, data: Json) -> int:
    """Return how many executions led here; a circle of them, or too much data, ends here."""
    depth = origin.depth if origin else 0
    if depth >= MAX_DEPTH:
        raise PermanentError(
            f"expected at most {MAX_DEPTH} executions in a row that start each other by events, "
            "got one more: workflows start each other in a circle"
        )
    if (size := len(encode_json(data))) > MAX_DATA_BYTES:
        raise PermanentError(f"data: expected at most {MAX_DATA_BYTES} bytes of JSON, got {size}")
    return depth


def _source(origin: Origin | None) -> str:
    return f"{OWN_SOURCE}/execution/{origin.execution_id}" if origin else OWN_SOURCE


async def _emit(call: Call[WholeEventInput]) -> Json:
    id_ = f"evt_{digest(['emit_event', call.idempotency_key])[:_ID_CHARS]}"
    given = {"source": _source(call.origin), **call.input.event}
    try:
        event = parse_event(given, lambda: id_)
        if "source" in call.input.event:
            refuse_own_source(event)
    except InvalidInput as exc:
        first = exc.problems[0]
        raise PermanentError(f"event.{first.path}: {first.message}".replace(".:", ":")) from exc
    depth = _checked_depth(call.origin, event.data)
    attributes = {**event.attributes, DEPTH: depth + 1}
    await call.store.append(msgspec.structs.replace(event, attributes=attributes))
    return {"id": event.id}


async def _append(call: Call[EventInput]) -> Json:
    given, origin = call.input, call.origin
    depth = _checked_depth(origin, given.data)
    level: dict[str, Json] = {} if given.level is None else {"level": given.level}
    event = IncomingEvent(
        id=f"evt_{digest(['log_event', call.idempotency_key])[:_ID_CHARS]}",
        source=_source(origin),
        type=given.type,
        subject=given.subject,
        time_ms=None,
        data=given.data,
        attributes={**level, DEPTH: depth + 1},
    )
    await call.store.append(event)
    return {"id": event.id}


LOG_EVENT = Action(
    name="log_event",
    summary="Append an event to the account's own log; it may start workflows.",
    integration="oncue",
    category="data",
    input=EventInput,
    output=EventOutput,
    # We choose the event's id: the log refuses a second one with it.
    idempotency=Idempotency.CLIENT_ID,
    example={"type": "order.shipped", "data": {"id": 42}, "level": "info"},
    perform=_append,
    takes_secrets=False,
)
EMIT_EVENT = Action(
    name="emit_event",
    summary="Append a whole event to the account's own log, as `POST /events` does.",
    integration="oncue",
    category="data",
    input=WholeEventInput,
    output=EventOutput,
    idempotency=Idempotency.CLIENT_ID,
    example={"event": {"type": "order.shipped", "subject": "order-42", "data": {"by": "post"}}},
    perform=_emit,
    takes_secrets=False,
)

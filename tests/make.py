"""Builders: valid by default, changed by keyword."""

from oncue.core.event import Event, IncomingEvent
from oncue.core.json_text import Json


def make_document(**changes: Json) -> dict[str, Json]:
    """A workflow of one step, as a user writes it."""
    document: dict[str, Json] = {
        "name": "greet",
        "on": {"type": "event", "event": "user.signup"},
        "steps": [{"id": "hello", "type": "transform", "output": {"said": "hello"}}],
    }
    return document | changes


def make_call(step_id: str, **changes: Json) -> dict[str, Json]:
    """An action step that calls `note`, the action of `RecordingActions`."""
    step: dict[str, Json] = {
        "id": step_id,
        "type": "action",
        "action": "note",
        "with": {"text": step_id},
    }
    return step | changes


def make_incoming(**changes: object) -> IncomingEvent:
    fields: dict[str, object] = {
        "id": "e-1",
        "source": "web",
        "type": "user.signup",
        "subject": None,
        "time_ms": 1_000,
        "data": {"plan": "enterprise"},
        "attributes": {},
    }
    return IncomingEvent(**(fields | changes))  # type: ignore[arg-type] # overrides of any field


def make_event(**changes: object) -> Event:
    fields: dict[str, object] = {
        "offset": 1,
        "received_at_ms": 2_000,
        "id": "e-1",
        "source": "web",
        "type": "user.signup",
        "subject": None,
        "time_ms": 1_000,
        "data": {"plan": "enterprise"},
        "attributes": {},
    }
    return Event(**(fields | changes))  # type: ignore[arg-type] # overrides of any field

"""The event that says that a schedule fired, and the pattern that waits for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from oncue.core.event import OWN_SOURCE, IncomingEvent
from oncue.core.ids import derived_id
from oncue.core.instants import format_instant, format_instant_if_any
from oncue.core.json_text import Json
from oncue.core.own_events import SCHEDULE_FIRED
from oncue.core.schedule.document import OWN_MEMBER


@dataclass(frozen=True, slots=True)
class Occasion:
    """Which schedule fires, and with what."""

    schedule_id: str
    name: str
    zone: str
    data: Mapping[str, Json]


def fired_event(
    occasion: Occasion, tick_ms: int, previous_ms: int | None, missed: int
) -> IncomingEvent:
    """
    Return the event of a tick.

    Its id comes of the schedule and the tick alone, so that the log refuses a second
    one, also when the schedule was changed in between. Its time is that of its
    arrival: to patterns it is never late, however late it fires.
    """
    told: Json = {
        "id": occasion.schedule_id,
        "name": occasion.name,
        "scheduled_at": format_instant(tick_ms),
        "previous_at": format_instant_if_any(previous_ms),
        "missed": missed,
        "time_zone": occasion.zone,
    }
    return IncomingEvent(
        id=fired_id(occasion.schedule_id, tick_ms),
        source=OWN_SOURCE,
        type=SCHEDULE_FIRED,
        subject=occasion.name,
        time_ms=None,
        data={**occasion.data, OWN_MEMBER: told},
        attributes={},
    )


def fired_id(schedule_id: str, tick_ms: int) -> str:
    """Return the id of the event of a tick."""
    return derived_id("evt", tick_ms, [schedule_id, tick_ms])


def pattern_of(schedule_id: str) -> dict[str, Json]:
    """Return the condition that each event of a schedule fulfils."""
    is_it = f"event.source == '{OWN_SOURCE}' && event.data.{OWN_MEMBER}.id == '{schedule_id}'"
    return {"type": "event", "event": SCHEDULE_FIRED, "where": is_it}

"""
Meetings in Google Calendar (API v3, `events.insert`).

We choose the event's id from the idempotency key, so a second insert is refused
by 409, and what is there already is looked up.
"""

from datetime import datetime, timedelta
from typing import Annotated, Final, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from oncue.actions.urls import segment
from oncue.core.action import Action, Call, HttpAnswer, HttpRequest, Idempotency, Need
from oncue.core.documents import DurationMs
from oncue.core.errors import ActionError, PermanentError, RetryableError
from oncue.core.http_answer import error_object, failure, read_object, retry_after_ms
from oncue.core.ids import digest
from oncue.core.json_text import Json, encode_json
from oncue.core.time_zones import Zone

_VENDOR: Final = "Google Calendar"
# Google answers 403 to who asks too often as well as to who may not.
_MAY_PASS: Final = frozenset(("rateLimitExceeded", "userRateLimitExceeded", "backendError"))
_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_MAX_GUESTS: Final = 200


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"expected a time such as 2026-11-23T09:00:00, got {text!r}") from exc
    if len(text) <= len("2026-11-23"):
        raise ValueError(f"expected a time of day as well, got {text!r}")
    return moment.isoformat()


Moment = Annotated[str, AfterValidator(_moment)]


class MeetingInput(BaseModel):
    """One meeting."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, description="What it is about.")
    start: Moment = Field(
        description="When it begins: RFC 3339, or without an offset in `time_zone`.",
        examples=["2026-11-23T09:00:00"],
    )
    end: Moment | None = Field(default=None, description="When it ends.")
    duration: Annotated[DurationMs, Field(gt=0)] | None = Field(
        default=None, description="How long it lasts, instead of `end`.", examples=["30m"]
    )
    time_zone: Zone | None = Field(
        default=None, description="The zone of the place.", examples=["Europe/Zurich"]
    )
    attendees: list[str] = Field(
        default_factory=list, max_length=_MAX_GUESTS, description="E-mail addresses; all are told."
    )
    calendar: str = Field(default="primary", description="Whose calendar: `primary`, or an id.")
    description: str | None = Field(default=None, description="More; may be HTML.")
    location: str | None = Field(default=None, description="Where.")
    video: bool = Field(default=False, description="Whether there is a room on Google Meet.")

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if (self.end is None) == (self.duration is None):
            got = "none" if self.end is None else "both"
            raise ValueError(f"expected either 'end' or 'duration', got {got}")
        moments = [datetime.fromisoformat(text) for text in (self.start, self.end) if text]
        if self.time_zone is None and any(moment.tzinfo is None for moment in moments):
            raise ValueError("expected an offset in each time, or 'time_zone', got none")
        if self.end is not None and self._instant(self.end) <= self._instant(self.start):
            raise ValueError("expected an end after the start, got one before it")
        return self

    def _instant(self, text: str) -> datetime:
        moment = datetime.fromisoformat(text)
        zone = ZoneInfo(self.time_zone) if self.time_zone else None
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    @property
    def ends_at(self) -> str:
        """The end, whichever way it was given."""
        if self.end is not None:
            return self.end
        # By the clock on the wall the zone may change in between; elapsed time is meant.
        start = self._instant(self.start)
        utc = start - (start.utcoffset() or timedelta())
        end = utc.replace(tzinfo=None) + timedelta(milliseconds=self.duration or 0)
        return f"{end.isoformat(timespec='seconds')}Z"


class MeetingOutput(BaseModel):
    """What Google calls the meeting, where it is shown, and where to meet."""

    id: str
    url: str
    video_url: str | None = None


async def _schedule(call: Call[MeetingInput]) -> Json:
    given = call.input
    id_ = digest(["schedule_meeting", call.idempotency_key])
    asked: dict[str, str] = {"sendUpdates": "all"} if given.attendees else {}
    if given.video:
        asked["conferenceDataVersion"] = "1"
    answer = await _send(call, "POST", f"?{urlencode(asked)}" if asked else "", _event(given, id_))
    if answer.status == _CONFLICT:
        made = await _send(call, "GET", f"/{id_}", None)
        # Where it is not there, something else is in the way.
        answer = answer if made.status == _NOT_FOUND else made
    if not 200 <= answer.status < 300:
        raise _refusal(answer)
    event = read_object(answer, _VENDOR)
    shown: dict[str, Json] = {"id": event.get("id"), "url": event.get("htmlLink")}
    return {**shown, "video_url": event.get("hangoutLink")}


def _event(given: MeetingInput, id_: str) -> dict[str, Json]:
    zone: dict[str, Json] = {"timeZone": given.time_zone} if given.time_zone else {}
    event: dict[str, Json] = {
        "id": id_,
        "summary": given.title,
        "start": {"dateTime": given.start, **zone},
        "end": {"dateTime": given.ends_at, **zone},
    }
    if given.attendees:
        event["attendees"] = [{"email": address} for address in given.attendees]
    if given.description is not None:
        event["description"] = given.description
    if given.location is not None:
        event["location"] = given.location
    if given.video:
        # The same id asks for the same room again.
        event["conferenceData"] = {"createRequest": {"requestId": id_}}
    return event


async def _send(call: Call[MeetingInput], method: str, place: str, event: Json) -> HttpAnswer:
    credentials = call.credentials
    calendar = segment(call.input.calendar)
    base_url = credentials["base_url"].rstrip("/")
    return await call.send(
        HttpRequest(
            method=method,
            url=f"{base_url}/calendar/v3/calendars/{calendar}/events{place}",
            headers={
                "Authorization": f"Bearer {credentials['token']}",
                "Content-Type": "application/json",
            },
            body=None if event is None else encode_json(event),
        )
    )


def _refusal(answer: HttpAnswer) -> ActionError:
    reason, says = _reason(error_object(answer).get("error"))
    if reason in _MAY_PASS:
        told = f"{_VENDOR} answered {answer.status}: {says}"
        return RetryableError(told, retry_after_ms=retry_after_ms(answer))
    if answer.status == 401:
        return PermanentError(
            f"{_VENDOR} refused the token of the connection, or GOOGLE_CALENDAR_TOKEN: {says}"
        )
    return failure(answer, _VENDOR, says=says, permanent=frozenset((_CONFLICT,)))


def _reason(error: Json) -> tuple[str, str | None]:
    match error:
        case {"message": str(message), "errors": [{"reason": str(reason)}, *_]}:
            return reason, f"{message} ({reason})"
        case {"message": str(message)}:
            return "", message
        case _:
            return "", None


SCHEDULE_MEETING = Action(
    name="schedule_meeting",
    summary="Put a meeting into Google Calendar.",
    integration="google_calendar",
    category="integrations",
    input=MeetingInput,
    output=MeetingOutput,
    idempotency=Idempotency.CLIENT_ID,
    example={
        "title": "Kick-off",
        "start": "2026-11-23T09:00:00",
        "duration": "30m",
        "time_zone": "Europe/Zurich",
        "attendees": ["ada@example.com"],
    },
    perform=_schedule,
    needs=(Need("token", "GOOGLE_CALENDAR_TOKEN"),),
)

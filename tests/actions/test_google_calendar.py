"""Meetings in Google Calendar: what is inserted, when it ends, once for a key, and refusals."""

from typing import Any

import pytest

from oncue.core.errors import OutcomeUnknown, PermanentError, RetryableError
from oncue.core.ids import digest
from oncue.core.json_text import Json
from oncue.testing.vendors import LOSE_ANSWER, Fixed, Simulators
from tests.vendors import KEY, Ask, with_vendors

ID = digest(["schedule_meeting", KEY])
MEETING: dict[str, Json] = {
    "title": "Kick-off",
    "start": "2026-11-23T09:00:00",
    "duration": "30m",
    "time_zone": "Europe/Zurich",
    "attendees": ["ada@example.com"],
    "calendar": "team@example.com",
    "description": "All of it",
    "location": "Room 1",
    "video": True,
}
PLAIN: dict[str, Json] = {
    "title": "Call",
    "start": "2026-11-23T09:00:00Z",
    "end": "2026-11-23T11:00:00+01:00",
}


def _scheduled(document: Json, *answers: Any) -> tuple[Any, Any]:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.google_calendar.answer_next(*answers)
        return await ask("schedule_meeting", document), vendors.google_calendar

    return with_vendors(use)


def test_a_meeting_is_inserted_as_google_takes_it() -> None:
    output, google = _scheduled(MEETING)

    assert output == {
        "id": ID,
        "url": f"https://www.google.com/calendar/event?eid={ID[:12]}",
        "video_url": "https://meet.google.com/sim-ulat-ed1",
    }
    (call,) = google.calls
    assert call.path.split("?")[0] == "/calendar/v3/calendars/team@example.com/events"
    assert call.query == {"sendUpdates": "all", "conferenceDataVersion": "1"}
    assert call.body == {
        "id": ID,
        "summary": "Kick-off",
        "start": {"dateTime": "2026-11-23T09:00:00", "timeZone": "Europe/Zurich"},
        "end": {"dateTime": "2026-11-23T08:30:00Z", "timeZone": "Europe/Zurich"},
        "attendees": [{"email": "ada@example.com"}],
        "description": "All of it",
        "location": "Room 1",
        "conferenceData": {"createRequest": {"requestId": ID}},
    }


@pytest.mark.parametrize(
    ("start", "zone", "duration", "end"),
    [
        ("2026-11-23T09:00:00+02:00", None, "90m", "2026-11-23T08:30:00Z"),
        pytest.param(
            "2026-03-29T01:30:00", "Europe/Zurich", "1h", "2026-03-29T01:30:00Z", id="clocks change"
        ),
        ("2026-12-31T23:30:00Z", "Asia/Tokyo", "1h", "2027-01-01T00:30:00Z"),
    ],
)
def test_a_meeting_ends_after_its_duration(
    start: str, zone: str | None, duration: str, end: str
) -> None:
    document: dict[str, Json] = {"title": "x", "start": start, "duration": duration}
    _, google = _scheduled({**document, "time_zone": zone} if zone else document)

    assert google.calls[0].body["end"]["dateTime"] == end


def test_a_meeting_whose_answer_was_lost_is_found_again() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.google_calendar.answer_next(LOSE_ANSWER)
        with pytest.raises(OutcomeUnknown):
            await ask("schedule_meeting", PLAIN)
        output = await ask("schedule_meeting", PLAIN, is_repeat=True)
        return output, vendors.google_calendar

    output, google = with_vendors(use)

    assert output["id"] == ID
    assert [call.method for call in google.calls] == ["POST", "POST", "GET"]
    assert len(google.effects) == 1


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({**PLAIN, "duration": "1h"}, "either 'end' or 'duration', got both"),
        ({"title": "x", "start": "2026-11-23T09:00:00Z"}, "got none"),
        ({**PLAIN, "start": "2026-11-23T09:00:00"}, "an offset in each time, or 'time_zone'"),
        ({**PLAIN, "end": "2026-11-23T08:00:00Z"}, "an end after the start"),
        ({**PLAIN, "start": "2026-11-23"}, "a time of day"),
        ({**PLAIN, "start": "tomorrow"}, "expected a time such as"),
        ({**PLAIN, "time_zone": "Mars/Olympus"}, "expected a time zone"),
        ({**PLAIN, "time_zone": "../../etc/passwd"}, "expected a time zone"),
        ({**PLAIN, "calendar": ".."}, r"expected an id, got '\.\.'"),
        ({**PLAIN, "calendar": "../x"}, "404: Not Found"),
        ({**PLAIN, "calendar": "other"}, r"404: Not Found \(notFound\)"),
    ],
)
def test_what_cannot_be_scheduled_is_told(document: Json, told: str) -> None:
    with pytest.raises(PermanentError, match=told):
        _scheduled(document)


def _refused(status: int, reason: str) -> Fixed:
    detail: Json = {"reason": reason}
    error: Json = {"message": "no", "errors": [detail]}
    return Fixed(status, {"error": error}, {"Retry-After": "3"})


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (_refused(403, "userRateLimitExceeded"), RetryableError, "userRateLimitExceeded"),
        (_refused(403, "rateLimitExceeded"), RetryableError, "rateLimitExceeded"),
        (_refused(429, "rateLimitExceeded"), RetryableError, "429"),
        (Fixed(503, "", {"Retry-After": "3"}), RetryableError, "503"),
        (_refused(403, "forbidden"), PermanentError, "403: no"),
        (_refused(403, "quotaExceeded"), PermanentError, "quotaExceeded"),
        (
            _refused(401, "authError"),
            PermanentError,
            "refused the token of the connection, or GOOGLE_CALENDAR_TOKEN",
        ),
        (_refused(410, "deleted"), PermanentError, "410"),
        (Fixed(200, "what?"), OutcomeUnknown, "object"),
    ],
)
def test_what_an_answer_means(answer: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told) as caught:
        _scheduled(PLAIN, answer)

    if isinstance(caught.value, RetryableError):
        assert caught.value.retry_after_ms == 3_000

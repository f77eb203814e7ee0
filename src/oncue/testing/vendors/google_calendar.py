"""
Google Calendar: `events.insert`, `events.get` and `calendarList.list` of API v3; and access tokens.

Shapes are those of its discovery document; errors those of "Handle API errors".
An id that was used once is taken for good, also in another calendar's view of it.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from oncue.core.json_text import Json
from oncue.testing.vendors.orders import Fixed, Refused
from oncue.testing.vendors.simulator import ReceivedCall, Simulator

_PATH = re.compile(
    r"/calendar/v3/calendars/(?P<calendar>[^/?]+)/events(?:/(?P<id>[^/?]+))?(?:\?.*)?"
)
_ID = re.compile(r"[a-v0-9]{5,1024}", re.ASCII)
_CALENDARS: Final = ("primary", "team@example.com")
_TOKEN: Final = "/token"
_SCOPE: Final = "https://www.googleapis.com/auth/calendar"
_CALENDAR_LIST: Final = "/calendar/v3/users/me/calendarList"
_ENTRIES: Final[tuple[Json, ...]] = tuple(
    {
        "kind": "calendar#calendarListEntry",
        "etag": '"1"',
        "id": id_,
        "summary": id_,
        "timeZone": "Europe/Zurich",
        "accessRole": "owner",
    }
    for id_ in ("ada@example.com", "team@example.com")
)
_REFUSALS: Final[Mapping[Refused, tuple[int, str, str]]] = {
    Refused.UNAUTHORIZED: (401, "authError", "Invalid Credentials"),
    Refused.FORBIDDEN: (403, "forbidden", "Forbidden"),
    Refused.CONFLICT: (409, "conflict", "Conflict"),
    Refused.INVALID: (400, "invalid", "Invalid Value"),
    Refused.RATE_LIMITED: (403, "rateLimitExceeded", "Rate Limit Exceeded"),
    Refused.BROKEN: (500, "backendError", "Backend Error"),
    Refused.UNAVAILABLE: (503, "backendError", "Backend Error"),
}


class GoogleCalendarSimulator(Simulator):
    """Two calendars, `primary` and `team@example.com`."""

    origin = "https://www.googleapis.com"
    token: Final = "ya29.simulated-token"

    client_id: Final = "simulated.apps.googleusercontent.com"
    client_secret: Final = "simulated-client-secret"
    refresh_token: Final = "1//simulated-refresh-token"

    @property
    def refreshing(self) -> Mapping[str, str]:
        """What a connection is made of that fetches its tokens."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
            "token_url": f"{self.base_url}{_TOKEN}",
        }

    @property
    def settings(self) -> Mapping[str, str]:
        """Token and endpoint."""
        return {"GOOGLE_CALENDAR_TOKEN": self.token, "ONCUE_GOOGLE_BASE_URL": self.base_url}

    def answer(self, call: ReceivedCall) -> Fixed:
        """Insert an event, or show one; `effects` are the events."""
        if (call.method, call.path) == ("POST", _TOKEN):
            return self._token(call.form)
        if call.headers.get("authorization") != f"Bearer {self.token}":
            message = "Request had invalid authentication credentials."
            return _error(401, "authError", message)
        if (call.method, urlsplit(call.path).path) == ("GET", _CALENDAR_LIST):
            return Fixed(
                200, {"kind": "calendar#calendarList", "etag": '"1"', "items": [*_ENTRIES]}
            )
        found = _PATH.fullmatch(call.path)
        if not found or unquote(found["calendar"]) not in _CALENDARS:
            return _error(404, "notFound", "Not Found")
        calendar = unquote(found["calendar"])
        match call.method, found["id"]:
            case "POST", None:
                return self._insert(calendar, call)
            case "GET", str(id_):
                return self._get(calendar, id_)
        return _error(405, "httpMethodNotAllowed", "Method Not Allowed")

    def refuse(self, refused: Refused) -> Fixed:
        """Say no by Google's reasons; who asks too often gets 403, what is invalid 400."""
        return _error(*_REFUSALS[refused])

    def _token(self, form: Mapping[str, str]) -> Fixed:
        """Give an access token for the refresh token (RFC 6749 §6)."""
        if form.get("grant_type") != "refresh_token":
            return Fixed(400, {"error": "unsupported_grant_type"})
        client = form.get("client_id"), form.get("client_secret")
        if client != (self.client_id, self.client_secret):
            return Fixed(401, {"error": "invalid_client"})
        if form.get("refresh_token") != self.refresh_token:
            return Fixed(400, {"error": "invalid_grant", "error_description": "Bad Request"})
        given: dict[str, Json] = {"access_token": self.token, "token_type": "Bearer"}
        return Fixed(200, {**given, "expires_in": 3_599, "scope": _SCOPE})

    def _get(self, calendar: str, id_: str) -> Fixed:
        for event in self.effects:
            if (event["calendar"], event["id"]) == (calendar, id_):
                return Fixed(200, _shown(event))
        return _error(404, "notFound", "Not Found")

    def _insert(self, calendar: str, call: ReceivedCall) -> Fixed:
        event = call.body
        if not isinstance(event, Mapping):
            return _error(400, "parseError", "Parse Error")
        id_ = event.get("id", f"simulated{len(self.effects) + 1:05d}")
        if not isinstance(id_, str) or not _ID.fullmatch(id_):
            return _error(400, "invalid", "Invalid resource id value.")
        if problem := _problem(event):
            return _error(400, *problem)
        if any(held["id"] == id_ for held in self.effects):
            return _error(409, "duplicate", "The requested identifier already exists.")
        made: dict[str, Json] = {
            **event,
            "calendar": calendar,
            "kind": "calendar#event",
            "id": id_,
            "status": "confirmed",
            "htmlLink": f"https://www.google.com/calendar/event?eid={id_[:12]}",
        }
        if call.query.get("conferenceDataVersion") == "1" and "conferenceData" in event:
            made["hangoutLink"] = "https://meet.google.com/sim-ulat-ed1"
        self.effects.append(made)
        return Fixed(200, _shown(made))


def _problem(event: Mapping[str, Json]) -> tuple[str, str] | None:
    for name in ("start", "end"):
        match event.get(name):
            case {"dateTime": str(text)} if (
                "Z" in text or "+" in text or "timeZone" in str(event[name])
            ):
                continue
            case {"dateTime": str()}:
                return "required", f"Missing time zone definition for {name} time."
            case _:
                return "required", f"Missing {name} time."
    return None


def _shown(event: Mapping[str, Json]) -> Json:
    return {name: value for name, value in event.items() if name != "calendar"}


def _error(status: int, reason: str, message: str) -> Fixed:
    detail: Json = {"domain": "global", "reason": reason, "message": message}
    error: Json = {"code": status, "message": message, "errors": [detail]}
    return Fixed(status, {"error": error})

"""
HubSpot's CRM objects: create, read, change, upsert by a unique property; and whose portal it is.

Shapes are those of HubSpot's OpenAPI documents (CRM v3); the paths of its dated
versions lead to the same. A contact's e-mail is
unique; the record in the way of another is named in the text of the 409 alone.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from oncue.core.instants import format_instant
from oncue.core.json_text import Json
from oncue.testing.vendors.orders import Fixed, Refused
from oncue.testing.vendors.simulator import ReceivedCall, Simulator

_PATH = re.compile(
    r"/crm/(?:v3/objects|objects/\d{4}-\d\d)/(?P<type>[\w-]+)(?:/(?P<rest>[^?]+))?(?:\?.*)?",
    re.ASCII,
)
_UNIQUE: Final = {"contacts": "email", "companies": "domain"}
_FIRST_ID = 101
_PER_TEN_SECONDS: Final = 190
_PER_DAY: Final = 650_000
_PORTAL: Final[Json] = {
    "portalId": 62515,
    "accountType": "DEVELOPER_TEST",
    "timeZone": "Europe/Zurich",
    "companyCurrency": "EUR",
    "additionalCurrencies": [],
    "utcOffset": "+01:00",
    "utcOffsetMilliseconds": 3_600_000,
    "uiDomain": "app.hubspot.com",
    "dataHostingLocation": "eu1",
}


class HubSpotSimulator(Simulator):
    """One portal, empty at first."""

    origin = "https://api.hubapi.com"
    api_key: Final = "pat-simulated-key"

    @property
    def settings(self) -> Mapping[str, str]:
        """Key and endpoint."""
        return {"HUBSPOT_API_KEY": self.api_key, "ONCUE_HUBSPOT_BASE_URL": self.base_url}

    @property
    def allowance(self) -> Mapping[str, str]:
        """Requests in ten seconds and in a day."""
        return _allowance(_PER_TEN_SECONDS - 1)

    def refuse(self, refused: Refused) -> Fixed:
        """Say no by HubSpot's categories; what is invalid is 400 with it."""
        if refused is Refused.RATE_LIMITED:
            return Fixed(refused.status, _over_the_limit(len(self.calls)), _allowance(0))
        category, message = _REFUSALS[refused]
        return self._error(400 if refused is Refused.INVALID else refused.status, category, message)

    def answer(self, call: ReceivedCall) -> Fixed:
        """Create, update or read a record; `effects` are the records, as they are now."""
        if call.headers.get("authorization") != f"Bearer {self.api_key}":
            message = "Authentication credentials not found."
            return self._error(401, "INVALID_AUTHENTICATION", message)
        if (call.method, call.path) == ("GET", "/account-info/v3/details"):
            return Fixed(200, _PORTAL)
        found = _PATH.fullmatch(call.path)
        if not found:
            return self._error(404, "OBJECT_NOT_FOUND", "resource not found")
        type_, rest = found["type"], found["rest"]
        match call.method, rest:
            case "POST", None:
                return self._create(type_, call.body)
            case "POST", "batch/upsert":
                return self._upsert(type_, call.body)
            case "GET", str(id_) if id_.isdigit():
                return self._read(type_, id_)
            case "PATCH", str(id_):
                return self._change(
                    type_, call.query.get("idProperty", ""), unquote(id_), call.body
                )
        return self._error(405, "METHOD_NOT_ALLOWED", f"{call.method} is not allowed here")

    def _create(self, type_: str, body: Json) -> Fixed:
        properties = _properties(body)
        if properties is None:
            return self._error(400, "VALIDATION_ERROR", "Invalid input JSON: properties are texts")
        unique = _UNIQUE.get(type_, "")
        existing = self._find(type_, unique, properties.get(unique))
        # A company's domain may stand twice; only contacts are refused.
        if existing and type_ == "contacts":
            message = f"Contact already exists. Existing ID: {existing['id']}"
            return self._error(409, "CONFLICT", message)
        return Fixed(201, self._add(type_, properties))

    def _upsert(self, type_: str, body: Json) -> Fixed:
        results: list[Json] = []
        inputs = body.get("inputs") if isinstance(body, Mapping) else None
        if not isinstance(inputs, list) or not inputs:
            return self._error(400, "VALIDATION_ERROR", "Invalid input JSON: inputs are missing")
        for one in inputs:
            properties = _properties(one)
            if properties is None or not isinstance(one, Mapping) or "id" not in one:
                return self._error(400, "VALIDATION_ERROR", "Invalid input JSON: id is missing")
            name = one.get("idProperty", "")
            existing = self._find(type_, str(name), one["id"])
            if existing:
                held = existing["properties"]
                assert isinstance(held, dict)
                held.update(properties)
                results.append({**_shown(existing), "new": False})
            else:
                results.append({**self._add(type_, properties), "new": True})
        now = format_instant(self.clock.now_ms())
        timed: dict[str, Json] = {"startedAt": now, "completedAt": now}
        return Fixed(200, {"status": "COMPLETE", "results": results, **timed})

    def _change(self, type_: str, name: str, value: str, body: Json) -> Fixed:
        properties = _properties(body)
        if properties is None:
            return self._error(400, "VALIDATION_ERROR", "Invalid input JSON: properties are texts")
        record = (
            self._find(type_, name, value)
            if name
            else next((r for r in self.effects if (r["type"], r["id"]) == (type_, value)), None)
        )
        if record is None:
            return self._error(404, "OBJECT_NOT_FOUND", f"Object not found. objectId: {value}")
        held = record["properties"]
        assert isinstance(held, dict)
        held.update(properties)
        return Fixed(200, _shown(record))

    def _read(self, type_: str, id_: str) -> Fixed:
        for record in self.effects:
            if (record["type"], record["id"]) == (type_, id_):
                return Fixed(200, _shown(record))
        return self._error(404, "OBJECT_NOT_FOUND", f"Object not found. objectId: {id_}")

    def _find(self, type_: str, name: str, value: Json) -> dict[str, Json] | None:
        for record in self.effects:
            held = record["properties"]
            assert isinstance(held, dict)
            if record["type"] == type_ and value is not None and held.get(name) == value:
                return record
        return None

    def _add(self, type_: str, properties: dict[str, Json]) -> dict[str, Json]:
        now = format_instant(self.clock.now_ms())
        record: dict[str, Json] = {
            "type": type_,
            "id": str(_FIRST_ID + len(self.effects)),
            "properties": properties,
            "createdAt": now,
            "updatedAt": now,
            "archived": False,
        }
        self.effects.append(record)
        return _shown(record)

    def _error(self, status: int, category: str, message: str) -> Fixed:
        body: dict[str, Json] = {"status": "error", "message": message, "category": category}
        return Fixed(status, {**body, "correlationId": _correlation_id(len(self.calls))})


def _correlation_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def _over_the_limit(number: int) -> Json:
    """Return what comes with 429, which has a type in place of a category."""
    return {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": _correlation_id(number),
        "policyName": "TEN_SECONDLY_ROLLING",
    }


_REFUSALS: Final[Mapping[Refused, tuple[str, str]]] = {
    Refused.UNAUTHORIZED: ("INVALID_AUTHENTICATION", "Authentication credentials not found."),
    Refused.FORBIDDEN: ("MISSING_SCOPES", "This app hasn't been granted all required scopes."),
    Refused.CONFLICT: ("CONFLICT", "Contact already exists. Existing ID: 1"),
    Refused.INVALID: ("VALIDATION_ERROR", "Property values were not valid"),
    Refused.BROKEN: ("INTERNAL_ERROR", "internal error"),
    Refused.UNAVAILABLE: ("SERVICE_UNAVAILABLE", "Service temporarily unavailable"),
}


def _allowance(left: int) -> dict[str, str]:
    limits = {
        "Daily": _PER_DAY,
        "Daily-Remaining": _PER_DAY - 1,
        "Interval-Milliseconds": 10_000,
        "Max": _PER_TEN_SECONDS,
        "Remaining": left,
    }
    return {f"X-HubSpot-RateLimit-{name}": str(value) for name, value in limits.items()}


def _properties(body: Json) -> dict[str, Json] | None:
    properties = body.get("properties") if isinstance(body, Mapping) else None
    if not isinstance(properties, dict):
        return None
    return properties if all(isinstance(v, str) for v in properties.values()) else None


def _shown(record: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in record.items() if name != "type"}

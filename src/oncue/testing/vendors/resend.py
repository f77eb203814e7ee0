"""
Resend, as far as one e-mail goes: `POST /emails`, and `GET /domains`.

Shapes are those of Resend's OpenAPI document; error names, and what an
idempotency key does, those of its API reference ("Errors", "Idempotency Keys").
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from oncue.core.json_text import Json, encode_json
from oncue.testing.vendors.orders import Fixed, Refused
from oncue.testing.vendors.simulator import ReceivedCall, Simulator

_REQUIRED: Final = ("from", "to", "subject")
_MAX_RECIPIENTS = 50
_MAX_KEY_CHARS = 256
_KEY_LIVES_MS: Final = 86_400_000
_PER_SECOND: Final = 2
_DOMAIN: Final[Json] = {
    "id": "d91cd9bd-1176-453e-8fc1-35364d380206",
    "name": "example.com",
    "status": "verified",
    "created_at": "2026-01-01 00:00:00.000000+00",
    "region": "eu-west-1",
    "capabilities": {"sending": "enabled", "receiving": "disabled"},
}


class ResendSimulator(Simulator):
    """Forgets keys after a day, as Resend does."""

    origin = "https://api.resend.com"
    api_key: Final = "re_simulated_key"

    def __init__(self) -> None:
        super().__init__()
        self._sent: dict[str, tuple[bytes, str, int]] = {}

    @property
    def settings(self) -> Mapping[str, str]:
        """Key, endpoint and a sender."""
        return {
            "RESEND_API_KEY": self.api_key,
            "ONCUE_RESEND_BASE_URL": self.base_url,
            "ONCUE_EMAIL_FROM": "us@example.com",
        }

    @property
    def allowance(self) -> Mapping[str, str]:
        """Requests in a second, of a team."""
        return _allowance(_PER_SECOND - 1)

    def answer(self, call: ReceivedCall) -> Fixed:
        """Send the e-mail, unless its key has sent it already."""
        if refusal := self._refusal(call):
            return refusal
        match call.method, urlsplit(call.path).path:
            case "POST", "/emails":
                return self._problem(call) or self._send(call)
            case "GET", "/domains":
                return Fixed(200, {"object": "list", "has_more": False, "data": [_DOMAIN]})
            case _:
                return _error(404, "not_found", "The requested endpoint does not exist.")

    def refuse(self, refused: Refused) -> Fixed:
        """Say no by Resend's names."""
        answer = _error(refused.status, *_REFUSALS[refused])
        if refused is Refused.RATE_LIMITED:
            return replace(answer, headers={**_allowance(0), "retry-after": "1"})
        return answer

    def _refusal(self, call: ReceivedCall) -> Fixed | None:
        authorization = call.headers.get("authorization", "")
        if not authorization.startswith("Bearer "):
            return _error(401, "missing_api_key", "Missing API key in the authorization header.")
        if authorization != f"Bearer {self.api_key}":
            return _error(403, "invalid_api_key", "API key is invalid.")
        return None

    def _problem(self, call: ReceivedCall) -> Fixed | None:
        key = call.idempotency_key
        if key is not None and not 1 <= len(key) <= _MAX_KEY_CHARS:
            message = f"The key must be between 1-{_MAX_KEY_CHARS} chars."
            return _error(400, "invalid_idempotency_key", message)
        return _email_problem(call.body)

    def _send(self, call: ReceivedCall) -> Fixed:
        email = call.body
        assert isinstance(email, dict)
        key, canonical = call.idempotency_key, encode_json(email)
        now_ms = self.clock.now_ms()
        if key in self._sent and now_ms - self._sent[key][2] < _KEY_LIVES_MS:
            first, message_id, _ = self._sent[key]
            if first != canonical:
                message = "Same idempotency key used with a different request payload."
                return _error(409, "invalid_idempotent_request", message)
            return Fixed(200, {"id": message_id})
        number = len(self.effects) + 1
        message_id = f"{number:08x}-0000-4000-8000-{number:012x}"
        self.effects.append({"id": message_id, **email})
        if key is not None:
            self._sent[key] = canonical, message_id, now_ms
        return Fixed(200, {"id": message_id})


_REFUSALS: Final[Mapping[Refused, tuple[str, str]]] = {
    Refused.UNAUTHORIZED: ("restricted_api_key", "This API key is restricted to only send emails."),
    Refused.FORBIDDEN: ("invalid_api_key", "API key is invalid."),
    Refused.CONFLICT: (
        "concurrent_idempotent_requests",
        "Another request with the same idempotency key is still in progress.",
    ),
    Refused.INVALID: ("validation_error", "Invalid `to` field."),
    Refused.RATE_LIMITED: ("rate_limit_exceeded", "Too many requests."),
    Refused.BROKEN: ("internal_server_error", "An unexpected error occurred."),
    Refused.UNAVAILABLE: ("application_error", "The service is unavailable."),
}


def _allowance(left: int) -> dict[str, str]:
    # IETF draft "RateLimit header fields", as Resend sends them.
    limits = {"limit": str(_PER_SECOND), "remaining": str(left), "reset": "1"}
    return {f"ratelimit-{name}": value for name, value in limits.items()}


def _email_problem(email: Json) -> Fixed | None:
    if not isinstance(email, Mapping):
        return _error(422, "validation_error", "The request body must be a JSON object.")
    for name in _REQUIRED:
        if not email.get(name):
            return _error(422, "missing_required_field", f"Missing `{name}` field.")
    if not any(email.get(name) for name in ("html", "text", "template")):
        return _error(422, "missing_required_field", "Missing `html` or `text` field.")
    recipients = email["to"] if isinstance(email["to"], list) else [email["to"]]
    if len(recipients) > _MAX_RECIPIENTS:
        return _error(422, "validation_error", f"The `to` field takes {_MAX_RECIPIENTS} at most.")
    for address in (email["from"], *recipients):
        if not isinstance(address, str) or "@" not in address:
            message = "Invalid email: use `email@example.com` or `Name <email@example.com>`."
            return _error(422, "validation_error", message)
    return None


def _error(status: int, name: str, message: str) -> Fixed:
    return Fixed(status, {"statusCode": status, "name": name, "message": message})

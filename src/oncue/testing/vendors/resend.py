"""
Resend, as far as one e-mail goes: `POST /emails`.

Shapes are those of Resend's OpenAPI document; error names, and what an
idempotency key does, those of its API reference ("Errors", "Idempotency Keys").
"""

from collections.abc import Mapping
from typing import Final

from oncue.core.json_text import Json, encode_json
from oncue.testing.vendors.simulator import Fixed, ReceivedCall, Simulator

_REQUIRED: Final = ("from", "to", "subject")
_MAX_RECIPIENTS = 50
_MAX_KEY_CHARS = 256


class ResendSimulator(Simulator):
    """Remembers keys for good, where Resend forgets them after a day."""

    origin = "https://api.resend.com"
    api_key: Final = "re_simulated_key"

    def __init__(self) -> None:
        super().__init__()
        self._sent: dict[str, tuple[bytes, str]] = {}

    @property
    def settings(self) -> Mapping[str, str]:
        """Key, endpoint and a sender."""
        return {
            "RESEND_API_KEY": self.api_key,
            "ONCUE_RESEND_BASE_URL": self.base_url,
            "ONCUE_EMAIL_FROM": "us@example.com",
        }

    def answer(self, call: ReceivedCall) -> Fixed:
        """Send the e-mail, unless its key has sent it already."""
        return self._refusal(call) or self._send(call)

    def _refusal(self, call: ReceivedCall) -> Fixed | None:
        if (call.method, call.path) != ("POST", "/emails"):
            return _error(404, "not_found", "The requested endpoint does not exist.")
        authorization = call.headers.get("authorization", "")
        if not authorization.startswith("Bearer "):
            return _error(401, "missing_api_key", "Missing API key in the authorization header.")
        if authorization != f"Bearer {self.api_key}":
            return _error(403, "invalid_api_key", "API key is invalid.")
        key = call.idempotency_key
        if key is not None and not 1 <= len(key) <= _MAX_KEY_CHARS:
            message = f"The key must be between 1-{_MAX_KEY_CHARS} chars."
            return _error(400, "invalid_idempotency_key", message)
        return _email_problem(call.body)

    def _send(self, call: ReceivedCall) -> Fixed:
        email = call.body
        assert isinstance(email, dict)
        key, canonical = call.idempotency_key, encode_json(email)
        if key in self._sent:
            first, message_id = self._sent[key]
            if first != canonical:
                message = "Same idempotency key used with a different request payload."
                return _error(409, "invalid_idempotent_request", message)
            return Fixed(200, {"id": message_id})
        number = len(self.effects) + 1
        message_id = f"{number:08x}-0000-4000-8000-{number:012x}"
        self.effects.append({"id": message_id, **email})
        if key is not None:
            self._sent[key] = canonical, message_id
        return Fixed(200, {"id": message_id})


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

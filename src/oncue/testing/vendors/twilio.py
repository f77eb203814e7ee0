"""
Twilio, as far as one text message goes: `POST /2010-04-01/Accounts/{sid}/Messages.json`;
and the account itself.

Shapes are those of Twilio's OpenAPI document (2010-04-01); error codes those of
its error dictionary. Nothing tells a repeat from a second message.
"""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from oncue.core.json_text import Json
from oncue.testing.vendors.orders import Fixed, Refused
from oncue.testing.vendors.simulator import ReceivedCall, Simulator

_NUMBER = re.compile(r"(?:\w+:)?\+[1-9]\d{6,14}", re.ASCII)
_POOL = re.compile(r"MG[0-9a-f]{32}", re.ASCII)
_MAX_CHARS: Final = 1_600
_MORE: Final = "https://www.twilio.com/docs/errors"
_MADE: Final = format_datetime(datetime(2026, 1, 1, tzinfo=UTC))


class TwilioSimulator(Simulator):
    """One account with as many numbers as are asked for."""

    origin = "https://api.twilio.com"
    account_sid: Final = f"AC{'5' * 32}"
    auth_token: Final = "simulated-twilio-token"
    sender: Final = "+15005550006"

    @property
    def settings(self) -> Mapping[str, str]:
        """Account, token, endpoint and a sender."""
        return {
            "TWILIO_ACCOUNT_SID": self.account_sid,
            "TWILIO_AUTH_TOKEN": self.auth_token,
            "ONCUE_TWILIO_BASE_URL": self.base_url,
            "ONCUE_SMS_FROM": self.sender,
        }

    @property
    def allowance(self) -> Mapping[str, str]:
        """How many requests are being answered; Twilio tells no more."""
        return {"Twilio-Concurrent-Requests": "1"}

    def answer(self, call: ReceivedCall) -> Fixed:
        """Queue the message."""
        pair = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        if call.headers.get("authorization") != f"Basic {pair}":
            return _error(401, 20003, "Authenticate")
        account = f"/2010-04-01/Accounts/{self.account_sid}"
        match call.method, call.path.removeprefix(account):
            case "POST", "/Messages.json":
                form = call.form
                return _problem(form) or self._queue(form)
            case "GET", ".json":
                return Fixed(200, self._account(f"{account}.json"))
            case _:
                message = f"The requested resource {call.path} was not found"
                return _error(404, 20404, message)

    def refuse(self, refused: Refused) -> Fixed:
        """Say no by Twilio's codes; what is invalid is 400 with it."""
        code, message = _REFUSALS[refused]
        return _error(400 if refused is Refused.INVALID else refused.status, code, message)

    def _account(self, uri: str) -> Json:
        return {
            "auth_token": self.auth_token,
            "date_created": _MADE,
            "date_updated": _MADE,
            "friendly_name": "Simulated",
            "owner_account_sid": self.account_sid,
            "sid": self.account_sid,
            "status": "active",
            "subresource_uris": {},
            "type": "Full",
            "uri": uri,
        }

    def _queue(self, form: Mapping[str, str]) -> Fixed:
        sid = f"SM{len(self.effects) + 1:032x}"
        message: dict[str, Json] = {
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": form["Body"],
            "date_created": _MADE,
            "date_sent": None,
            "date_updated": _MADE,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "sid": sid,
            "status": "queued",
            "subresource_uris": {},
            "to": form["To"],
            "uri": f"/2010-04-01/Accounts/{self.account_sid}/Messages/{sid}.json",
        }
        self.effects.append(message)
        return Fixed(201, message)


_REFUSALS: Final[Mapping[Refused, tuple[int, str]]] = {
    Refused.UNAUTHORIZED: (20003, "Authenticate"),
    Refused.FORBIDDEN: (20006, "Access Denied"),
    Refused.CONFLICT: (20409, "Conflict"),
    Refused.INVALID: (21211, "Invalid 'To' Phone Number"),
    Refused.RATE_LIMITED: (20429, "Too Many Requests"),
    Refused.BROKEN: (20500, "Internal Server Error"),
    Refused.UNAVAILABLE: (20503, "Service unavailable"),
}


def _problem(form: Mapping[str, str]) -> Fixed | None:
    to, sender = form.get("To", ""), form.get("From")
    pool, body = form.get("MessagingServiceSid"), form.get("Body", "")
    if not to:
        return _error(400, 21604, "A 'To' phone number is required.")
    if not _NUMBER.fullmatch(to):
        return _error(400, 21211, f"Invalid 'To' Phone Number: {to}")
    if sender is None and pool is None:
        return _error(400, 21603, "A 'From' phone number is required.")
    if pool is not None and not _POOL.fullmatch(pool):
        return _error(400, 21701, "The Messaging Service does not exist")
    if not body:
        return _error(400, 21602, "Message body is required.")
    if len(body) > _MAX_CHARS:
        return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    return None


def _error(status: int, code: int, message: str) -> Fixed:
    more = f"{_MORE}/{code}"
    return Fixed(status, {"code": code, "message": message, "more_info": more, "status": status})

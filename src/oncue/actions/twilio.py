"""
Text messages by Twilio's Programmable Messaging.

The API takes no idempotency key, and a message costs: where nobody knows
whether one was sent, no second one goes out unasked. Twilio says of its own
500 that the message may have been sent all the same; 429 never was.
"""

import base64
from typing import Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from oncue.core.action import Action, Call, HttpAnswer, HttpRequest, Idempotency, Need
from oncue.core.errors import OutcomeUnknown, PermanentError
from oncue.core.http_answer import error_object, judge, read_object
from oncue.core.json_text import Json

_VENDOR: Final = "Twilio"
# Twilio refuses longer ones (error 21617).
_MAX_CHARS: Final = 1_600
_POOL: Final = "MG"


class SmsInput(BaseModel):
    """One message."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(
        min_length=1,
        description="Who gets it: a number with its country, or an address like `whatsapp:+44…`.",
        examples=["+447700900123"],
    )
    body: str = Field(min_length=1, max_length=_MAX_CHARS, description="What it says.")
    from_: str | None = Field(
        default=None,
        alias="from",
        description="A number of yours, a sender's name, or a messaging service (`MG…`); "
        "by default `ONCUE_SMS_FROM`.",
    )


class SmsOutput(BaseModel):
    """What Twilio calls the message, and what becomes of it."""

    message_id: str
    status: str


async def _send(call: Call[SmsInput]) -> Json:
    credentials = call.credentials
    account = credentials.get("account_sid")
    if not account:
        raise PermanentError("no account: set TWILIO_ACCOUNT_SID beside TWILIO_AUTH_TOKEN")
    sender = call.input.from_ or credentials.get("from")
    if not sender:
        raise PermanentError("no sender: give 'from', or set ONCUE_SMS_FROM")
    by = "MessagingServiceSid" if sender.startswith(_POOL) else "From"
    pair = base64.b64encode(f"{account}:{credentials['auth_token']}".encode()).decode()
    base_url = credentials["base_url"].rstrip("/")
    answer = await call.send(
        HttpRequest(
            method="POST",
            url=f"{base_url}/2010-04-01/Accounts/{account}/Messages.json",
            headers={
                "Authorization": f"Basic {pair}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=urlencode({"To": call.input.to, by: sender, "Body": call.input.body}).encode(),
        )
    )
    if answer.status >= 500:
        raise OutcomeUnknown(f"{_VENDOR} answered {answer.status}; the message may have been sent")
    judge(answer, _VENDOR, says=_meaning(answer))
    sent = read_object(answer, _VENDOR)
    return {"message_id": sent.get("sid"), "status": sent.get("status")}


def _meaning(answer: HttpAnswer) -> str | None:
    match error_object(answer):
        case {"message": str(message), "code": int(code)}:
            return f"{message} (error {code})"
        case _:
            return None


SEND_SMS = Action(
    name="send_sms",
    summary="Send a text message to a phone.",
    integration="twilio",
    category="communication",
    input=SmsInput,
    output=SmsOutput,
    idempotency=Idempotency.NONE,
    example={"to": "+447700900123", "body": "Your order has left.", "from": "+447700900456"},
    perform=_send,
    needs=(Need("auth_token", "TWILIO_AUTH_TOKEN"),),
)

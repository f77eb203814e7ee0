"""
E-mail: by Resend, or by any mail server (SMTP).

Resend takes an idempotency key. A mail server takes none: the Message-ID is made
of the key, so that a mailbox may know a repeat, but OnCue sends none unasked.
"""

import base64
import binascii
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from oncue.core.action import Action, Call, HttpRequest, Idempotency, Need
from oncue.core.errors import PermanentError
from oncue.core.http_answer import error_object, failure, judge, read_object
from oncue.core.ids import digest
from oncue.core.json_text import Json, encode_json
from oncue.core.mail import Mail

_ID_CHARS: Final = 32
# Resend forgets a key after 24 hours; an attempt takes a while itself.
_KEY_LIVES_MS: Final = 23 * 3_600_000
# Resend takes at most 50 recipients in one e-mail.
_Addresses = str | Annotated[list[str], Field(min_length=1, max_length=50)]


class Attachment(BaseModel):
    """A file that goes with an e-mail."""

    model_config = ConfigDict(extra="forbid")

    filename: str
    content: str = Field(description="Base64.")
    content_type: str | None = None


class EmailInput(BaseModel):
    """One e-mail."""

    model_config = ConfigDict(extra="forbid")

    to: _Addresses = Field(description="An address, or up to 50.", examples=["ada@example.com"])
    subject: str = Field(description="The subject.", examples=["Welcome"])
    html: str | None = Field(default=None, description="The text as HTML.")
    text: str | None = Field(default=None, description="The text as it is.")
    from_: str | None = Field(
        default=None, alias="from", description="The sender; by default `ONCUE_EMAIL_FROM`."
    )
    cc: _Addresses | None = Field(default=None, description="Who gets a copy.")
    bcc: _Addresses | None = Field(default=None, description="Who gets one unseen.")
    reply_to: _Addresses | None = Field(default=None, description="Where answers go.")
    attachments: list[Attachment] = Field(default_factory=list, description="Files.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.html is None and self.text is None:
            raise ValueError("expected 'html' or 'text', got none")
        return self


class EmailOutput(BaseModel):
    """Resend's id of the e-mail, or its Message-ID."""

    message_id: str


async def _send(call: Call[EmailInput]) -> Json:
    sender = call.input.from_ or call.credentials.get("from")
    if not sender:
        raise PermanentError("no sender: give 'from', or set ONCUE_EMAIL_FROM")
    if "api_key" in call.credentials:
        return await _send_by_resend(call, sender)
    return await _send_by_smtp(call, sender)


async def _send_by_resend(call: Call[EmailInput], sender: str) -> Json:
    credentials = call.credentials
    body = call.input.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    answer = await call.send(
        HttpRequest(
            method="POST",
            url=f"{credentials['base_url'].rstrip('/')}/emails",
            headers={
                "Authorization": f"Bearer {credentials['api_key']}",
                "Content-Type": "application/json",
                "Idempotency-Key": call.idempotency_key,
            },
            body=encode_json({**body, "from": sender}),
        )
    )
    if (
        answer.status == 409
        and error_object(answer).get("name") != "concurrent_idempotent_requests"
    ):
        # The key was used with another body: no attempt of ours can change that.
        raise failure(answer, "Resend", permanent=frozenset((409,)))
    judge(answer, "Resend")
    return {"message_id": read_object(answer, "Resend").get("id")}


async def _send_by_smtp(call: Call[EmailInput], sender: str) -> Json:
    if call.is_repeat:
        raise PermanentError(
            "an earlier attempt may have been delivered, and a mail server cannot tell; "
            "look, then run it anew"
        )
    given = call.input
    everybody = [*_list(given.to), *_list(given.cc), *_list(given.bcc)]
    envelope = [address for _, address in getaddresses([sender, *everybody])]
    if not all("@" in address for address in envelope):
        raise PermanentError(f"expected addresses such as ada@example.com, got {everybody}")
    message_id = _message_id(call.idempotency_key, envelope[0])
    try:
        message = _message(given, sender)
        message["Message-ID"] = message_id
        message["Date"] = format_datetime(datetime.fromtimestamp(call.now_ms / 1_000, UTC))
        content = message.as_bytes(policy=SMTP)
    except (ValueError, LookupError) as exc:
        # A header with a line break in it, or an attachment that is no Base64.
        raise PermanentError(f"the e-mail cannot be written: {exc}") from exc
    await call.deliver(call.credentials["smtp_url"], Mail(envelope[0], envelope[1:], content))
    return {"message_id": message_id}


def _message_id(key: str, sender: str) -> str:
    return f"<{digest(['send_email', key])[:_ID_CHARS]}@{sender.rpartition('@')[2]}>"


def _message(given: EmailInput, sender: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["Subject"] = given.subject
    for name, addresses in (("To", given.to), ("Cc", given.cc), ("Reply-To", given.reply_to)):
        if addresses is not None:
            message[name] = ", ".join(_list(addresses))
    if given.text is not None:
        message.set_content(given.text)
    if given.html is not None and given.text is None:
        message.set_content(given.html, subtype="html")
    elif given.html is not None:
        message.add_alternative(given.html, subtype="html")
    for one in given.attachments:
        main, _, sub = (one.content_type or "application/octet-stream").partition("/")
        content = _decoded(one.content)
        message.add_attachment(content, maintype=main, subtype=sub, filename=one.filename)
    return message


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise ValueError(f"expected an attachment in Base64: {exc}") from exc


def _list(addresses: str | Iterable[str] | None) -> list[str]:
    if addresses is None:
        return []
    return [addresses] if isinstance(addresses, str) else [*addresses]


SEND_EMAIL = Action(
    name="send_email",
    summary="Send an e-mail, by Resend or a mail server; the latter cannot tell a repeat, and gets none.",
    integration="email",
    category="communication",
    input=EmailInput,
    output=EmailOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"to": "ada@example.com", "subject": "Welcome", "html": "<p>Hello</p>"},
    perform=_send,
    key_lives_ms=_KEY_LIVES_MS,
    needs=(Need("api_key", "RESEND_API_KEY"), Need("smtp_url", "ONCUE_SMTP_URL")),
)

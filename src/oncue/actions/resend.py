"""E-mail by Resend."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from oncue.core.action import Action, Call, HttpRequest, Idempotency, Need
from oncue.core.errors import PermanentError
from oncue.core.http_answer import error_object, failure, judge, read_object
from oncue.core.json_text import Json, encode_json

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
    """What Resend calls the e-mail."""

    message_id: str


async def _send(call: Call[EmailInput]) -> Json:
    credentials = call.credentials
    sender = call.input.from_ or credentials.get("from")
    if not sender:
        raise PermanentError("no sender: give 'from', or set ONCUE_EMAIL_FROM")
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


SEND_EMAIL = Action(
    name="send_email",
    summary="Send an e-mail.",
    integration="resend",
    category="communication",
    input=EmailInput,
    output=EmailOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"to": "ada@example.com", "subject": "Welcome", "html": "<p>Hello</p>"},
    perform=_send,
    needs=(Need("api_key", "RESEND_API_KEY"),),
)

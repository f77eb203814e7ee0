"""
Calls of other people's HTTP endpoints: a step's webhook, and signed events.

Signatures are those of Standard Webhooks 1.0.0: HMAC-SHA256 over id, timestamp
and body. The id is the idempotency key, so a receiver can tell a repeat.
"""

import base64
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from oncue.core.action import Action, Call, HttpRequest, Idempotency
from oncue.core.hook.signing import standard_signature
from oncue.core.http_answer import HttpOutput, judge, show_answer
from oncue.core.json_text import Json, encode_json


class Auth(BaseModel):
    """How the receiver knows us."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["none", "basic", "bearer", "api_key"] = "none"
    username: str = ""
    password: str = ""
    token: str = ""
    header: str = "X-API-Key"
    key: str = ""

    def headers(self) -> dict[str, str]:
        """Return the headers that say it."""
        match self.type:
            case "basic":
                pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
                return {"Authorization": f"Basic {pair}"}
            case "bearer":
                return {"Authorization": f"Bearer {self.token}"}
            case "api_key":
                return {self.header: self.key}
            case "none":
                return {}


class WebhookCallInput(BaseModel):
    """One request."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(description="Where to, http or https.", examples=["https://example.com/hook"])
    method: Annotated[str, Field(pattern=r"^[A-Za-z]{1,20}$")] = Field(
        default="POST", description="POST, PUT, GET, …"
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send.")
    body: Json = Field(default=None, description="A body of JSON.")
    auth: Auth = Field(default_factory=Auth, description="How the receiver knows us.")


class WebhookInput(BaseModel):
    """An event for somebody who subscribed."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(description="Where to, http or https.", examples=["https://example.com/hook"])
    type: str | None = Field(default=None, description="What happened.", examples=["order.paid"])
    data: Json = Field(default=None, description="What there is to tell.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send.")
    secret: str | None = Field(
        default=None,
        description="Signs it; by default `WEBHOOK_SECRET`. `whsec_` and base64, or text.",
    )


async def _call(call: Call[WebhookCallInput]) -> Json:
    given = call.input
    has_body = "body" in given.model_fields_set
    body = encode_json(given.body) if has_body else b""
    return await _send(call, given.method.upper(), given.url, body, {
        **({"Content-Type": "application/json"} if has_body else {}),
        **given.auth.headers(),
        **given.headers,
    }, call.credentials.get("secret"))  # fmt: skip


async def _send_event(call: Call[WebhookInput]) -> Json:
    given = call.input
    content: dict[str, Json] = {"data": given.data}
    if given.type is not None:
        content = {"type": given.type, **content}
    headers = {"Content-Type": "application/json", **given.headers}
    secret = given.secret or call.credentials.get("secret")
    return await _send(call, "POST", given.url, encode_json(content), headers, secret)


async def _send(
    call: Call[WebhookCallInput] | Call[WebhookInput],
    method: str,
    url: str,
    body: bytes,
    headers: dict[str, str],
    secret: str | None,
) -> Json:
    # A time of its own for each attempt, as the standard wants it.
    timestamp = str(call.now_ms // 1_000)
    identity = {"webhook-id": call.idempotency_key, "webhook-timestamp": timestamp}
    if secret:
        identity["webhook-signature"] = standard_signature(
            secret, call.idempotency_key, timestamp, body
        )
    answer = await call.send(
        HttpRequest(
            method=method,
            url=url,
            headers={"Idempotency-Key": call.idempotency_key, **identity, **headers},
            body=body or None,
        )
    )
    judge(answer, "the receiver")
    return show_answer(answer)


CALL_WEBHOOK = Action(
    name="call_webhook",
    summary="Call somebody's endpoint, as the step of type webhook does.",
    integration="webhook",
    category="data",
    input=WebhookCallInput,
    output=HttpOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"url": "https://example.com/hook", "body": {"id": 42}},
    perform=_call,
)
SEND_WEBHOOK = Action(
    name="send_webhook",
    summary="Send an event to somebody's endpoint, signed by Standard Webhooks.",
    integration="webhook",
    category="communication",
    input=WebhookInput,
    output=HttpOutput,
    idempotency=Idempotency.NATIVE_KEY,
    example={"url": "https://example.com/hook", "type": "order.paid", "data": {"id": 42}},
    perform=_send_event,
)

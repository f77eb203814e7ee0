"""Messages to Slack by an incoming webhook."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from oncue.core.action import Action, Call, HttpRequest, Idempotency, Need
from oncue.core.http_answer import judge
from oncue.core.json_text import Json, encode_json


class SlackInput(BaseModel):
    """One message."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(
        default=None, description="The message in Slack's mrkdwn.", examples=["A *big* signup"]
    )
    blocks: list[dict[str, Json]] | None = Field(default=None, description="Block Kit blocks.")
    channel: str | None = Field(default=None, description="Where legacy webhooks may post.")
    thread_ts: str | None = Field(default=None, description="The message to answer.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.text is None and self.blocks is None:
            raise ValueError("expected 'text' or 'blocks', got none")
        return self


class SlackOutput(BaseModel):
    """Slack took it."""

    ok: bool


async def _send(call: Call[SlackInput]) -> Json:
    answer = await call.send(
        HttpRequest(
            method="POST",
            url=call.credentials["webhook_url"],
            headers={"Content-Type": "application/json"},
            body=encode_json(call.input.model_dump(mode="json", exclude_none=True)),
        )
    )
    judge(answer, "Slack")
    return {"ok": True}


SEND_SLACK_MESSAGE = Action(
    name="send_slack_message",
    summary="Post a message to Slack.",
    integration="slack",
    category="communication",
    input=SlackInput,
    output=SlackOutput,
    idempotency=Idempotency.NONE,
    example={"text": "A *big* signup"},
    perform=_send,
    is_harmless_to_repeat=True,
    needs=(Need("webhook_url", "SLACK_WEBHOOK_URL"),),
)

"""
Messages to Slack: by an incoming webhook, or as a bot (`chat.postMessage`).

The webhook leads to one channel; a bot reaches any that it was invited to.
Slack answers a bot with 200 and `ok: false` where it refuses.
"""

from collections.abc import Mapping
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from oncue.core.action import Action, Call, HttpAnswer, HttpRequest, Idempotency, Need
from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError, RetryableError
from oncue.core.http_answer import judge, read_object, retry_after_ms
from oncue.core.json_text import Json, encode_json

_VENDOR: Final = "Slack"
# Slack's words for what passes by itself.
_MAY_PASS: Final = frozenset(
    ("ratelimited", "rate_limited", "request_timeout", "service_unavailable")
)
# "It's possible some aspect of the operation succeeded before the error was raised."
_UNKNOWN: Final = frozenset(("internal_error", "fatal_error"))
_MEND: Final = "renew it in its connection, or in SLACK_BOT_TOKEN"
_HINTS: Final[Mapping[str, str]] = {
    "not_in_channel": "invite the bot to it",
    "channel_not_found": "no such channel, or a private one without the bot",
    "is_archived": "the channel is archived",
    "msg_too_long": "the text is longer than 40 000 characters",
    "no_text": "give 'text', or blocks with a text",
    "invalid_auth": f"the bot's token is not valid: {_MEND}",
    "not_authed": f"the bot's token is not valid: {_MEND}",
    "token_revoked": f"the bot's token was revoked: {_MEND}",
    "account_inactive": f"the bot of this token is gone: {_MEND}",
    "missing_scope": "give the bot the scope chat:write",
}


class SlackInput(BaseModel):
    """One message."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(
        default=None, description="The message in Slack's mrkdwn.", examples=["A *big* signup"]
    )
    blocks: list[dict[str, Json]] | None = Field(default=None, description="Block Kit blocks.")
    channel: str | None = Field(
        default=None, description="Where a bot posts: `#name`, or an id. A webhook has its own."
    )
    thread_ts: str | None = Field(default=None, description="The `ts` of the message to answer.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.text is None and self.blocks is None:
            raise ValueError("expected 'text' or 'blocks', got none")
        return self


class SlackOutput(BaseModel):
    """Slack took it; a bot's message has a `ts` and a channel, by which it can be answered."""

    ok: bool
    ts: str | None = None
    channel: str | None = None


async def _send(call: Call[SlackInput]) -> Json:
    has_bot, has_webhook = "bot_token" in call.credentials, "webhook_url" in call.credentials
    if has_bot and (call.input.channel or not has_webhook):
        return await _post_as_bot(call)
    if not has_webhook:
        raise PermanentError("no connection for slack: set SLACK_WEBHOOK_URL")
    answer = await _post(call, call.credentials["webhook_url"], {})
    judge(answer, _VENDOR)
    return {"ok": True}


async def _post_as_bot(call: Call[SlackInput]) -> Json:
    credentials = call.credentials
    if not call.input.channel:
        raise PermanentError("no channel: a bot needs 'channel', only a webhook has its own")
    url = f"{credentials['base_url'].rstrip('/')}/api/chat.postMessage"
    answer = await _post(call, url, {"Authorization": f"Bearer {credentials['bot_token']}"})
    judge(answer, _VENDOR)
    posted = read_object(answer, _VENDOR)
    if posted.get("ok") is not True:
        raise _refusal(answer, str(posted.get("error")))
    return {"ok": True, "ts": posted.get("ts"), "channel": posted.get("channel")}


async def _post(call: Call[SlackInput], url: str, headers: Mapping[str, str]) -> HttpAnswer:
    return await call.send(
        HttpRequest(
            method="POST",
            url=url,
            headers={"Content-Type": "application/json; charset=utf-8", **headers},
            body=encode_json(call.input.model_dump(mode="json", exclude_none=True)),
        )
    )


def _refusal(answer: HttpAnswer, error: str) -> ActionError:
    hint = _HINTS.get(error)
    message = f"{_VENDOR} refused: {error}" + (f" ({hint})" if hint else "")
    if error in _MAY_PASS:
        return RetryableError(message, retry_after_ms=retry_after_ms(answer))
    return OutcomeUnknown(message) if error in _UNKNOWN else PermanentError(message)


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
    needs=(Need("webhook_url", "SLACK_WEBHOOK_URL"), Need("bot_token", "SLACK_BOT_TOKEN")),
)

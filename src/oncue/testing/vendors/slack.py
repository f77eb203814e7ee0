"""
Slack: incoming webhooks, `POST /services/T…/B…/…`, and `POST /api/chat.postMessage`.

Errors of webhooks are those that Slack documents for them ("Handling errors"),
in plain text; those of the method come with 200 and `ok: false`. Nothing tells
a repeat from a second message.
"""

from collections.abc import Mapping
from typing import Final

from oncue.core.json_text import Json
from oncue.testing.vendors.simulator import Fixed, ReceivedCall, Simulator

_PATH: Final = "/services/T0SIMULATED/B0SIMULATED/simulatedWebhookToken"
_POST_MESSAGE: Final = "/api/chat.postMessage"
_CHANNEL_ID: Final = "C0SIMULATED"
_FIRST_TS: Final = 1_767_225_600
_MAX_CHARS: Final = 40_000


class SlackSimulator(Simulator):
    """
    One webhook of one channel, and a bot.

    The bot is in every channel but `#private` and those named `#unknown…`.
    """

    origin = "https://hooks.slack.com"
    bot_token: Final = "xoxb-simulated-token"

    @property
    def settings(self) -> Mapping[str, str]:
        """The webhook, and the bot's token."""
        return {
            "SLACK_WEBHOOK_URL": self.webhook_url,
            "SLACK_BOT_TOKEN": self.bot_token,
            "ONCUE_SLACK_BASE_URL": self.base_url,
        }

    @property
    def webhook_url(self) -> str:
        """The secret URL that posts to the channel."""
        return f"{self.base_url}{_PATH}"

    def answer(self, call: ReceivedCall) -> Fixed:
        """Post the message; of a bot's, `effects` know channel and `ts`."""
        if call.path == _POST_MESSAGE:
            return self._post_as_bot(call)
        if not call.path.startswith("/services/"):
            return Fixed(404, "no_service")
        if call.path != _PATH:
            is_channel = call.path.rpartition("/")[0] == _PATH.rpartition("/")[0]
            return Fixed(403, "invalid_token") if is_channel else Fixed(404, "no_service")
        if call.method != "POST":
            return Fixed(405, "method_not_allowed")
        message = call.body
        if not isinstance(message, Mapping):
            return Fixed(400, "invalid_payload")
        if problem := _problem(message):
            return Fixed(400, problem)
        self.effects.append({**message})
        return Fixed(200, "ok")

    def _post_as_bot(self, call: ReceivedCall) -> Fixed:
        authorization, message = call.headers.get("authorization", ""), call.body
        if not authorization.startswith("Bearer "):
            return _refused("not_authed")
        if authorization != f"Bearer {self.bot_token}":
            return _refused("invalid_auth")
        if not isinstance(message, Mapping):
            return _refused("invalid_json")
        if problem := _channel_problem(message) or _problem(message):
            return _refused(problem)
        ts = f"{_FIRST_TS + len(self.effects)}.000100"
        self.effects.append({**message, "ts": ts})
        posted: Json = {"type": "message", "text": message.get("text", ""), "ts": ts}
        return Fixed(200, {"ok": True, "channel": _CHANNEL_ID, "ts": ts, "message": posted})


def _refused(error: str) -> Fixed:
    return Fixed(200, {"ok": False, "error": error})


def _channel_problem(message: Mapping[str, Json]) -> str | None:
    channel = message.get("channel")
    if not isinstance(channel, str) or not channel or channel.startswith("#unknown"):
        return "channel_not_found"
    return "not_in_channel" if channel == "#private" else None


def _problem(message: Mapping[str, Json]) -> str | None:
    if not any(message.get(name) for name in ("text", "blocks", "attachments")):
        return "no_text"
    text = message.get("text", "")
    if not isinstance(text, str):
        return "invalid_payload"
    if len(text) > _MAX_CHARS:
        return "msg_too_long"
    blocks = message.get("blocks", [])
    is_valid = isinstance(blocks, list) and all(
        isinstance(block, Mapping) and "type" in block for block in blocks
    )
    return None if is_valid else "invalid_blocks"

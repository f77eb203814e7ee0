"""
Slack: incoming webhooks, `POST /services/T…/B…/…`, and the methods `chat.postMessage` and `auth.test`.

Errors of webhooks are those that Slack documents for them ("Handling errors"),
in plain text; those of the method come with 200 and `ok: false`. Nothing tells
a repeat from a second message.
"""

from collections.abc import Mapping
from typing import Final

from oncue.core.json_text import Json
from oncue.testing.vendors.orders import Fixed, Refused
from oncue.testing.vendors.simulator import ReceivedCall, Simulator

_PATH: Final = "/services/T0SIMULATED/B0SIMULATED/simulatedWebhookToken"
_METHODS: Final = "/api/"
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
        if call.path.startswith(_METHODS):
            return self._method(call, call.path.removeprefix(_METHODS))
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

    def refuse(self, refused: Refused) -> Fixed:
        """Say no: a webhook in plain text, a method mostly with 200."""
        late = {"Retry-After": "1"} if refused is Refused.RATE_LIMITED else {}
        if not self.calls[-1].path.startswith(_METHODS):
            status, text = _OF_WEBHOOKS[refused]
            return Fixed(status, text, late)
        error = _OF_METHODS[refused]
        status = refused.status if refused in _TOLD_BY_STATUS else 200
        return Fixed(status, {"ok": False, "error": error}, late)

    def _method(self, call: ReceivedCall, name: str) -> Fixed:
        authorization = call.headers.get("authorization", "")
        if not authorization.startswith("Bearer "):
            return _refused("not_authed")
        if authorization != f"Bearer {self.bot_token}":
            return _refused("invalid_auth")
        match name:
            case "chat.postMessage":
                return self._post_as_bot(call.body)
            case "auth.test":
                return Fixed(200, {"ok": True, **_WHO})
            case _:
                return _refused("unknown_method")

    def _post_as_bot(self, message: Json) -> Fixed:
        if not isinstance(message, Mapping):
            return _refused("invalid_json")
        if problem := _channel_problem(message) or _problem(message):
            return _refused(problem)
        ts = f"{_FIRST_TS + len(self.effects)}.000100"
        self.effects.append({**message, "ts": ts})
        posted: Json = {"type": "message", "text": message.get("text", ""), "ts": ts}
        return Fixed(200, {"ok": True, "channel": _CHANNEL_ID, "ts": ts, "message": posted})


_WHO: Final[Mapping[str, Json]] = {
    "url": "https://simulated.slack.com/",
    "team": "Simulated",
    "user": "oncue",
    "team_id": "T0SIMULATED",
    "user_id": "U0SIMULATED",
    "bot_id": "B0SIMULATED",
    "is_enterprise_install": False,
}
_TOLD_BY_STATUS: Final = (Refused.RATE_LIMITED, Refused.UNAVAILABLE)
_OF_METHODS: Final[Mapping[Refused, str]] = {
    Refused.UNAUTHORIZED: "invalid_auth",
    Refused.FORBIDDEN: "missing_scope",
    Refused.CONFLICT: "message_limit_exceeded",
    Refused.INVALID: "invalid_blocks",
    Refused.RATE_LIMITED: "ratelimited",
    Refused.BROKEN: "internal_error",
    Refused.UNAVAILABLE: "service_unavailable",
}
_OF_WEBHOOKS: Final[Mapping[Refused, tuple[int, str]]] = {
    Refused.UNAUTHORIZED: (404, "no_service"),
    Refused.FORBIDDEN: (403, "action_prohibited"),
    Refused.CONFLICT: (410, "channel_is_archived"),
    Refused.INVALID: (400, "invalid_payload"),
    Refused.RATE_LIMITED: (429, "rate_limited"),
    Refused.BROKEN: (500, "rollup_error"),
    Refused.UNAVAILABLE: (503, "service_unavailable"),
}


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

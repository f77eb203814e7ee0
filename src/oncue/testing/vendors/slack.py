"""
Slack's incoming webhooks: `POST /services/T…/B…/…`, answered in plain text.

Errors are those that Slack documents for incoming webhooks ("Handling errors").
Nothing tells a repeat from a second message.
"""

from collections.abc import Mapping
from typing import Final

from oncue.core.json_text import Json
from oncue.testing.vendors.simulator import Fixed, ReceivedCall, Simulator

_PATH: Final = "/services/T0SIMULATED/B0SIMULATED/simulatedWebhookToken"


class SlackSimulator(Simulator):
    """One webhook of one channel."""

    origin = "https://hooks.slack.com"

    @property
    def settings(self) -> Mapping[str, str]:
        """The webhook."""
        return {"SLACK_WEBHOOK_URL": self.webhook_url}

    @property
    def webhook_url(self) -> str:
        """The secret URL that posts to the channel."""
        return f"{self.base_url}{_PATH}"

    def answer(self, call: ReceivedCall) -> Fixed:
        """Post the message."""
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


def _problem(message: Mapping[str, Json]) -> str | None:
    if not any(message.get(name) for name in ("text", "blocks", "attachments")):
        return "no_text"
    if not isinstance(message.get("text", ""), str):
        return "invalid_payload"
    blocks = message.get("blocks", [])
    is_valid = isinstance(blocks, list) and all(
        isinstance(block, Mapping) and "type" in block for block in blocks
    )
    return None if is_valid else "invalid_blocks"

"""E-mail, text messages, Slack."""

import base64
from collections.abc import Mapping
from typing import Final

from oncue.actions.integrations.asking import HTTP_URL, ask, bearer, endpoint, endpoint_of
from oncue.core.action import HttpRequest
from oncue.core.errors import PermanentError
from oncue.core.http_answer import failure
from oncue.core.integration import Credential, Integration, Reach
from oncue.core.json_text import encode_json

_PATIENCE_MS: Final = 10_000


async def _ask_email(values: Mapping[str, str], reach: Reach) -> str:
    if "api_key" not in values:
        await reach.greet(values["smtp_url"])
        return "the mail server lets us in"
    found = await ask(reach, "Resend", f"{endpoint_of(values)}/domains", bearer(values["api_key"]))
    domains = found.get("data")
    return f"Resend knows the key; {len(domains) if isinstance(domains, list) else 0} domains"


EMAIL = Integration(
    name="email",
    title="E-mail",
    credentials=(
        Credential("api_key", "Key of Resend.", example="re_123456789"),
        Credential(
            "smtp_url",
            "Mail server, instead of Resend.",
            pattern=r"smtps?://.+",
            example="smtps://user:password@mail.example.com",
        ),
        Credential("from", "Sender of e-mails that name none.", is_secret=False),
        endpoint("Resend", "https://api.resend.com"),
    ),
    enough=(("api_key",), ("smtp_url",)),
    probe=_ask_email,
)


async def _ask_twilio(values: Mapping[str, str], reach: Reach) -> str:
    sid = values["account_sid"]
    pair = base64.b64encode(f"{sid}:{values['auth_token']}".encode()).decode()
    url = f"{endpoint_of(values)}/2010-04-01/Accounts/{sid}.json"
    found = await ask(reach, "Twilio", url, {"Authorization": f"Basic {pair}"})
    return f"Twilio knows the account; it is {found.get('status')}"


TWILIO = Integration(
    name="twilio",
    title="Twilio",
    credentials=(
        Credential(
            "account_sid",
            "Account of Twilio.",
            is_secret=False,
            pattern=r"[A-Za-z0-9]+",
            example="AC0123456789abcdef0123456789abcdef",
        ),
        Credential("auth_token", "Token of that account."),
        Credential("from", "Sender of text messages that name none.", is_secret=False),
        endpoint("Twilio", "https://api.twilio.com"),
    ),
    enough=(("account_sid", "auth_token"),),
    probe=_ask_twilio,
)


async def _ask_slack(values: Mapping[str, str], reach: Reach) -> str:
    if "bot_token" not in values:
        return await _ask_webhook(values["webhook_url"], reach)
    url = f"{endpoint_of(values)}/api/auth.test"
    found = await ask(reach, "Slack", url, bearer(values["bot_token"]), method="POST")
    if found.get("ok") is not True:
        raise PermanentError(f"Slack refused: {found.get('error')}")
    return f"Slack knows the bot {found.get('user')} of {found.get('team')}"


async def _ask_webhook(url: str, reach: Reach) -> str:
    """Post a message without a text: a webhook that is right refuses it for just that."""
    headers = {"Content-Type": "application/json"}
    answer = await reach.send(
        HttpRequest("POST", url, headers, encode_json({"text": ""}), _PATIENCE_MS)
    )
    if answer.status == 400 and answer.body.strip() in (b"no_text", b"invalid_payload"):
        return "Slack knows the webhook; nothing was posted"
    raise failure(answer, "Slack")


SLACK = Integration(
    name="slack",
    title="Slack",
    credentials=(
        Credential(
            "webhook_url",
            "Incoming webhook; it leads to one channel.",
            pattern=HTTP_URL,
            example="https://hooks.slack.com/services/T000/B000/abc123",
        ),
        Credential("bot_token", "Token of a bot.", example="xoxb-123456789"),
        endpoint("Slack", "https://slack.com"),
    ),
    enough=(("webhook_url",), ("bot_token",)),
    probe=_ask_slack,
)

"""Webhooks in automation tests: as a vendor posts them, but that nobody signs."""

from oncue.core.errors import NotFound, OnCueError
from oncue.core.hook.request import HookRequest
from oncue.core.json_text import encode_json
from oncue.engine.engine import Engine
from oncue.testing.automation.document import TimedWebhook
from oncue.testing.embedded import ACCOUNT


async def posted(engine: Engine, webhook: TimedWebhook) -> list[str]:
    """Return why nothing became of a webhook; nothing, if an event did."""
    try:
        hook = await engine.hooks.find(ACCOUNT, webhook.hook)
        await engine.hook_receiver.take(ACCOUNT, hook, _request(webhook))
    except NotFound:
        return [f"expected a hook of the given documents, got {webhook.hook!r}"]
    except OnCueError as exc:
        return [f"expected a webhook that an event can be made of: {exc}"]
    return []


def _request(webhook: TimedWebhook) -> HookRequest:
    headers = {name.lower(): value for name, value in webhook.headers.items()}
    headers.setdefault("content-type", "application/json")
    body = webhook.body
    is_text = isinstance(body, str) and "json" not in headers["content-type"]
    content = body.encode() if is_text and isinstance(body, str) else encode_json(body)
    return HookRequest("", headers, {}, content)

"""Messages to Slack by webhook and as a bot: where they go, and what each refusal means."""

from typing import Any

import pytest

from oncue.core.errors import OutcomeUnknown, PermanentError, RetryableError
from oncue.core.json_text import Json
from oncue.testing.vendors import Fixed, Simulators
from tests.vendors import Ask, with_vendors

TO_CHANNEL: dict[str, Json] = {"channel": "#sales", "text": "hello"}


def _posted(document: Json, *hidden: str) -> tuple[Any, Any]:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.hide(*hidden)
        return await ask("send_slack_message", document), vendors.slack.calls[0]

    return with_vendors(use)


def test_a_bot_posts_to_a_channel() -> None:
    output, call = _posted({**TO_CHANNEL, "thread_ts": "1.2"})

    assert output == {"ok": True, "ts": "1767225600.000100", "channel": "C0SIMULATED"}
    assert (call.path, call.body) == ("/api/chat.postMessage", {**TO_CHANNEL, "thread_ts": "1.2"})


@pytest.mark.parametrize(
    ("document", "hidden", "path"),
    [
        pytest.param({"text": "x"}, (), "/services/", id="without a channel the webhook"),
        pytest.param(TO_CHANNEL, ("SLACK_BOT_TOKEN",), "/services/", id="without a bot as well"),
        pytest.param(TO_CHANNEL, ("SLACK_WEBHOOK_URL",), "/api/", id="only a bot"),
    ],
)
def test_which_way_a_message_goes(document: Json, hidden: tuple[str, ...], path: str) -> None:
    output, call = _posted(document, *hidden)

    assert call.path.startswith(path)
    assert output["ok"] is True


def test_a_bot_alone_needs_a_channel() -> None:
    with pytest.raises(PermanentError, match="no channel"):
        _posted({"text": "x"}, "SLACK_WEBHOOK_URL")


def test_without_any_way_both_settings_are_named() -> None:
    told = "no connection for slack: set SLACK_WEBHOOK_URL or SLACK_BOT_TOKEN"
    with pytest.raises(PermanentError, match=told):
        _posted({"text": "x"}, "SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({**TO_CHANNEL, "channel": "#private"}, r"not_in_channel \(invite the bot to it\)"),
        ({**TO_CHANNEL, "channel": "#unknown"}, r"channel_not_found \(no such channel"),
        ({**TO_CHANNEL, "text": "x" * 40_001}, r"msg_too_long \(the text is longer"),
        ({**TO_CHANNEL, "text": ""}, "no_text"),
    ],
)
def test_what_slack_refuses_is_told_with_what_helps(document: Json, told: str) -> None:
    with pytest.raises(PermanentError, match=f"Slack refused: {told}"):
        _posted(document)


def _refused(error: str) -> Fixed:
    return Fixed(200, {"ok": False, "error": error}, {"Retry-After": "30"})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(_refused("ratelimited"), RetryableError, id="too many"),
        pytest.param(_refused("service_unavailable"), RetryableError, id="their pause"),
        pytest.param(_refused("fatal_error"), OutcomeUnknown, id="perhaps posted"),
        pytest.param(_refused("internal_error"), OutcomeUnknown, id="perhaps posted as well"),
        pytest.param(_refused("token_revoked"), PermanentError, id="no bot any more"),
        pytest.param(_refused("an_error_of_tomorrow"), PermanentError, id="something unheard of"),
        pytest.param(Fixed(429, "", {"Retry-After": "30"}), RetryableError, id="429"),
        pytest.param(Fixed(200, "hello"), OutcomeUnknown, id="no JSON"),
    ],
)
def test_what_an_answer_means(answer: Any, error: type[Exception]) -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        vendors.slack.answer_next(answer)
        await ask("send_slack_message", TO_CHANNEL)

    with pytest.raises(error) as caught:
        with_vendors(use)

    if isinstance(caught.value, RetryableError):
        assert caught.value.retry_after_ms == (None if answer.status == 500 else 30_000)

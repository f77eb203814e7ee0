"""Text messages by Twilio: what is sent, what each answer means, and that none goes out twice."""

from typing import Any

import pytest

from oncue.actions import ACTIONS
from oncue.core.action import Idempotency
from oncue.core.errors import OutcomeUnknown, PermanentError, RetryableError
from oncue.core.json_text import Json
from oncue.testing.vendors import Fixed, Simulators
from tests.vendors import Ask, with_vendors

SMS: dict[str, Json] = {"to": "+447700900123", "body": "Hi & bye: 100 % café"}


def _sent(document: Json) -> tuple[Any, Any, list[Any]]:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        return await ask("send_sms", document), vendors.twilio.calls[0], vendors.twilio.effects

    return with_vendors(use)


def test_a_message_is_sent_as_twilio_takes_it() -> None:
    output, call, (message,) = _sent(SMS)

    assert output == {"message_id": message["sid"], "status": "queued"}
    assert call.form == {"To": SMS["to"], "From": "+15005550006", "Body": SMS["body"]}


@pytest.mark.parametrize(
    ("sender", "field"),
    [("+15005550009", "From"), ("Shop", "From"), (f"MG{'a' * 32}", "MessagingServiceSid")],
)
def test_a_sender_may_be_a_number_a_name_or_a_service(sender: str, field: str) -> None:
    _, call, _ = _sent({**SMS, "from": sender})

    assert call.form[field] == sender


@pytest.mark.parametrize(
    ("document", "code"),
    [
        pytest.param({**SMS, "to": "12"}, 21211, id="no number"),
        pytest.param({**SMS, "from": "MGxyz"}, 21701, id="no such service"),
    ],
)
def test_what_twilio_refuses_is_told_by_its_code(document: Json, code: int) -> None:
    with pytest.raises(PermanentError, match=rf"Twilio answered 400: .* \(error {code}\)"):
        _sent(document)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(Fixed(429, {"code": 20429}, {"Retry-After": "3"}), RetryableError, id="429"),
        pytest.param(Fixed(500), OutcomeUnknown, id="their bug: it may have been sent"),
        pytest.param(Fixed(201, "sent"), OutcomeUnknown, id="a success that says nothing"),
        pytest.param(Fixed(401, {"code": 20003, "message": "No"}), PermanentError, id="no key"),
    ],
)
def test_what_an_answer_means(answer: Any, error: type[Exception]) -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        vendors.twilio.answer_next(answer)
        await ask("send_sms", SMS)

    with pytest.raises(error) as caught:
        with_vendors(use)

    if isinstance(caught.value, RetryableError):
        assert caught.value.retry_after_ms == 3_000


def test_the_token_is_not_told_though_the_vendor_tells_it() -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        vendors.twilio.answer_next(Fixed(400, f"bad token {vendors.twilio.auth_token}"))
        await ask("send_sms", SMS)

    with pytest.raises(PermanentError, match=r"bad token \*\*\*"):
        with_vendors(use)


def test_an_unknown_outcome_ends_the_step_unless_asked_otherwise() -> None:
    (action,) = (action for action in ACTIONS if action.name == "send_sms")

    assert (action.idempotency, action.is_harmless_to_repeat) == (Idempotency.NONE, False)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("TWILIO_ACCOUNT_SID", "set TWILIO_ACCOUNT_SID"),
        ("ONCUE_SMS_FROM", "set ONCUE_SMS_FROM"),
        ("TWILIO_AUTH_TOKEN", "no connection for twilio: set TWILIO_AUTH_TOKEN"),
    ],
)
def test_what_is_not_set_is_named(setting: str, told: str) -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        vendors.hide(setting)
        try:
            await ask("send_sms", SMS)
        finally:
            assert vendors.twilio.calls == []

    with pytest.raises(PermanentError, match=told):
        with_vendors(use)

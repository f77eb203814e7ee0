"""Webhooks that go out: what is sent, and how a receiver knows us."""

import base64
import hmac
from typing import Any

import pytest

from oncue.core.errors import PermanentError
from oncue.core.hook.signing import standard_signature
from oncue.core.json_text import Json
from oncue.testing.vendors import Fixed, ReceivedCall, Simulators
from tests.vendors import KEY, WEBHOOK_SECRET, Ask, with_vendors


def send(action: str, **document: Json) -> ReceivedCall:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        await ask(action, {"url": f"{vendors.http.base_url}/hook", **document})
        return vendors.http.calls

    (call,) = with_vendors(use)
    assert isinstance(call, ReceivedCall)
    return call


def test_the_signature_is_that_of_the_standard() -> None:
    # The example in the specification of Standard Webhooks.
    body = b'{"test": 2432232314}'
    signature = standard_signature(
        WEBHOOK_SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("action", ["send_webhook", "call_webhook"])
def test_a_receiver_can_check_where_it_comes_from(action: str) -> None:
    part = "data" if action == "send_webhook" else "body"
    call = send(action, **{part: {"id": 42}})

    timestamp = call.headers["webhook-timestamp"]
    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    signed = f"{KEY}.{timestamp}.".encode() + call.content
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert call.headers["webhook-id"] == KEY
    assert timestamp == "1767225600"
    assert call.headers["webhook-signature"] == f"v1,{expected}"


def test_an_event_is_sent_with_its_type() -> None:
    call = send("send_webhook", type="order.paid", data={"id": 42})

    assert (call.method, call.body) == ("POST", {"type": "order.paid", "data": {"id": 42}})


def test_a_call_is_sent_as_told() -> None:
    call = send("call_webhook", method="put", headers={"X-Own": "1"}, body=[1])

    assert (call.method, call.body, call.headers["x-own"]) == ("PUT", [1], "1")
    assert call.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "basic", "username": "ada", "password": "pw"}, "authorization", "Basic YWRhOnB3"),
        ({"type": "bearer", "token": "t"}, "authorization", "Bearer t"),
        ({"type": "api_key", "header": "X-Key", "key": "k"}, "x-key", "k"),
    ],
)
def test_a_receiver_may_ask_for_credentials(auth: Json, header: str, value: str) -> None:
    assert send("call_webhook", auth=auth).headers[header] == value


def test_a_receiver_that_is_gone_is_not_asked_again() -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        vendors.http.answer_next(Fixed(410))
        await ask("send_webhook", {"url": vendors.http.base_url})

    with pytest.raises(PermanentError, match="410"):
        with_vendors(use)

"""The actions against simulated vendors: what they send, and what each answer means."""

import asyncio
from typing import Any

import pytest

from oncue.actions import ACTIONS
from oncue.actions.library import ActionLibrary, GivenCredentials
from oncue.core.action import Ways
from oncue.core.errors import OutcomeUnknown, PermanentError
from oncue.core.json_text import Json
from oncue.testing.clock import VirtualClock
from oncue.testing.trial import fresh_stores
from oncue.testing.vendors import LOSE_ANSWER, Fixed, Simulators
from tests.vendors import Ask, with_vendors

EMAIL: dict[str, Json] = {"to": "ada@example.com", "subject": "Hi", "html": "<p>Hello</p>"}
SLACK: Json = {"text": "hello"}
CONTACT: dict[str, Json] = {
    "type": "contacts",
    "properties": {"email": "ada@example.com", "seats": 5},
}


def test_send_email_sends_what_resend_takes() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        return await ask("send_email", EMAIL), vendors.resend.calls, vendors.resend.effects

    output, (call,), (sent,) = with_vendors(use)

    assert output == {"message_id": sent["id"]}
    assert (call.method, call.path, call.idempotency_key) == ("POST", "/emails", "key-1")
    assert call.body == {**EMAIL, "from": "us@example.com"}


def test_create_crm_record_sends_what_hubspot_takes() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        return await ask("create_crm_record", CONTACT), vendors.hubspot.calls

    output, (call,) = with_vendors(use)

    assert output == {"id": "101", "created": True}
    assert call.body == {
        "properties": {"email": "ada@example.com", "seats": "5"},
        "associations": [],
    }


def test_create_crm_record_updates_by_a_unique_property() -> None:
    async def use(_: Simulators, ask: Ask) -> Any:
        document = {**CONTACT, "id_property": "email"}
        return [await ask("create_crm_record", document) for _ in range(2)]

    assert with_vendors(use) == [{"id": "101", "created": True}, {"id": "101", "created": False}]


def test_a_lost_create_is_found_again_by_its_repeat() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.hubspot.answer_next(LOSE_ANSWER)
        with pytest.raises(OutcomeUnknown):
            await ask("create_crm_record", CONTACT)
        return await ask("create_crm_record", CONTACT, is_repeat=True), vendors.hubspot.effects

    output, records = with_vendors(use)

    assert output == {"id": "101", "created": True}
    assert len(records) == 1


def test_a_record_of_someone_else_is_no_success() -> None:
    async def use(_: Simulators, ask: Ask) -> Any:
        await ask("create_crm_record", CONTACT)
        await ask("create_crm_record", CONTACT)

    with pytest.raises(PermanentError, match="Existing ID: 101"):
        with_vendors(use)


def test_send_slack_message_posts() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        return await ask("send_slack_message", SLACK), vendors.slack.effects

    assert with_vendors(use) == ({"ok": True}, [{"text": "hello"}])


def test_http_request_sends_what_it_is_told() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        document = {
            "method": "put",
            "url": f"{vendors.http.base_url}/orders?a=1",
            "headers": {"X-Own": "yes"},
            "query": {"b": True},
            "json": {"id": 42},
        }
        return await ask("http_request", document), vendors.http.calls

    output, (call,) = with_vendors(use)

    assert (call.method, call.path, call.body) == ("PUT", "/orders?a=1&b=true", {"id": 42})
    assert (call.headers["x-own"], call.idempotency_key) == ("yes", "key-1")
    assert (output["status"], output["body"]["body"]) == (200, {"id": 42})


def test_http_request_may_accept_any_status() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.http.answer_next(Fixed(404, {"error": "none"}))
        document = {"url": vendors.http.base_url, "fail_on_status": False}
        return await ask("http_request", document)

    output = with_vendors(use)
    assert (output["status"], output["body"]) == (404, {"error": "none"})


ALL = [
    pytest.param("send_email", EMAIL, "resend", id="send_email"),
    pytest.param("send_slack_message", SLACK, "slack", id="send_slack_message"),
    pytest.param("create_crm_record", CONTACT, "hubspot", id="create_crm_record"),
]


@pytest.mark.parametrize(("action", "document", "vendor"), ALL)
def test_without_a_connection_the_setting_is_named(
    action: str, document: Json, vendor: str
) -> None:
    integration = "email" if vendor == "resend" else vendor

    async def send(*_: object) -> Any:
        raise AssertionError("nothing may be sent")

    async def main() -> None:
        async with fresh_stores() as stores:
            library = ActionLibrary(
                ACTIONS,
                GivenCredentials(lambda *_: {}),
                Ways(send, send, send),
                VirtualClock(),
                stores,
            )
            await library.perform("acc", action, document, "k", is_repeat=False)

    with pytest.raises(PermanentError, match=f"no connection for {integration}: set [A-Z_]+"):
        asyncio.run(main())


def test_a_key_used_for_something_else_is_no_success() -> None:
    async def use(_: Simulators, ask: Ask) -> None:
        await ask("send_email", EMAIL)
        await ask("send_email", {**EMAIL, "subject": "Other"})

    with pytest.raises(PermanentError, match="invalid_idempotent_request"):
        with_vendors(use)


def test_what_a_template_gave_is_checked_before_anything_is_sent() -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        with pytest.raises(PermanentError, match=r"with\.to.*got 5"):
            await ask("send_email", {**EMAIL, "to": 5})
        assert vendors.resend.calls == []

    with_vendors(use)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_the_example_of_an_action_is_an_input(action: Any) -> None:
    assert action.input.model_validate(action.example)

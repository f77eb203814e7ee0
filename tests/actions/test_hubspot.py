"""HubSpot's records: created with what they belong to, upserted, changed, and made once."""

from typing import Any

import pytest

from oncue.actions import ACTIONS
from oncue.core.errors import OutcomeUnknown, PermanentError, RetryableError
from oncue.core.json_text import Json
from oncue.testing.vendors import Fixed, Simulators
from tests.vendors import Ask, with_vendors

CONTACT: dict[str, Json] = {"type": "contacts", "properties": {"email": "ada@example.com"}}
TICKET: dict[str, Json] = {
    "type": "tickets",
    "properties": {"subject": "Down", "is_urgent": True, "note": None},
    "associations": [{"to": {"id": 101}, "types": [{"associationTypeId": 16}]}],
}
COMPANY: dict[str, Json] = {
    "type": "companies",
    "properties": {"domain": "example.com", "employees": 12},
    "id_property": "domain",
}
CHANGE: dict[str, Json] = {"type": "contacts", "id": "101", "properties": {"city": "London"}}


def _asked(*asked: tuple[str, Json], **settings: str) -> tuple[list[Any], Any]:
    """Return what each gave, and the simulated vendor."""

    async def use(vendors: Simulators, ask: Ask) -> Any:
        return [await ask(action, document) for action, document in asked], vendors.hubspot

    return with_vendors(use, **settings)


def test_a_ticket_belongs_to_a_contact() -> None:
    outputs, hubspot = _asked(("create_crm_record", TICKET))

    assert outputs == [{"id": "101", "created": True}]
    type_: Json = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 16}
    assert hubspot.calls[0].body == {
        "properties": {"subject": "Down", "is_urgent": "true", "note": ""},
        "associations": [{"to": {"id": "101"}, "types": [type_]}],
    }


@pytest.mark.parametrize("kind", ["contacts", "companies", "deals", "tickets", "2-3465404"])
def test_records_of_each_type_are_created_and_changed(kind: str) -> None:
    properties: dict[str, Json] = {"name": "x", "amount": 1.5, "is_new": False, "note": None}
    record: dict[str, Json] = {"type": kind, "properties": properties}
    outputs, hubspot = _asked(
        ("create_crm_record", record), ("update_crm_record", {**record, "id": "101"})
    )

    assert outputs == [{"id": "101", "created": True}, {"id": "101"}]
    assert hubspot.calls[1].body == {
        "properties": {"name": "x", "amount": "1.5", "is_new": "false", "note": ""}
    }


def test_an_upsert_makes_a_record_and_finds_it_again() -> None:
    outputs, hubspot = _asked(*[("create_crm_record", COMPANY)] * 2)

    assert outputs == [{"id": "101", "created": True}, {"id": "101", "created": False}]
    assert len(hubspot.effects) == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(CHANGE, id="by HubSpot's id"),
        pytest.param({**CHANGE, "id": 101}, id="by a number"),
        pytest.param(
            {**CHANGE, "id": "ada@example.com", "id_property": "email"}, id="by a unique property"
        ),
    ],
)
def test_a_record_is_changed(change: dict[str, Json]) -> None:
    outputs, hubspot = _asked(("create_crm_record", CONTACT), ("update_crm_record", change))

    assert outputs[1] == {"id": "101"}
    assert hubspot.effects[0]["properties"] == {"email": "ada@example.com", "city": "London"}


def test_changing_twice_changes_once() -> None:
    outputs, hubspot = _asked(("create_crm_record", CONTACT), *[("update_crm_record", CHANGE)] * 2)

    assert outputs[1] == outputs[2]
    assert len(hubspot.effects) == 1


@pytest.mark.parametrize(
    ("version", "path"),
    [("v3", "/crm/v3/objects/contacts"), ("2026-03", "/crm/objects/2026-03/contacts")],
)
def test_the_version_of_the_api_is_a_setting(version: str, path: str) -> None:
    _, hubspot = _asked(("create_crm_record", CONTACT), ONCUE_HUBSPOT_API_VERSION=version)

    assert hubspot.calls[0].path == path


@pytest.mark.parametrize(
    ("action", "document", "told"),
    [
        ("update_crm_record", {**CHANGE, "id": "7"}, "404: OBJECT_NOT_FOUND: Object not found"),
        ("create_crm_record", {**COMPANY, "id_property": "vat"}, "expected the property 'vat'"),
        ("create_crm_record", {**TICKET, "id_property": "subject"}, "expected no associations"),
        ("update_crm_record", {**CHANGE, "id": ".."}, "expected an id"),
        ("create_crm_record", {**CONTACT, "type": "../x"}, r"with\.type"),
    ],
)
def test_what_cannot_be_done_is_told(action: str, document: Json, told: str) -> None:
    with pytest.raises(PermanentError, match=told):
        _asked((action, document))


def _error(status: int, **more: Json) -> Fixed:
    body: dict[str, Json] = {"status": "error", "category": "X", "message": "why", **more}
    return Fixed(status, body, {"Retry-After": "10"})


@pytest.mark.parametrize("action", ["create_crm_record", "update_crm_record"])
@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (_error(429, policyName="TEN_SECONDLY_ROLLING"), RetryableError, r"TEN_SECONDLY_ROLLING"),
        (_error(502), RetryableError, "502: X: why"),
        (_error(400), PermanentError, "400: X: why"),
        (Fixed(201, "no object"), OutcomeUnknown, "object"),
    ],
)
def test_what_an_answer_means(action: str, answer: Any, error: type[Exception], told: str) -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        await ask("create_crm_record", CONTACT)
        vendors.hubspot.answer_next(answer)
        await ask(action, {**CHANGE} if action.startswith("update") else TICKET)

    with pytest.raises(error, match=told):
        with_vendors(use)


@pytest.mark.parametrize(
    ("policy", "headers", "retry_after_ms"),
    [
        ("TEN_SECONDLY_ROLLING", {"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}, 10_000),
        ("TEN_SECONDLY_ROLLING", {"X-HubSpot-RateLimit-Interval-Milliseconds": "soon"}, None),
        # The window of ten seconds tells nothing of the day.
        ("DAILY", {"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}, None),
        ("DAILY", {"Retry-After": "60"}, 60_000),
    ],
)
def test_who_asks_too_often_waits_for_the_window(
    policy: str, headers: dict[str, str], retry_after_ms: int | None
) -> None:
    body: Json = {"errorType": "RATE_LIMIT", "message": "limit", "policyName": policy}

    async def use(vendors: Simulators, ask: Ask) -> None:
        vendors.hubspot.answer_next(Fixed(429, body, headers))
        await ask("create_crm_record", CONTACT)

    with pytest.raises(RetryableError, match=rf"429: RATE_LIMIT: limit \({policy}\)") as caught:
        with_vendors(use)
    assert caught.value.retry_after_ms == retry_after_ms


def test_an_upsert_that_half_failed_did() -> None:
    first: Json = {"status": "error", "category": "VALIDATION_ERROR", "message": "no such property"}
    body: Json = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [first]}

    async def use(vendors: Simulators, ask: Ask) -> None:
        vendors.hubspot.answer_next(Fixed(207, body))
        await ask("create_crm_record", COMPANY)

    with pytest.raises(PermanentError, match="207: VALIDATION_ERROR: no such property"):
        with_vendors(use)


@pytest.mark.parametrize(
    ("document", "may_repeat"),
    [
        pytest.param(CONTACT, True, id="a contact's e-mail is unique"),
        pytest.param({"type": "contacts", "properties": {"city": "x"}}, False, id="but not a city"),
        pytest.param(COMPANY, True, id="an upsert finds the first"),
        pytest.param(TICKET, False, id="nothing tells one ticket from another"),
        pytest.param({"type": "contacts", "properties": "{{ x }}"}, False, id="nobody knows yet"),
    ],
)
def test_what_is_made_again_unasked(document: Json, may_repeat: bool) -> None:  # noqa: FBT001 a column
    (action,) = (action for action in ACTIONS if action.name == "create_crm_record")

    assert action.may_repeat(document) is may_repeat

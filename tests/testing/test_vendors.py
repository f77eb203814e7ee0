"""The simulated vendors over real HTTP: what they refuse, repeat, and can be told to do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from oncue.testing.vendors import DROP, LOSE_ANSWER, Fixed, Held, Simulators
from tests.specs import check_exchanges

EMAIL = {"from": "a@example.com", "to": "b@example.com", "subject": "Hi", "text": "Hello"}
CONTACT = {"properties": {"email": "ada@example.com"}, "associations": []}


def use_vendors(use: Callable[[Simulators, aiohttp.ClientSession], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with Simulators() as vendors, aiohttp.ClientSession() as session:
            found = await use(vendors, session)
            check_exchanges(vendors.by_name)
            return found

    return asyncio.run(main())


def post_emails(*emails: tuple[dict[str, str], Any]) -> tuple[list[tuple[int, Any]], list[Any]]:
    """Post e-mails, each with headers of its own; return the answers, and what was sent."""

    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        answers = []
        for headers, email in emails:
            authorized = {"Authorization": f"Bearer {vendors.resend.api_key}", **headers}
            url = f"{vendors.resend.base_url}/emails"
            async with session.post(url, json=email, headers=authorized) as answer:
                answers.append((answer.status, await answer.json()))
        return answers, vendors.resend.effects

    return use_vendors(use)


def test_resend_sends_an_email() -> None:
    ((status, body),), sent = post_emails(({}, EMAIL))

    assert status == 200
    assert sent == [{"id": body["id"], **EMAIL}]


def test_resend_sends_once_for_a_key() -> None:
    key = {"Idempotency-Key": "k"}
    answers, sent = post_emails((key, EMAIL), (key, EMAIL), (key, {**EMAIL, "text": "Other"}))

    assert [status for status, _ in answers] == [200, 200, 409]
    assert answers[0] == answers[1]
    assert answers[2][1]["name"] == "invalid_idempotent_request"
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("headers", "email", "status", "name"),
    [
        ({"Authorization": ""}, EMAIL, 401, "missing_api_key"),
        ({"Authorization": "Bearer re_other"}, EMAIL, 403, "invalid_api_key"),
        ({"Idempotency-Key": "k" * 257}, EMAIL, 400, "invalid_idempotency_key"),
        ({}, {**EMAIL, "subject": ""}, 422, "missing_required_field"),
        ({}, {**EMAIL, "text": ""}, 422, "missing_required_field"),
        ({}, {**EMAIL, "to": "nobody"}, 422, "validation_error"),
        ({}, {**EMAIL, "to": ["a@example.com"] * 51}, 422, "validation_error"),
        ({}, [], 422, "validation_error"),
    ],
)
def test_resend_refuses(headers: dict[str, str], email: Any, status: int, name: str) -> None:
    ((got, body),), sent = post_emails((headers, email))

    assert (got, body["statusCode"], body["name"]) == (status, status, name)
    assert sent == []


@pytest.mark.parametrize(
    ("message", "status", "text"),
    [
        ({"text": "hello"}, 200, "ok"),
        ({"blocks": [{"type": "divider"}]}, 200, "ok"),
        ({}, 400, "no_text"),
        ([], 400, "invalid_payload"),
        ({"text": 5}, 400, "invalid_payload"),
        ({"text": "x", "blocks": [5]}, 400, "invalid_blocks"),
    ],
)
def test_slack_answers_in_plain_text(message: Any, status: int, text: str) -> None:
    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        async with session.post(vendors.slack.webhook_url, json=message) as answer:
            return answer.status, await answer.text(), answer.content_type, vendors.slack.effects

    got = use_vendors(use)

    assert got[:3] == (status, text, "text/plain")
    assert got[3] == ([message] if status == 200 else [])


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/services/T0SIMULATED/B0SIMULATED/other", 403, "invalid_token"),
        ("/services/T1/B1/other", 404, "no_service"),
        ("/", 404, "no_service"),
    ],
)
def test_slack_knows_one_webhook(path: str, status: int, text: str) -> None:
    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        async with session.post(vendors.slack.base_url + path, json={"text": "x"}) as answer:
            return answer.status, await answer.text()

    assert use_vendors(use) == (status, text)


def call_hubspot(*calls: tuple[str, str, Any], key: str = "") -> list[tuple[int, Any]]:
    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        headers = {"Authorization": f"Bearer {key or vendors.hubspot.api_key}"}
        answers = []
        for method, path, body in calls:
            url = f"{vendors.hubspot.base_url}/crm/v3/objects/{path}"
            async with session.request(method, url, json=body, headers=headers) as answer:
                answers.append((answer.status, await answer.json()))
        return answers

    return use_vendors(use)


def test_hubspot_creates_and_reads_a_contact() -> None:
    created, read = call_hubspot(("POST", "contacts", CONTACT), ("GET", "contacts/101", None))

    assert (created[0], read) == (201, (200, created[1]))


def test_hubspot_refuses_a_second_contact_with_the_same_email() -> None:
    _, (status, error) = call_hubspot(("POST", "contacts", CONTACT), ("POST", "contacts", CONTACT))

    assert (status, error["category"]) == (409, "CONFLICT")
    assert error["message"] == "Contact already exists. Existing ID: 101"


def test_hubspot_upserts_by_a_unique_property() -> None:
    one = {
        "idProperty": "email",
        "id": "ada@example.com",
        "properties": {"email": "ada@example.com"},
    }
    two = {**one, "properties": {"city": "London"}}
    answers = call_hubspot(
        ("POST", "contacts/batch/upsert", {"inputs": [one]}),
        ("POST", "contacts/batch/upsert", {"inputs": [two]}),
    )

    results = [body["results"][0] for _, body in answers]
    assert [(result["id"], result["new"]) for result in results] == [("101", True), ("101", False)]
    assert results[1]["properties"] == {"email": "ada@example.com", "city": "London"}


@pytest.mark.parametrize(
    ("call", "key", "status", "category"),
    [
        (("POST", "contacts", CONTACT), "other", 401, "INVALID_AUTHENTICATION"),
        (("POST", "contacts", {}), "", 400, "VALIDATION_ERROR"),
        (("POST", "contacts", {"properties": {"n": 1}}), "", 400, "VALIDATION_ERROR"),
        (("POST", "contacts/batch/upsert", {"inputs": []}), "", 400, "VALIDATION_ERROR"),
        (("GET", "contacts/7", None), "", 404, "OBJECT_NOT_FOUND"),
        (("PUT", "contacts", CONTACT), "", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_hubspot_refuses(call: Any, key: str, status: int, category: str) -> None:
    ((got, error),) = call_hubspot(call, key=key)

    assert (got, error["status"], error["category"]) == (status, "error", category)


def test_answers_on_order_come_once_and_in_turn() -> None:
    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        vendors.http.answer_next(Fixed(429, headers={"Retry-After": "2"}), DROP, LOSE_ANSWER)
        answers: list[Any] = []
        for _ in range(4):
            try:
                async with session.post(vendors.http.base_url, data=b"x") as answer:
                    answers.append((answer.status, answer.headers.get("Retry-After")))
            except aiohttp.ServerDisconnectedError:
                answers.append("no answer")
        return answers, len(vendors.http.calls), len(vendors.http.effects)

    assert use_vendors(use) == (
        [(429, "2"), "no answer", "no answer", (200, None)],
        4,
        2,
    )


def test_a_held_answer_waits_for_its_release() -> None:
    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        held = Held()
        vendors.slack.answer_next(held)
        posting = asyncio.create_task(session.post(vendors.slack.webhook_url, json={"text": "x"}))
        await held.arrived()
        before = len(vendors.slack.effects)
        held.release()
        status = (await posting).status
        return before, status, len(vendors.slack.effects)

    assert use_vendors(use) == (0, 200, 1)


def test_calls_are_shown_without_credentials() -> None:
    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        headers = {"Authorization": f"Bearer {vendors.resend.api_key}"}
        await session.post(f"{vendors.resend.base_url}/emails", json=EMAIL, headers=headers)
        await session.post(vendors.slack.webhook_url, json={"text": "x"})
        shown = []
        for vendor in (vendors.resend, vendors.slack):
            async with session.get(f"{vendor.base_url}/_calls") as answer:
                shown.append(await answer.text())
        return shown, vendors.resend.api_key, vendors.slack.webhook_url

    (resend, slack), api_key, webhook_url = use_vendors(use)

    assert "ada" not in resend
    assert "b@example.com" in resend
    assert api_key not in resend
    assert webhook_url.rpartition("/")[2] not in slack

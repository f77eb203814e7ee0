"""What each integration asks its vendor, and what it makes of the answer."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from oncue.actions import ACTIONS
from oncue.actions.integrations import INTEGRATIONS
from oncue.core.action import HttpAnswer, HttpRequest
from oncue.core.errors import ActionError, PermanentError
from oncue.core.integration import HINT_MASK, Reach, hint_of
from oncue.core.json_text import encode_json
from oncue.core.statements import Rows, Statement

BY_NAME = {one.name: one for one in INTEGRATIONS}


class Asked(NamedTuple):
    """Values, what the vendor answers to them, and what is said of it."""

    integration: str
    values: Mapping[str, str]
    request: str
    status: int
    answer: Any
    told: str
    is_good: bool = True


ENDPOINT = {"base_url": "https://vendor.example/"}
SLACK_HOOK = {"webhook_url": "https://hooks.example/services/T/B/X"}
TWILIO = {"account_sid": "AC1", "auth_token": "secret"}
STORE = {
    "endpoint": "https://s3.example", "bucket": "shop", "access_key": "AK", "secret_key": "sk",
}  # fmt: skip
TABLE = [
    Asked("email", {"api_key": "re_1"}, "GET https://vendor.example/domains", 200,
          {"data": [{}, {}]}, "2 domains"),
    Asked("email", {"api_key": "re_1"}, "GET https://vendor.example/domains", 401,
          {"message": "API key is invalid"}, "answered 401", is_good=False),
    Asked("twilio", TWILIO, "GET https://vendor.example/2010-04-01/Accounts/AC1.json", 200,
          {"status": "active"}, "it is active"),
    Asked("twilio", TWILIO, "GET https://vendor.example/2010-04-01/Accounts/AC1.json", 401,
          {"code": 20003}, "answered 401", is_good=False),
    Asked("slack", {"bot_token": "xoxb-1"}, "POST https://vendor.example/api/auth.test", 200,
          {"ok": True, "user": "cue", "team": "Shop"}, "the bot cue of Shop"),
    Asked("slack", {"bot_token": "xoxb-1"}, "POST https://vendor.example/api/auth.test", 200,
          {"ok": False, "error": "invalid_auth"}, "invalid_auth", is_good=False),
    Asked("slack", SLACK_HOOK, "POST https://hooks.example/services/T/B/X", 400, b"no_text",
          "nothing was posted"),
    Asked("slack", SLACK_HOOK, "POST https://hooks.example/services/T/B/X", 404, b"no_service",
          "answered 404", is_good=False),
    Asked("hubspot", {"api_key": "pat"}, "GET https://vendor.example/account-info/v3/details", 200,
          {"portalId": 7}, "portal 7"),
    Asked("linear", {"api_key": "lin_api_1"}, "POST https://vendor.example/graphql", 200,
          {"data": {"viewer": {"id": "1", "name": "Ada"}}}, "key of Ada"),
    Asked("linear", {"api_key": "lin_api_1"}, "POST https://vendor.example/graphql", 200,
          {"errors": [{"message": "Authentication required"}]}, "Authentication", is_good=False),
    Asked("google_calendar", {"token": "ya29"},
          "GET https://vendor.example/calendar/v3/users/me/calendarList?maxResults=1", 200,
          {"items": []}, "lists the calendars"),
    Asked("ai", {"api_key": "sk"}, "GET https://vendor.example/v1/models", 200,
          {"data": [{}]}, "1 models"),
    Asked("r2", STORE, "HEAD https://s3.example/shop", 200, b"", "the bucket is there"),
    Asked("r2", STORE, "HEAD https://s3.example/shop", 403, b"", "not ours", is_good=False),
    Asked("email", {"smtp_url": "smtp://h"}, "NOOP smtp://h", 200, b"", "lets us in"),
    Asked("database", {"url": "postgresql://h"}, "SELECT 1 postgresql://h", 200, b"", "answers"),
]  # fmt: skip


def _ask(asked: Asked) -> tuple[bool, str, list[str]]:
    requests: list[str] = []

    async def send(request: HttpRequest) -> HttpAnswer:
        requests.append(f"{request.method} {request.url}")
        is_raw = isinstance(asked.answer, bytes)
        return HttpAnswer(asked.status, {}, asked.answer if is_raw else encode_json(asked.answer))

    async def query(url: str, statement: Statement) -> Rows:
        requests.append(f"{statement.sql} {url}")
        return Rows(["?"], [[1]], 1)

    async def greet(url: str) -> None:
        requests.append(f"NOOP {url}")

    async def main() -> tuple[bool, str]:
        probe = BY_NAME[asked.integration].probe
        assert probe is not None
        try:
            return True, await probe(
                {**ENDPOINT, **asked.values}, Reach(send, query, greet, lambda: 0)
            )
        except ActionError as exc:
            return False, str(exc)

    return *asyncio.run(main()), requests


@pytest.mark.parametrize("asked", TABLE, ids=lambda asked: f"{asked.integration}-{asked.told}")
def test_a_vendor_is_asked_something_harmless(asked: Asked) -> None:
    is_good, told, requests = _ask(asked)

    assert is_good is asked.is_good
    assert asked.told in told
    assert requests == [asked.request]


def test_without_a_bucket_there_is_nothing_to_ask_for() -> None:
    probe = BY_NAME["r2"].probe
    assert probe is not None
    with pytest.raises(PermanentError, match="names no bucket"):
        asyncio.run(probe({"endpoint": "https://s3.example"}, None))  # type: ignore[arg-type] # not reached


def test_whatever_an_action_needs_a_connection_can_give() -> None:
    for action in ACTIONS:
        if action.needs:
            known = BY_NAME[action.integration].by_name
            for need in action.needs:
                assert need.credential in known, action.name


def test_each_integration_is_whole() -> None:
    assert len(BY_NAME) == len(INTEGRATIONS)
    for one in INTEGRATIONS:
        names = one.by_name
        assert len(names) == len(one.credentials)
        assert {name for group in one.enough for name in group} <= set(names)
        for credential in one.credentials:
            if credential.example:
                assert one.problems_in({credential.name: credential.example}) == []
            # What is inherited of the operator opens nothing.
            assert not (credential.is_inherited and credential.is_secret)


@pytest.mark.parametrize(
    ("secret", "hint"), [("", ""), ("short", ""), ("eleven char", ""), ("twelve chars", "hars")]
)
def test_a_hint_tells_little(secret: str, hint: str) -> None:
    assert hint_of(secret) == HINT_MASK + hint

"""What simulated vendors are told to do: each refusal in the vendor's words, by chance, and late."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from oncue.core.errors import InvalidInput
from oncue.core.json_text import Json
from oncue.testing.vendors import (
    DROP,
    LOSE_ANSWER,
    Faults,
    Fixed,
    Held,
    Refused,
    Simulator,
    Simulators,
    Slow,
)
from oncue.testing.vendors.orders import USUAL_FAULTS, parse_faults, parse_orders
from oncue.testing.vendors.simulator import ReceivedCall

Use = Callable[[Simulators, aiohttp.ClientSession], Awaitable[Any]]
VENDORS = ("resend", "twilio", "slack", "hubspot", "linear", "google_calendar", "r2", "ai", "http")


def _with_vendors(use: Use) -> Any:
    async def main() -> Any:
        async with Simulators() as vendors, aiohttp.ClientSession() as session:
            return await use(vendors, session)

    return asyncio.run(main())


def _refusals(vendor: Simulator, path: str = "/") -> dict[Refused, Fixed]:
    vendor.calls.append(ReceivedCall("POST", path, {}, b""))
    return {refused: vendor.refuse(refused) for refused in Refused}


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendor_refuses_everything_in_words_of_its_own(name: str) -> None:
    answers = _refusals(Simulators().by_name[name])

    assert all(400 <= answer.status < 600 and answer.body for answer in answers.values())
    assert len({str(answer.body) for answer in answers.values()}) >= len(Refused) - 1


@pytest.mark.parametrize(
    ("name", "status", "headers"),
    [
        ("resend", 429, {"retry-after": "1", "ratelimit-remaining": "0", "ratelimit-limit": "2"}),
        ("twilio", 429, {}),
        ("slack", 429, {"Retry-After": "1"}),
        (
            "hubspot",
            429,
            {
                "X-HubSpot-RateLimit-Remaining": "0",
                "X-HubSpot-RateLimit-Max": "190",
                "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            },
        ),
        ("linear", 400, {"X-RateLimit-Requests-Remaining": "0"}),
        ("google_calendar", 403, {}),
        ("r2", 503, {}),
        (
            "ai",
            429,
            {"retry-after": "1", "retry-after-ms": "1000", "x-ratelimit-remaining-requests": "0"},
        ),
    ],
)
def test_who_asks_too_often_is_told_as_the_vendor_tells(
    name: str, status: int, headers: dict[str, str]
) -> None:
    answer = _refusals(Simulators().by_name[name])[Refused.RATE_LIMITED]

    assert answer.status == status
    assert {key: answer.headers.get(key) for key in headers} == headers


def test_a_method_of_slack_refuses_in_its_own_way() -> None:
    answers = _refusals(Simulators().slack, "/api/chat.postMessage")

    assert answers[Refused.UNAUTHORIZED] == Fixed(200, {"ok": False, "error": "invalid_auth"})
    limited = answers[Refused.RATE_LIMITED]
    assert (limited.status, limited.headers) == (429, {"Retry-After": "1"})


def test_an_allowance_comes_with_each_answer() -> None:
    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        headers = {"Authorization": f"Bearer {vendors.resend.api_key}"}
        async with session.get(f"{vendors.resend.base_url}/domains", headers=headers) as answer:
            return answer.headers["ratelimit-remaining"]

    assert _with_vendors(use) == "1"


def test_chance_is_the_same_for_a_seed_and_about_as_told() -> None:
    drawn = [[Faults(0.2, seed).draw() for _ in range(1)] for seed in ("a", "a")]
    faults = Faults(0.2, "b")
    counted = Counter(faults.draw() for _ in range(5_000))

    assert drawn[0] == drawn[1]
    assert set(counted) == {None, *USUAL_FAULTS}
    assert 0.78 < counted[None] / 5_000 < 0.82
    assert all(200 < counted[kind] < 300 for kind in USUAL_FAULTS)


def test_chance_is_ordered_over_http_and_ended_by_it() -> None:
    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        url, seen = vendors.http.base_url, []
        orders: Json = {"rate": 1, "of": [{"refused": "unavailable"}]}
        for order in (orders, {"rate": 0}):
            async with session.post(f"{url}/_faults", json=order) as answer:
                assert answer.status == 200
            async with session.get(url) as answer:
                seen.append(answer.status)
        return seen

    assert _with_vendors(use) == [503, 200]


def test_a_slow_answer_comes_after_its_effect() -> None:
    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        vendors.http.answer_next(Slow(60_000))
        held = Held()
        vendors.http.answer_next(held)
        slow = asyncio.create_task(session.get(vendors.http.base_url))
        fast = asyncio.create_task(session.get(f"{vendors.http.base_url}/fast"))
        await held.arrived()
        held.release()
        answer = await fast
        slow.cancel()
        return answer.status, len(vendors.http.effects)

    assert _with_vendors(use) == (200, 2)


def test_orders_are_what_they_say() -> None:
    documents: list[Json] = [
        None,
        {"status": 429, "headers": {"Retry-After": 2}},
        {"lost": "before"},
        {"lost": "after"},
        {"refused": "conflict"},
        {"slow": "2s"},
    ]

    assert parse_orders(documents) == [
        None,
        Fixed(429, "", {"Retry-After": "2"}),
        DROP,
        LOSE_ANSWER,
        Refused.CONFLICT,
        Slow(2_000),
    ]


@pytest.mark.parametrize(
    ("document", "path", "told"),
    [
        ({}, "", "list"),
        ([5], "[0]", "expected"),
        ([{}], "[0]", "expected one of status, lost, refused and slow, got none"),
        ([{"status": 200, "lost": "after"}], "[0]", "got status and lost"),
        ([{"status": 99}], "[0].status", "expected"),
        ([{"statos": 200}], "[0].statos", "did you mean 'status'?"),
        ([{"refused": "angry"}], "[0].refused", "'unauthorized'"),
        ([{"slow": "1h"}], "[0].slow", "600000"),
    ],
)
def test_orders_that_are_none_are_told(document: Json, path: str, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_orders(document)

    (problem,) = refused.value.problems
    assert problem.path == path
    assert told in problem.message


@pytest.mark.parametrize("document", [{}, {"rate": 2}, {"rate": 0.5, "of": []}, {"rate": "x"}])
def test_chance_that_is_none_is_told(document: Json) -> None:
    with pytest.raises(InvalidInput):
        parse_faults(document)


def test_what_is_fetched_with_a_refresh_token_is_shown_without_it() -> None:
    async def use(vendors: Simulators, session: aiohttp.ClientSession) -> Any:
        google = vendors.google_calendar
        form = {"grant_type": "refresh_token", **google.refreshing}
        async with session.post(form.pop("token_url"), data=form) as answer:
            token = await answer.json()
        async with session.get(f"{google.base_url}/_calls") as answer:
            return token, await answer.json(), (google.client_secret, google.refresh_token)

    token, calls, secrets = _with_vendors(use)

    assert token["access_token"].startswith("ya29.")
    assert [secret for secret in secrets if secret in json.dumps(calls)] == []

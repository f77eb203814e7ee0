"""The action against a simulated parcel service, over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from oncue_parcels import BOOK_PICKUP

from oncue.extend import Json, PermanentError, RetryableError
from oncue.testing.trial import try_action
from oncue.testing.vendors import Fixed, ReceivedCall, Simulator

GIVEN = {"address": "1 Main Street", "day": "2026-12-01"}
KEY = "pk_simulated"


class ParcelSimulator(Simulator):
    """Books each idempotency key once."""

    def __init__(self) -> None:
        super().__init__()
        self.booked: dict[str, dict[str, Json]] = {}

    def answer(self, call: ReceivedCall) -> Fixed:
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return Fixed(401, {"error": "unknown key"})
        booking: dict[str, Json] = {"id": f"p-{len(self.booked) + 1}", "window": "09:00-12:00"}
        return Fixed(201, self.booked.setdefault(call.idempotency_key or "", booking))


def with_simulator(use: Callable[[ParcelSimulator], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with ParcelSimulator() as parcels:
            return await use(parcels)

    return asyncio.run(main())


def book(parcels: ParcelSimulator, api_key: str = KEY) -> Awaitable[Json]:
    credentials = {"api_key": api_key, "base_url": parcels.base_url}
    return try_action(BOOK_PICKUP, GIVEN, credentials, parcels)


def test_a_pickup_is_booked() -> None:
    async def use(parcels: ParcelSimulator) -> Any:
        return await book(parcels), parcels.calls[0].body

    output, sent = with_simulator(use)

    assert output == {"id": "p-1", "window": "09:00-12:00"}
    assert sent == GIVEN


def test_a_repeated_attempt_books_nothing_more() -> None:
    async def use(parcels: ParcelSimulator) -> Any:
        return [await book(parcels), await book(parcels)], parcels

    outputs, parcels = with_simulator(use)

    assert [output["id"] for output in outputs] == ["p-1", "p-1"]
    assert len(parcels.booked) == 1


@pytest.mark.parametrize(("status", "error"), [(503, RetryableError), (422, PermanentError)])
def test_what_a_refusal_means(status: int, error: type[Exception]) -> None:
    async def use(parcels: ParcelSimulator) -> None:
        parcels.answer_next(Fixed(status, {"error": "no"}))
        await book(parcels)

    with pytest.raises(error, match=f"answered {status}"):
        with_simulator(use)


def test_no_secret_stands_in_an_error() -> None:
    async def use(parcels: ParcelSimulator) -> None:
        parcels.answer_next(Fixed(401, {"error": "unknown key pk_of_somebody"}))
        await book(parcels, "pk_of_somebody")

    with pytest.raises(PermanentError) as caught:
        with_simulator(use)

    assert "pk_of_somebody" not in str(caught.value)

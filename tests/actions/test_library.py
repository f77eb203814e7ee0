"""What the library makes of an attempt: secrets stay inside, whatever goes wrong."""

import asyncio

import pytest
from pydantic import BaseModel

from oncue.actions.library import ActionLibrary, GivenCredentials
from oncue.core.action import Action, Call, Idempotency
from oncue.core.errors import OutcomeUnknown, PermanentError, RetryableError
from oncue.core.json_text import Json
from oncue.outgoing.client import OutgoingClient
from oncue.testing.clock import VirtualClock
from oncue.testing.trial import fresh_stores, ways_of

SECRET = "planted-secret-1234"


class Nothing(BaseModel):
    """No input."""


@pytest.mark.parametrize(
    "error",
    [
        PermanentError(f"the vendor said {SECRET}"),
        RetryableError(f"the vendor said {SECRET}"),
        OutcomeUnknown(f"the vendor said {SECRET}"),
        ValueError(f"not a port: {SECRET}"),
        KeyError(SECRET),
        RuntimeError(f"bad {SECRET}"),
    ],
)
def test_no_error_of_an_action_tells_a_secret(error: Exception) -> None:
    async def fail(_: Call[Nothing]) -> Json:
        raise error

    action = Action(
        name="fail",
        summary="Fail.",
        integration="test",
        category="test",
        input=Nothing,
        output=Nothing,
        idempotency=Idempotency.NONE,
        example={},
        perform=fail,
    )

    async def main() -> None:
        async with OutgoingClient() as client, fresh_stores() as stores:
            library = ActionLibrary(
                [action],
                GivenCredentials(lambda *_: {"token": SECRET}),
                ways_of(client),
                VirtualClock(),
                stores,
            )
            with pytest.raises(type(error)) as raised:
                await library.perform("acc", "fail", {}, "k", is_repeat=False)
            assert SECRET not in str(raised.value)
            assert "***" in str(raised.value)

    asyncio.run(main())

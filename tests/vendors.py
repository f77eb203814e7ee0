"""Actions against simulated vendors, without an engine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

from oncue.actions import ACTIONS
from oncue.actions.library import ActionLibrary, GivenCredentials
from oncue.core.json_text import Json
from oncue.outgoing.client import OutgoingClient
from oncue.testing.clock import VirtualClock
from oncue.testing.trial import fresh_stores, ways_of
from oncue.testing.vendors import Simulators
from tests.specs import check_exchanges

WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of the standard's own example
KEY = "key-1"

Ask = Callable[..., Awaitable[Json]]


def credentials_for(vendors: Simulators) -> Callable[[str, str], Mapping[str, str]]:
    """Return what leads each integration to its simulator."""

    def credentials(_: str, integration: str) -> Mapping[str, str]:
        if integration == "webhook":
            return {"secret": WEBHOOK_SECRET}
        return vendors.credentials(integration)

    return credentials


@asynccontextmanager
async def library_for(
    vendors: Simulators, *, connected: bool = True
) -> AsyncIterator[ActionLibrary]:
    """Give all actions, allowed to reach the loopback, until the block ends."""
    async with (
        OutgoingClient(allowed_networks=(ip_network("127.0.0.0/8"),)) as client,
        fresh_stores() as stores,
    ):
        credentials = credentials_for(vendors) if connected else lambda _, __: {}
        source = GivenCredentials(credentials)
        yield ActionLibrary(ACTIONS, source, ways_of(client), VirtualClock(), stores)


def with_vendors(use: Callable[[Simulators, Ask], Awaitable[Any]], **settings: str) -> Any:
    """
    Return what `use` returns of vendors and of a way to ask actions for something.

    Whatever is asked of a vendor meanwhile is held against its specification.
    """

    async def main() -> Any:
        async with Simulators(settings) as vendors, library_for(vendors) as library:
            for vendor in vendors.by_name.values():
                vendor.clock = VirtualClock()

            async def ask(
                action: str, rendered: Json, *, key: str = KEY, is_repeat: bool = False
            ) -> Json:
                return await library.perform("acc", action, rendered, key, is_repeat=is_repeat)

            try:
                return await use(vendors, ask)
            finally:
                check_exchanges(vendors.by_name)

    return asyncio.run(main())

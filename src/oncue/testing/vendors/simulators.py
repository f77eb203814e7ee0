"""All simulated vendors together."""

from contextlib import AsyncExitStack
from typing import Self

from oncue.testing.vendors.http import HttpSimulator
from oncue.testing.vendors.hubspot import HubSpotSimulator
from oncue.testing.vendors.model import ModelSimulator
from oncue.testing.vendors.resend import ResendSimulator
from oncue.testing.vendors.slack import SlackSimulator


class Simulators:
    """Runs every vendor as long as the block."""

    def __init__(self) -> None:
        self.resend = ResendSimulator()
        self.slack = SlackSimulator()
        self.hubspot = HubSpotSimulator()
        self.http = HttpSimulator()
        self.model = ModelSimulator()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for vendor in (self.resend, self.slack, self.hubspot, self.http, self.model):
            await self._stack.enter_async_context(vendor)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

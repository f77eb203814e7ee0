"""All simulated vendors together."""

from collections.abc import Mapping
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

    def credentials(self, integration: str) -> Mapping[str, str]:
        """Return what leads an integration to its simulator; empty for one that has none."""
        match integration:
            case "resend":
                return {
                    "api_key": self.resend.api_key,
                    "base_url": self.resend.base_url,
                    "from": "us@example.com",
                }
            case "slack":
                return {"webhook_url": self.slack.webhook_url}
            case "hubspot":
                return {"api_key": self.hubspot.api_key, "base_url": self.hubspot.base_url}
            case "ai":
                return {
                    "base_url": self.model.base_url,
                    "api_key": self.model.api_key,
                    "model": self.model.model,
                }
            case _:
                return {}

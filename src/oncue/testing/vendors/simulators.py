"""All simulated vendors together."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Self

from oncue.settings import Settings
from oncue.testing.vendors.google_calendar import GoogleCalendarSimulator
from oncue.testing.vendors.http import HttpSimulator
from oncue.testing.vendors.hubspot import HubSpotSimulator
from oncue.testing.vendors.linear import LinearSimulator
from oncue.testing.vendors.model import ModelSimulator
from oncue.testing.vendors.resend import ResendSimulator
from oncue.testing.vendors.s3 import S3Simulator
from oncue.testing.vendors.simulator import Simulator
from oncue.testing.vendors.slack import SlackSimulator
from oncue.testing.vendors.smtp import SmtpSimulator
from oncue.testing.vendors.twilio import TwilioSimulator


class Simulators:
    """Runs every vendor as long as the block; `settings` are added to those that lead there."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.resend = ResendSimulator()
        self.twilio = TwilioSimulator()
        self.slack = SlackSimulator()
        self.hubspot = HubSpotSimulator()
        self.linear = LinearSimulator()
        self.google_calendar = GoogleCalendarSimulator()
        self.r2 = S3Simulator()
        self.http = HttpSimulator()
        self.model = ModelSimulator()
        self.smtp = SmtpSimulator()
        self.by_name: Mapping[str, Simulator] = {
            "resend": self.resend,
            "twilio": self.twilio,
            "slack": self.slack,
            "hubspot": self.hubspot,
            "linear": self.linear,
            "google_calendar": self.google_calendar,
            "r2": self.r2,
            "ai": self.model,
            "http": self.http,
        }
        self._more = dict(settings or {})
        self._hidden: set[str] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for vendor in self.by_name.values():
            await self._stack.enter_async_context(vendor)
        await self._stack.enter_async_context(self.smtp)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def settings(self) -> dict[str, str]:
        """The settings with which OnCue takes them for the vendors, by name in the environment."""
        found = [vendor.settings for vendor in self.by_name.values()]
        found += [self.smtp.settings, self._more]
        return {
            name: value
            for settings in found
            for name, value in settings.items()
            if name not in self._hidden
        }

    def hide(self, *settings: str) -> None:
        """Leave these settings out, as somebody would who forgot them."""
        self._hidden.update(settings)

    def credentials(self, integration: str) -> Mapping[str, str]:
        """Return what leads an integration to its simulator; empty for one that has none."""
        return Settings.of(self.settings).credentials(integration)

    def connection(self, integration: str) -> Mapping[str, str]:
        """Return the values of a connection that leads an integration to its simulator."""
        if integration == "google_calendar":
            google = self.google_calendar
            return {"base_url": google.base_url, **google.refreshing}
        return self.credentials(integration)

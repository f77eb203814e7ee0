"""
The way out of a test: every call ends at a simulated vendor, whatever its address.

Calls of integrations come with the address of their simulator already; all
others are led to one that says yes. Nothing here resolves a name, and nothing
else than the simulators' ports is ever connected to.
"""

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Final, NoReturn, Self
from urllib.parse import urlsplit

from yarl import URL

from oncue.core.action import HttpAnswer, HttpRequest, Ways
from oncue.core.errors import OutcomeUnknown, PermanentError
from oncue.core.integration import Integration
from oncue.outgoing.client import OutgoingClient
from oncue.ports import Clock
from oncue.testing.vendors.http import AcceptingSimulator
from oncue.testing.vendors.simulator import Simulator
from oncue.testing.vendors.simulators import Simulators

VENDORS: Final = (
    "resend",
    "twilio",
    "slack",
    "hubspot",
    "linear",
    "google_calendar",
    "r2",
    "ai",
    "http",
    "webhook",
)


async def _refuse(url: str, _: object) -> NoReturn:
    place = urlsplit(url).hostname
    raise PermanentError(f"a test reaches simulated vendors, got a server of your own: {place}")


def _simulator_of(integration: Integration) -> Simulator:
    simulator = AcceptingSimulator()
    for one in integration.credentials:
        if one.name == "base_url":
            simulator.origin = (one.default or one.example).rstrip("/")
    return simulator


@dataclass(frozen=True, slots=True)
class SentCall:
    """A request that was sent, and to whom; its URL is the one that it has outside of tests."""

    vendor: str
    at_ms: int
    request: HttpRequest


class Wire:
    """
    Runs simulated vendors as long as the block, and remembers what went to them.

    `others` stand for `http` and `webhook`, of which no more is known than that they say yes;
    packages have `brought` integrations of their own, of which no more is known, too.
    """

    def __init__(
        self,
        clock: Clock,
        others: Mapping[str, Simulator] | None = None,
        brought: Iterable[Integration] = (),
    ) -> None:
        self.calls: list[SentCall] = []
        self.known = Simulators()
        self._brought = {one.name: one for one in brought if one.name not in VENDORS}
        self._more = {name: _simulator_of(one) for name, one in self._brought.items()}
        self.vendors: Mapping[str, Simulator] = {
            **self.known.by_name,
            **self._more,
            "http": AcceptingSimulator(),
            "webhook": AcceptingSimulator(),
            **(others or {}),
        }
        self._clock = clock
        self._stack = AsyncExitStack()
        self._client: OutgoingClient | None = None

    async def __aenter__(self) -> Self:
        for vendor in self.vendors.values():
            vendor.clock = self._clock
        await self._stack.enter_async_context(self.known)
        for name in ("http", "webhook", *self._more):
            await self._stack.enter_async_context(self.vendors[name])
        urls = [URL(simulator.base_url) for simulator in self.vendors.values()]
        client = OutgoingClient(allowed_endpoints={(str(u.host), u.port or 0) for u in urls})
        self._client = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """
        Return the answer of a simulated vendor.

        Raises:
            ActionError: as the client for real calls does.
        """
        assert self._client is not None
        at_ms = self._clock.now_ms()
        vendor = self._vendor(request)
        shown = replace(request, url=self._outside(request.url, vendor))
        sent = SentCall(vendor, at_ms, shown)
        try:
            answer = await self._client.send(replace(request, url=self._local(request.url, vendor)))
        except OutcomeUnknown:
            self.calls.append(sent)
            raise
        self.calls.append(sent)
        return answer

    def credentials(self, integration: str) -> Mapping[str, str]:
        """Return what leads an integration to its simulator; of a package's, its own examples."""
        if integration not in self._brought:
            return self.known.credentials(integration)
        values = {
            one.name: one.default or one.example or f"simulated-{one.name}"
            for one in self._brought[integration].credentials
        }
        if "base_url" in values:
            values["base_url"] = self.vendors[integration].base_url
        return values

    @property
    def ways(self) -> Ways:
        """What actions are given for the world."""
        return Ways(self.send, _refuse, _refuse)

    def _vendor(self, request: HttpRequest) -> str:
        for name, vendor in self.vendors.items():
            if vendor.origin and request.url.startswith(f"{vendor.base_url}/"):
                return name
        # Standard Webhooks: the one thing by which a webhook is known from other requests.
        return "webhook" if "webhook-id" in request.headers else "http"

    def _local(self, url: str, vendor: str) -> str:
        try:
            asked = URL(url)
        except ValueError:
            return url
        # What is no address is passed on to the client, which says so and sends nothing.
        if asked.scheme not in ("http", "https") or not asked.host:
            return url
        return str(URL(self.vendors[vendor].base_url).join(asked.relative()))

    def _outside(self, url: str, vendor: str) -> str:
        origin = self.vendors[vendor].origin
        return f"{origin}{url.removeprefix(self.vendors[vendor].base_url)}" if origin else url

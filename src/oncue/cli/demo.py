"""
The demo: an account of its own, an example, vendors that are none, and a source of events.

Everything in it goes through the public API, so it shows nothing that a user
could not do.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from oncue.app import Lent
from oncue.cli.documents import example
from oncue.core.json_text import Json
from oncue.settings import Settings
from oncue.system import write_private
from oncue.testing.vendors import Simulators

ACCOUNT = "demo"
EXAMPLE = "high-value-signup-onboarding"
PAUSE_S = 5.0

# What a small shop sees all day. Nothing of it starts the example: that is for
# the person who tries it.
_EVENTS: tuple[tuple[str, dict[str, Json]], ...] = (
    ("page.viewed", {"page": "/pricing"}),
    ("page.viewed", {"page": "/docs"}),
    ("user.signup", {"email": "kim@example.com", "plan": "free"}),
    ("order.paid", {"amount": 42.5, "currency": "EUR"}),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """Simulated vendors, and the account that they serve."""

    lent: Lent
    description: tuple[str, ...]

    async def start(self, url: str, operator_key: str, stack: AsyncExitStack) -> str:
        """Send events to the demo's account at `url` until `stack` unwinds; return its key."""
        key = await self._open(url, operator_key)
        source = _Source(url, key)
        stack.push_async_callback(source.stop)
        await source.start()
        return key

    async def _open(self, url: str, operator_key: str) -> str:
        """Open the account, unless it is there since an earlier start; return its key."""
        file = self.lent.settings.data / "demo-key"
        if self.lent.account and file.exists():
            return file.read_text()
        async with _session(url, operator_key) as session:
            if self.lent.account is None:
                opened = await _posted(session, "/accounts", {"name": ACCOUNT})
                self.lent.account = str(opened["id"])
            else:
                path = f"/accounts/{ACCOUNT}/keys"
                opened = await _posted(session, path, {"name": "demo", "scopes": ["admin"]})
        key = str(opened["api_key"])
        write_private(file, key.encode())
        return key


@asynccontextmanager
async def demo_vendors(settings: Settings) -> AsyncIterator[Demo]:
    """Run simulated vendors until the block ends; exactly their ports are opened."""
    async with Simulators() as vendors:
        urls = {
            name: vendor.base_url for name, vendor in vendors.by_name.items() if vendor.settings
        }
        lent = Lent(
            account_name=ACCOUNT,
            # Nothing but the simulated: no vendor of the operator's serves the demo.
            settings=Settings.of({"ONCUE_DATA": settings.data, **vendors.settings}),
            endpoints=frozenset(_endpoint(url) for url in urls.values()),
        )
        described = (
            f"demo: {name} is simulated, see its calls at {url}/_calls"
            for name, url in urls.items()
        )
        yield Demo(lent, tuple(described))


def _session(url: str, key: str) -> aiohttp.ClientSession:
    headers = {"Authorization": f"Bearer {key}"}
    # The server closes an idle connection after five seconds, just when the next event
    # would be sent over it.
    connector = aiohttp.TCPConnector(force_close=True)
    return aiohttp.ClientSession(url, headers=headers, trust_env=False, connector=connector)


async def _posted(session: aiohttp.ClientSession, path: str, body: Json) -> dict[str, Any]:
    async with session.post(path, json=body) as answer:
        if answer.status != 201:
            raise RuntimeError(f"the demo was refused: {await answer.text()}")
        opened: dict[str, Any] = await answer.json()
        return opened


def _endpoint(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise ValueError(f"expected a host and a port, got {url!r}")
    return parts.hostname, parts.port


class _Source:
    """Saves the example, then sends an event now and then."""

    def __init__(self, url: str, api_key: str) -> None:
        self._session = _session(url, api_key)
        self._source: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Save the example if it is not there yet, and begin to send."""
        async with self._session.post("/workflows", json=example(EXAMPLE)) as answer:
            # 409: it is there since an earlier start.
            if answer.status not in (201, 409):
                raise RuntimeError(f"the example was refused: {await answer.text()}")
        self._source = asyncio.create_task(self._send(), name="demo")

    async def stop(self) -> None:
        """Send nothing more."""
        if self._source:
            self._source.cancel()
            await asyncio.gather(self._source, return_exceptions=True)
        await self._session.close()

    async def _send(self) -> None:
        chance = random.Random()  # noqa: S311 nothing here is a secret
        while True:
            event_type, data = chance.choice(_EVENTS)
            event = {"type": event_type, "source": "demo", "data": data}
            async with self._session.post("/events", json=event) as answer:
                await answer.read()
            await asyncio.sleep(PAUSE_S)

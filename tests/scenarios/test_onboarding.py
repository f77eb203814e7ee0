"""The shipped example on the virtual clock: a day passes in no time."""

import asyncio
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from oncue.actions import ACTIONS
from oncue.actions.library import ActionLibrary
from oncue.cli.documents import examples
from oncue.core.json_text import Json
from oncue.outgoing.client import OutgoingClient
from oncue.testing.vendors import Simulators
from tests.installation import ACCOUNT, installed

HOUR_MS = 3_600_000
SIGNUP: dict[str, Json] = {
    "id": "signup-1",
    "data": {"email": "ada@example.com", "plan": "enterprise"},
}


def _credentials(vendors: Simulators, integration: str) -> Mapping[str, str]:
    known = {
        "resend": {
            "api_key": vendors.resend.api_key,
            "base_url": vendors.resend.base_url,
            "from": "us@example.com",
        },
        "slack": {"webhook_url": vendors.slack.webhook_url},
        "hubspot": {"api_key": vendors.hubspot.api_key, "base_url": vendors.hubspot.base_url},
    }
    return known[integration]


def test_the_guide_goes_out_a_day_after_the_welcome(tmp_path: Path) -> None:
    async def main() -> Any:
        loopback = (ip_network("127.0.0.0/8"),)
        async with Simulators() as vendors, OutgoingClient(allowed_networks=loopback) as client:
            library = ActionLibrary(
                ACTIONS, lambda _, integration: _credentials(vendors, integration), client.send
            )
            async with installed(tmp_path, vendors=library) as world:
                (document,) = examples("workflow")
                await world.engine.definitions.create_workflow(ACCOUNT, document)
                await world.send(**SIGNUP)
                await world.settle_after(24 * HOUR_MS - 1)
                before = [email["subject"] for email in vendors.resend.effects]
                statuses = await world.statuses()
                await world.settle_after(1)
                after = [email["subject"] for email in vendors.resend.effects]
                return before, statuses, after, await world.statuses(), vendors

    before, waiting, after, ended, vendors = asyncio.run(main())

    assert (before, waiting) == (["Welcome"], ["waiting"])
    assert (after, ended) == (["Welcome", "Getting started"], ["completed"])
    keys = [call.idempotency_key for call in vendors.resend.calls]
    assert len(set(keys)) == 2
    assert len(vendors.slack.effects) == len(vendors.hubspot.effects) == 1

"""The shipped example on the virtual clock: a day passes in no time."""

import asyncio
from pathlib import Path
from typing import Any

from oncue.cli.documents import examples
from oncue.core.json_text import Json
from oncue.testing.vendors import Simulators
from tests.installation import ACCOUNT, installed
from tests.vendors import library_for

HOUR_MS = 3_600_000
SIGNUP: dict[str, Json] = {
    "id": "signup-1",
    "data": {"email": "ada@example.com", "plan": "enterprise"},
}


def test_the_guide_goes_out_a_day_after_the_welcome(tmp_path: Path) -> None:
    async def main() -> Any:
        async with (
            Simulators() as vendors,
            library_for(vendors) as library,
            installed(tmp_path, vendors=library) as world,
        ):
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

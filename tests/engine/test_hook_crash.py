"""A webhook, and a crash between the append and the answer: it is sent again, and is there once."""

import asyncio
import hashlib
import hmac
from pathlib import Path

import pytest

from oncue.core.hook.request import HookRequest
from oncue.ports import Receipt
from tests.installation import ACCOUNT, Crash, Installed, installed
from tests.make import make_document

BODY = b'{"ref": "refs/heads/main"}'
DIGEST = hmac.new(b"a-secret", BODY, hashlib.sha256).hexdigest()
PUSHED = HookRequest(
    "http://oncue.example/hooks",
    {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": "d-1",
        "x-hub-signature-256": f"sha256={DIGEST}",
    },
    {},
    BODY,
)


async def deliver(world: Installed) -> Receipt:
    hook = await world.engine.hooks.find(ACCOUNT, "repo")
    received = await world.engine.hook_receiver.receive(ACCOUNT, hook, PUSHED)
    assert received.receipt
    return received.receipt


async def die_while_delivering(folder: Path, crash: Crash) -> None:
    async with installed(folder, commit=crash) as world:
        delivery = asyncio.create_task(deliver(world))
        while not delivery.done() and not crash.has_happened:
            await asyncio.wait([delivery], timeout=0.001)
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("write", [1, 2, 3])
def test_what_is_sent_again_after_a_crash_is_there_once(
    tmp_path: Path, moment: str, write: int
) -> None:
    async def main() -> tuple[int, list[str]]:
        async with installed(tmp_path) as world:
            document = {"name": "repo", "scheme": "github", "secret": "a-secret"}
            await world.engine.hooks.create(ACCOUNT, document)
            on = {"type": "event", "event": "github.push"}
            await world.engine.definitions.create_workflow(ACCOUNT, make_document(on=on))
            await world.engine.settled()
        crash = Crash(write, moment)
        await die_while_delivering(tmp_path, crash)
        async with installed(tmp_path) as world:
            receipt = await deliver(world)
            is_expected = (write, moment) != (1, "before")
            assert receipt.is_duplicate is is_expected
            again = await deliver(world)
            assert (again.is_duplicate, again.offset) == (True, receipt.offset)
            await world.engine.settled()
            return receipt.offset, [*await world.statuses()]

    _, statuses = asyncio.run(main())

    assert statuses == ["completed"]

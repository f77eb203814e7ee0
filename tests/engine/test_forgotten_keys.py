"""A vendor remembers an idempotency key for a while; after that a repeat is a second effect."""

import asyncio
from pathlib import Path

import pytest

from oncue.actions import ACTIONS
from oncue.actions.library import ActionLibrary, GivenCredentials, Stores
from oncue.core.json_text import Json
from oncue.core.workflow.compile import Library
from oncue.ports import Actions, ExecutionFilter
from oncue.testing.clock import VirtualClock
from oncue.testing.embedded import ACCOUNT, embedded
from oncue.testing.vendors import LOSE_ANSWER
from oncue.testing.vendors.wire import Wire

DAY_MS = 86_400_000


async def _mailed(folder: Path, step: dict[str, Json]) -> tuple[int, str, str | None]:
    """Return how many e-mails came of a first attempt in doubt, and how the execution ended."""
    clock = VirtualClock()
    async with Wire(clock) as wire:
        wire.known.resend.answer_next(LOSE_ANSWER)

        def build(stores: Stores) -> tuple[Actions, Library]:
            source = GivenCredentials(lambda _, name: wire.known.credentials(name))
            library = ActionLibrary(ACTIONS, source, wire.ways, clock, stores)
            return library, library.by_name

        async with embedded(folder, build, clock=clock) as world:
            email: Json = {"to": "ada@example.com", "subject": "x", "text": "y"}
            document: Json = {
                "name": "w",
                "on": {"type": "event", "event": "x"},
                "steps": [
                    {"id": "mail", "type": "action", "action": "send_email", "with": email, **step}
                ],
            }
            await world.engine.definitions.create_workflow(ACCOUNT, document)
            await world.engine.ingest.accept(ACCOUNT, {"type": "x"})
            await world.go_to(clock.now_ms() + 3 * DAY_MS)
            (row,) = await world.world.history.executions(ACCOUNT, ExecutionFilter(), 2)
            return len(wire.known.resend.effects), row.status.value, row.error


def _retry(delay: str) -> dict[str, Json]:
    return {"retry": {"attempts": 2, "delay": delay, "max_delay": delay, "jitter": False}}


@pytest.mark.parametrize(
    ("step", "effects", "status"),
    [
        pytest.param(_retry("1h"), 1, "completed", id="Resend knows the key"),
        pytest.param(_retry("25h"), 1, "failed", id="Resend has forgotten it"),
        pytest.param(
            {**_retry("25h"), "in_doubt": "retry"}, 2, "completed", id="twice is better than never"
        ),
    ],
)
def test_an_email_is_not_sent_again_once_its_key_is_forgotten(
    tmp_path: Path, step: dict[str, Json], effects: int, status: str
) -> None:
    sent, ended, error = asyncio.run(_mailed(tmp_path, step))

    assert (sent, ended) == (effects, status)
    assert (error is None) == (status == "completed")
    if error:
        assert "longer ago than the vendor remembers" in error

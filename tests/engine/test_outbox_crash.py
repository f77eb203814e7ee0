"""Each event of our own comes into the log once, whichever write the process dies around."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oncue.core.event import EventFilter
from oncue.core.json_text import Json
from oncue.ports import ExecutionFilter
from oncue.testing.clock import VirtualClock
from tests.installation import ACCOUNT, Crash, Installed, installed
from tests.make import make_document

DAY_MS = 86_400_000
FAILS: list[Json] = [{"id": "end", "type": "stop", "status": "failed", "message": "no"}]
# Above the number of writes, so that each is died around.
MOST_WRITES = 40


async def _prepare(folder: Path) -> None:
    async with installed(folder) as world:
        for document in (
            make_document(),
            make_document(name="fail", steps=FAILS),
            make_document(name="watcher", on=[_about("workflow"), _about("pattern")]),
        ):
            await world.engine.definitions.create_workflow(ACCOUNT, document)
        await world.engine.settled()


def _about(field: str) -> Json:
    where = f"!event.data.{field}.startsWith('watcher')"
    event = "pattern.matched" if field == "pattern" else "execution.*"
    return {"type": "event", "event": event, "where": where}


async def _live(folder: Path, clock: VirtualClock, crash: Crash) -> None:
    async with installed(folder, clock=clock, commit=crash) as world:
        life = asyncio.create_task(_send_and_settle(world))
        while not life.done() and not crash.has_happened:
            await asyncio.wait([life], timeout=0.001)
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def _send_and_settle(world: Installed) -> None:
    await world.send(id="one")
    await world.engine.settled()


async def _found(
    folder: Path, clock: VirtualClock, *, is_sent: bool
) -> tuple[list[str], list[str], int]:
    """Return what was told, what ran, and how much is left to be told."""
    async with installed(folder, clock=clock) as world:
        if not is_sent:
            await world.send(id="one")
        await world.engine.settled()
        events: Any = await world.log.past.events(ACCOUNT, EventFilter(source="oncue"), 100)
        told = [f"{e.type} {e.data.get('workflow') or e.data['pattern']}" for e in events]
        rows = await world.parts.history.executions(ACCOUNT, ExecutionFilter(), 100)
        return sorted(told), sorted(row.workflow for row in rows), len(await world.journal.outbox())


@pytest.mark.parametrize(
    ("moment", "days_down"),
    [
        pytest.param("before", 0, id="before"),
        pytest.param("after", 30, id="after, and down for longer than the dedupe window"),
    ],
)
def test_a_crash_around_any_write_tells_each_event_once(
    tmp_path: Path, moment: str, days_down: int
) -> None:
    for write in range(1, MOST_WRITES):
        folder, clock, crash = tmp_path / str(write), VirtualClock(), Crash(write, moment)
        folder.mkdir()
        asyncio.run(_prepare(folder))
        asyncio.run(_live(folder, clock, crash))
        if not crash.has_happened:
            break
        is_sent = write > 1 or moment == "after"
        clock.advance(days_down * DAY_MS)

        told, ran, left = asyncio.run(_found(folder, clock, is_sent=is_sent))

        assert (write, told) == (write, TOLD)
        assert (write, ran, left) == (write, RAN, 0)
    else:
        raise AssertionError(f"expected fewer than {MOST_WRITES} writes")


TOLD = sorted(
    [
        "pattern.matched greet",
        "pattern.matched fail",
        "execution.completed greet",
        "execution.failed fail",
        # The watcher's own, which it looks away from.
        *["pattern.matched watcher"] * 2,
        *["pattern.matched watcher-2"] * 2,
        *["execution.completed watcher"] * 4,
    ]
)
RAN = sorted(["greet", "fail", *["watcher"] * 4])

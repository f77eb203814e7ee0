"""Events are deleted once they are old and matched."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from oncue.core.event import EventFilter
from oncue.engine.retention import DAY_MS, Retention
from tests.installation import ACCOUNT, installed
from tests.make import make_document
from tests.store.logs import archive_all

DAYS = 30


def test_every_hour_events_are_deleted_that_were_kept_for_so_many_days(tmp_path: Path) -> None:
    async def main() -> list[tuple[list[str], int]]:
        found = []
        passes: asyncio.Queue[int] = asyncio.Queue()
        async with installed(tmp_path) as world:

            async def drop(before_ms: int, needed: Mapping[str, int]) -> int:
                await archive_all(world.log)
                passes.put_nowait(await world.log.segments.drop(before_ms, needed))
                return 0

            await world.engine.definitions.create_workflow(ACCOUNT, make_document())
            for id_ in ("first", "second"):
                await world.send(id=id_)
                await world.settle_after(DAY_MS)
            retention = Retention(drop, world.journal, world.parts.checkpoints, world.clock, DAYS)
            retention.start()
            assert await passes.get() == 0
            for days in (DAYS - 3, 1, 1, 1):
                world.clock.advance(days * DAY_MS)
                await passes.get()
                events = await world.log.past.events(ACCOUNT, EventFilter(), 10)
                segments = list(world.log.segments.folder.glob("*.db"))
                found.append(([event.id for event in events], len(segments)))
            await retention.stop()
        return found

    assert asyncio.run(main()) == [
        (["second", "first"], 2),
        (["second", "first"], 1),
        (["second"], 1),
        ([], 1),
    ]

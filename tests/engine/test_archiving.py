"""The log is archived as it grows; where that is refused, later."""

import asyncio

from oncue.core.errors import Overloaded
from oncue.engine.archiving import Archiving
from oncue.testing.clock import VirtualClock


class Watched(VirtualClock):
    """Tells when somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.sleepers: asyncio.Queue[int] = asyncio.Queue()

    async def sleep_until(self, instant_ms: int) -> None:
        self.sleepers.put_nowait(instant_ms)
        await super().sleep_until(instant_ms)


def test_what_is_due_is_archived_at_once_and_then_looked_for_again() -> None:
    clock = Watched()
    answers: list[int | Exception] = [2, 1, 0, Overloaded("full"), 0]
    asked: asyncio.Queue[int] = asyncio.Queue()

    async def archive_next() -> int:
        asked.put_nowait(clock.now_ms())
        match answers.pop(0):
            case int(count):
                return count
            case error:
                raise error

    async def main() -> list[int]:
        began = clock.now_ms()
        archiving = Archiving(archive_next, clock)
        archiving.start()
        times = [await asked.get() for _ in range(3)]
        for later in (10_000, 60_000):
            await clock.sleepers.get()
            clock.advance(later)
            times.append(await asked.get())
        await archiving.stop()
        return [time - began for time in times]

    assert asyncio.run(main()) == [0, 0, 0, 10_000, 70_000]

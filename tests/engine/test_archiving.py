"""The log is archived as it grows; where that is refused, later."""

import asyncio
import logging

import pytest

from oncue.core.errors import Overloaded
from oncue.engine.archiving import Archiving, Trouble
from oncue.ports import Archived
from oncue.testing.clock import VirtualClock

BEGAN_MS = VirtualClock().now_ms()


class Watched(VirtualClock):
    """Tells when somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.sleepers: asyncio.Queue[int] = asyncio.Queue()

    async def sleep_until(self, instant_ms: int) -> None:
        self.sleepers.put_nowait(instant_ms)
        await super().sleep_until(instant_ms)


class Scripted:
    """Answers as told, then that nothing is due; remembers what it was asked, and when."""

    def __init__(self, clock: VirtualClock, **answers: list[int | str]) -> None:
        self._clock = clock
        self._answers = answers
        self.asked: list[tuple[str, int]] = []

    async def archive_due(self) -> int:
        return self._answer("write")

    async def merge_next(self) -> bool:
        return bool(self._answer("merge"))

    async def rest(self) -> None:
        self.asked.append(("rest", self._clock.now_ms() - BEGAN_MS))

    def archived(self, account: str | None = None) -> Archived:
        return Archived(0, 0, 0, None, 0, 0)

    def _answer(self, what: str) -> int:
        self.asked.append((what, self._clock.now_ms() - BEGAN_MS))
        answers = self._answers.get(what)
        answer = answers.pop(0) if answers else 0
        if isinstance(answer, str):
            raise Overloaded(answer)
        return answer


async def turned(
    steps: list[int], **answers: list[int | str]
) -> tuple[list[tuple[str, int]], list[Trouble | None]]:
    """Return what was asked while the clock went on in steps, and the trouble after each."""
    clock = Watched()
    archive = Scripted(clock, **answers)
    archiving = Archiving(archive, clock)
    archiving.start()
    troubles = []
    for step in steps:
        await clock.sleepers.get()
        troubles.append(archiving.trouble)
        clock.advance(step)
    await clock.sleepers.get()
    troubles.append(archiving.trouble)
    await archiving.stop()
    return archive.asked, troubles


def test_what_is_due_is_archived_at_once_and_then_looked_for_again() -> None:
    asked, _ = asyncio.run(turned([10_000, 60_000], write=[2, 1, 0, "full", 0]))

    writes = [at for what, at in asked if what == "write"]
    assert writes == [0, 0, 0, 10_000, 70_000]


def test_small_files_are_merged_every_hour_after_all_that_is_due() -> None:
    asked, _ = asyncio.run(turned([10_000, 3_590_000], write=[1, 0, 0, 0, 0], merge=[1, 0]))

    assert asked == [
        ("write", 0), ("write", 0), ("merge", 0), ("write", 0), ("merge", 0), ("rest", 0),
        ("write", 10_000), ("rest", 10_000),
        ("write", 3_600_000), ("merge", 3_600_000), ("rest", 3_600_000),
    ]  # fmt: skip


def test_trouble_is_told_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "oncue")

    _, troubles = asyncio.run(turned([60_000] * 3, write=["no bucket", "no bucket", "no room", 0]))

    assert troubles == [
        Trouble(BEGAN_MS, "no bucket"),
        Trouble(BEGAN_MS, "no bucket"),
        Trouble(BEGAN_MS, "no room"),
        None,
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "archive_failing events_stay_in_the_log=true why=no bucket",
        "archive_recovered after_ms=180000",
    ]


def test_files_that_cannot_be_merged_are_trouble_until_they_can() -> None:
    _, troubles = asyncio.run(
        turned([3_600_000, 3_600_000], merge=["no Parquet", 0, "no Parquet", 1, 0, 1, 0])
    )

    assert troubles == [Trouble(BEGAN_MS, "no Parquet")] * 2 + [None]

"""Events that are as large as they may be."""

import asyncio
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from oncue.core.event import IncomingEvent
from oncue.store.sqlite.log import SqliteEventLog
from oncue.store.sqlite.segments import Full
from oncue.testing.clock import VirtualClock
from tests.installation import Crash, CrashError
from tests.make import make_incoming
from tests.store.logs import archive_all, archive_in, use_log
from tests.turning import a_turn

LARGE = 256 << 10


def large(name: str, size: int = LARGE) -> IncomingEvent:
    return make_incoming(id=name, data={"text": "x" * size})


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_segment_that_takes_much_of_the_disk_is_sealed(
    tmp_path: Path, *, is_restarted: bool
) -> None:
    async def use(log: SqliteEventLog) -> list[int]:
        begin = log.head("a")
        for number in range(begin, begin + 6):
            await log.append("a", [large(f"e-{number}")])
        return [record.offset for record in await log.read("a", 0, 100)]

    found = use_log(tmp_path, use, full=Full(size=1 << 20))
    if is_restarted:
        found = use_log(tmp_path, use, full=Full(size=1 << 20))

    segments = sorted(path.name for path in (tmp_path / "log").glob("*.db"))
    assert found == [*range(1, len(found) + 1)]
    assert len(segments) == (3 if is_restarted else 2)


def test_repeats_take_no_room_in_a_segment(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> None:
        for _ in range(6):
            await log.append("a", [large("e-1")])

    use_log(tmp_path, use, full=Full(size=1 << 20))

    assert len(list((tmp_path / "log").glob("*.db"))) == 1


def test_a_segment_is_not_deleted_while_a_thread_may_look_into_it(tmp_path: Path) -> None:
    waits, begun, go_on = threading.Event(), threading.Event(), threading.Event()
    clock = VirtualClock()

    def commit(connection: sqlite3.Connection) -> None:
        if waits.is_set():
            begun.set()
            go_on.wait()
        connection.commit()

    async def use(log: SqliteEventLog) -> list[int]:
        for name in ("e-1", "e-2"):
            await log.append("a", [make_incoming(id=name)])
            await archive_all(log)
        clock.advance(1)
        waits.set()
        appending = asyncio.create_task(log.append("a", [large(f"l-{n}") for n in range(8)]))
        await asyncio.to_thread(begun.wait)
        dropping = asyncio.create_task(log.segments.drop(0, {"a": 1}))
        await a_turn()
        sealed = [len(log.segments.sealed)]
        go_on.set()
        await asyncio.gather(appending, dropping)
        return [*sealed, len(log.segments.sealed)]

    options = {"archive": archive_in(tmp_path), "clock": clock, "dedupe_window_ms": 0}

    assert use_log(tmp_path, use, commit=commit, segment_records=1, **options) == [2, 1]


def test_the_write_ahead_log_stays_short(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> int:
        for number in range(200):
            await log.append("a", [large(f"e-{number}")])
        return sum(path.stat().st_size for path in (tmp_path / "log").glob("*-wal"))

    assert use_log(tmp_path, use) < 150 * LARGE


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_around_the_write_of_many_leaves_all_or_none(tmp_path: Path, moment: str) -> None:
    events = [large(f"e-{number}") for number in range(12)]

    async def write(log: SqliteEventLog) -> None:
        await log.append("a", events)

    async def read(log: SqliteEventLog) -> list[int]:
        receipts = await log.append("a", events)
        assert {receipt.is_duplicate for receipt in receipts} == {moment == "after"}
        return [record.offset for record in await log.read("a", 0, 100)]

    with suppress(CrashError):
        use_log(tmp_path, write, commit=Crash(1, moment))

    assert use_log(tmp_path, read) == [*range(1, 13)]


def test_what_is_small_is_not_behind_all_that_is_large(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[str]:
        done: list[str] = []

        async def append(account: str, events: list[IncomingEvent]) -> None:
            await log.append(account, events)
            done.append(account)

        batches = [[large(f"{n}-{m}") for m in range(40)] for n in range(4)]
        await asyncio.gather(
            *(append("large", batch) for batch in batches), append("small", [make_incoming()])
        )
        return done

    assert use_log(tmp_path, use)[0] == "small"


@pytest.mark.parametrize("is_archived", [False, True])
def test_so_many_are_read_at_once_as_are_no_burden(tmp_path: Path, *, is_archived: bool) -> None:
    async def use(log: SqliteEventLog) -> list[list[int]]:
        for begin in range(0, 80, 10):
            await log.append("a", [large(f"e-{n}") for n in range(begin, begin + 10)])
        if is_archived:
            await archive_all(log, 40)
            await log.segments.drop(0, {"a": 80})
        parts, after = [], 0
        while after < log.head("a"):
            stretch = await log.stretch("a", after, 1_000, ["*"])
            parts.append([record.offset for record in stretch.records])
            after = stretch.upto
        return parts

    options = {"archive": archive_in(tmp_path), "dedupe_window_ms": -1}
    parts = use_log(tmp_path, use, **options)

    assert [offset for part in parts for offset in part] == [*range(1, 81)]
    assert max(map(len, parts)) == 32


def test_what_waits_to_be_archived_is_known_after_a_restart_and_does_not_add_up(
    tmp_path: Path,
) -> None:
    options = {"archive": archive_in(tmp_path)}

    async def append(log: SqliteEventLog, begin: int, count: int) -> int:
        for number in range(begin, begin + count, 20):
            await log.append("a", [large(f"e-{n}") for n in range(number, number + 20)])
        return await log.segments.archive_due()

    async def again(log: SqliteEventLog) -> list[int]:
        due = [await append(log, 160, 120)]
        while await log.segments.archive_due():
            pass
        await log.append("a", [make_incoming()])
        return [*due, await log.segments.archive_due()]

    assert use_log(tmp_path, lambda log: append(log, 0, 160), **options) == 0
    assert use_log(tmp_path, again, archive=archive_in(tmp_path)) == [1, 0]

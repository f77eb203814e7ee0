"""The event log on real SQLite files."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from oncue.core.event import Event
from oncue.ports import Change, LogRecord, Receipt
from oncue.store.sqlite.log import SqliteEventLog
from oncue.testing.clock import VirtualClock
from tests.installation import Crash, CrashError
from tests.make import make_incoming

Found = TypeVar("Found")
Use = Callable[[SqliteEventLog], Awaitable[Found]]


def _use(path: Path, use: Use[Found], **options: Any) -> Found:
    async def main() -> Found:
        log = SqliteEventLog(path / "log.db", options.pop("clock", VirtualClock()), **options)
        try:
            return await use(log)
        finally:
            await log.close()

    return asyncio.run(main())


def test_offsets_count_per_account(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[Receipt]:
        first = await log.append("a", [make_incoming(id="1"), make_incoming(id="2")])
        return first + await log.append("b", [make_incoming(id="1")])

    assert _use(tmp_path, use) == [Receipt("1", 1), Receipt("2", 2), Receipt("1", 1)]


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        pytest.param({}, Receipt("e-1", 1, is_duplicate=True), id="the same again"),
        pytest.param(
            {"time_ms": None},
            Receipt("e-1", 1, is_duplicate=True),
            id="the same, sent without time",
        ),
        pytest.param(
            {"data": {"plan": "free"}},
            Receipt("e-1", 1, is_duplicate=True, is_conflict=True),
            id="other data",
        ),
        pytest.param(
            {"time_ms": 2_000},
            Receipt("e-1", 1, is_duplicate=True, is_conflict=True),
            id="another time",
        ),
        pytest.param({"source": "app"}, Receipt("e-1", 3), id="another source is another event"),
    ],
)
def test_an_identity_is_accepted_once(
    tmp_path: Path, repeat: dict[str, object], expected: Receipt
) -> None:
    async def use(log: SqliteEventLog) -> Receipt:
        await log.append("a", [make_incoming(), make_incoming(id="e-2")])
        return (await log.append("a", [make_incoming(**repeat)]))[0]

    assert _use(tmp_path, use) == expected


def test_a_repeat_within_one_append_is_a_duplicate(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[Receipt]:
        return await log.append("a", [make_incoming(), make_incoming()])

    assert _use(tmp_path, use) == [Receipt("e-1", 1), Receipt("e-1", 1, is_duplicate=True)]


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[LogRecord]:
        await log.append("a", [make_incoming(id=str(n)) for n in range(5)])
        await log.append("b", [make_incoming(id="other")])
        return await log.read("a", 1, 3)

    records = _use(tmp_path, use)

    assert [(r.offset, r.id, r.data) for r in records if isinstance(r, Event)] == [
        (n + 1, str(n), {"plan": "enterprise"}) for n in (1, 2, 3)
    ]


def test_an_event_without_time_has_that_of_its_arrival(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[LogRecord]:
        await log.append("a", [make_incoming(time_ms=None)])
        return await log.read("a", 0, 1)

    (event,) = _use(tmp_path, use, clock=VirtualClock(5_000))
    assert isinstance(event, Event)

    assert (event.time_ms, event.received_at_ms) == (5_000, 5_000)


def test_arrivals_never_go_back(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[int]:
        await log.append("a", [make_incoming(id=str(log.head("a")))])
        return [record.received_at_ms for record in await log.read("a", 0, 10)]

    _use(tmp_path, use, clock=VirtualClock(5_000))

    assert _use(tmp_path, use, clock=VirtualClock(1_000)) == [5_000, 5_000]


def test_a_change_is_told_once(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> tuple[list[int], list[LogRecord]]:
        offsets = [await log.append_change("a", "pat_1", 1) for _ in range(2)]
        offsets.append(await log.append_change("a", "pat_1", 2))
        return offsets, await log.read("a", 0, 10)

    offsets, records = _use(tmp_path, use, clock=VirtualClock(5_000))

    assert offsets == [1, 1, 2]
    assert records == [Change(1, 5_000, "pat_1", 1), Change(2, 5_000, "pat_1", 2)]


def test_listeners_hear_of_what_is_durable(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[tuple[str, int]]:
        heard: list[tuple[str, int]] = []
        log.subscribe(lambda account: heard.append((account, log.head(account))))
        await log.append("a", [make_incoming(), make_incoming(id="e-2")])
        await log.append("a", [make_incoming()])
        return heard

    assert _use(tmp_path, use) == [("a", 2)]


@pytest.mark.parametrize(("moment", "kept"), [("before", 1), ("after", 2)])
def test_a_crash_loses_nothing_that_was_answered(tmp_path: Path, moment: str, kept: int) -> None:
    crash = Crash(2, moment)

    async def use(log: SqliteEventLog) -> None:
        await log.append("a", [make_incoming(id="1")])
        with pytest.raises(CrashError):
            await log.append("a", [make_incoming(id="2")])

    async def again(log: SqliteEventLog) -> tuple[int, Receipt]:
        head = log.head("a")
        return head, (await log.append("a", [make_incoming(id="2")]))[0]

    _use(tmp_path, use, commit=crash)

    assert _use(tmp_path, again) == (kept, Receipt("2", 2, is_duplicate=kept == 2))


def test_a_failed_write_harms_no_other_in_its_batch(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> tuple[list[object], int]:
        good = [log.append("a", [make_incoming(id=str(n))]) for n in range(3)]
        # A surrogate cannot be stored as UTF-8: this one fails inside the transaction.
        bad = log.append("b", [make_incoming(id="\ud800")])
        results = await asyncio.gather(good[0], bad, *good[1:], return_exceptions=True)
        return [type(result) for result in results], log.head("a")

    assert _use(tmp_path, use) == ([list, UnicodeEncodeError, list, list], 3)


def test_a_commit_is_synced(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> tuple[str, int]:
        return await log._file.write(
            lambda c: (
                c.execute("PRAGMA journal_mode").fetchone()[0],
                c.execute("PRAGMA synchronous").fetchone()[0],
            )
        )

    assert _use(tmp_path, use) == ("wal", 2)
    assert sqlite3.connect(tmp_path / "log.db").execute("PRAGMA journal_mode").fetchone() == (
        "wal",
    )

"""The event log on real SQLite files."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from oncue.core.errors import Overloaded
from oncue.core.event import Event, EventFilter
from oncue.core.pattern.records import Change, LogRecord
from oncue.ports import Receipt
from oncue.store.sqlite.log import SqliteEventLog
from oncue.store.sqlite.segments import Full
from oncue.testing.clock import VirtualClock
from tests.installation import Crash, CrashError
from tests.make import make_incoming
from tests.store.logs import archive_all, archive_in, use_log


def test_offsets_count_per_account(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[Receipt]:
        first = await log.append("a", [make_incoming(id="1"), make_incoming(id="2")])
        return first + await log.append("b", [make_incoming(id="1")])

    assert use_log(tmp_path, use) == [Receipt("1", 1), Receipt("2", 2), Receipt("1", 1)]


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

    assert use_log(tmp_path, use) == expected


def test_a_repeat_within_one_append_is_a_duplicate(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[Receipt]:
        return await log.append("a", [make_incoming(), make_incoming()])

    assert use_log(tmp_path, use) == [Receipt("e-1", 1), Receipt("e-1", 1, is_duplicate=True)]


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[LogRecord]:
        await log.append("a", [make_incoming(id=str(n)) for n in range(5)])
        await log.append("b", [make_incoming(id="other")])
        return await log.read("a", 1, 3)

    records = use_log(tmp_path, use)

    assert [(r.offset, r.id, r.data) for r in records if isinstance(r, Event)] == [
        (n + 1, str(n), {"plan": "enterprise"}) for n in (1, 2, 3)
    ]


def test_an_event_without_time_has_that_of_its_arrival(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[LogRecord]:
        await log.append("a", [make_incoming(time_ms=None)])
        return await log.read("a", 0, 1)

    (event,) = use_log(tmp_path, use, clock=VirtualClock(5_000))
    assert isinstance(event, Event)

    assert (event.time_ms, event.received_at_ms) == (5_000, 5_000)


def test_arrivals_never_go_back(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[int]:
        await log.append("a", [make_incoming(id=str(log.head("a")))])
        return [record.received_at_ms for record in await log.read("a", 0, 10)]

    use_log(tmp_path, use, clock=VirtualClock(5_000))

    assert use_log(tmp_path, use, clock=VirtualClock(1_000)) == [5_000, 5_000]


def test_a_change_is_told_once(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> tuple[list[int], list[LogRecord]]:
        offsets = [await log.append_change("a", "pat_1", 1) for _ in range(2)]
        offsets.append(await log.append_change("a", "pat_1", 2))
        return offsets, await log.read("a", 0, 10)

    offsets, records = use_log(tmp_path, use, clock=VirtualClock(5_000))

    assert offsets == [1, 1, 2]
    assert records == [Change(1, 5_000, "pat_1", 1), Change(2, 5_000, "pat_1", 2)]


def test_listeners_hear_of_what_is_durable(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[tuple[str, int]]:
        heard: list[tuple[str, int]] = []
        log.subscribe(lambda account: heard.append((account, log.head(account))))
        await log.append("a", [make_incoming(), make_incoming(id="e-2")])
        await log.append("a", [make_incoming()])
        return heard

    assert use_log(tmp_path, use) == [("a", 2)]


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

    use_log(tmp_path, use, commit=crash)

    assert use_log(tmp_path, again) == (kept, Receipt("2", 2, is_duplicate=kept == 2))


def test_a_failed_write_harms_no_other_in_its_batch(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> tuple[list[object], int]:
        good = [log.append("a", [make_incoming(id=str(n))]) for n in range(3)]
        # A surrogate cannot be stored as UTF-8: this one fails inside the transaction.
        bad = log.append("b", [make_incoming(id="\ud800")])
        results = await asyncio.gather(good[0], bad, *good[1:], return_exceptions=True)
        return [type(result) for result in results], log.head("a")

    assert use_log(tmp_path, use) == ([list, UnicodeEncodeError, list, list], 3)


def test_a_commit_is_synced(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> tuple[str, int]:
        return await log.segments.write(
            lambda c: (
                c.execute("PRAGMA journal_mode").fetchone()[0],
                c.execute("PRAGMA synchronous").fetchone()[0],
            ),
            lambda _: None,
        )

    assert use_log(tmp_path, use) == ("wal", 2)
    assert sqlite3.connect(tmp_path / "log" / "0000000000000001.db").execute(
        "PRAGMA journal_mode"
    ).fetchone() == ("wal",)


_DAY_MS = 86_400_000


def test_a_full_segment_is_sealed_and_all_are_read_as_one(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> tuple[list[int], list[int], list[int], list[int]]:
        for n in range(10):
            await log.append("a", [make_incoming(id=f"{n}", type=f"t{n % 2}")])
            await log.append("b", [make_incoming(id=f"{n}")])
        forward = [r.offset for r in await log.read("a", 2, 5)]
        rest = [r.offset for r in await log.read("a", 7, 100)]
        newest = [e.offset for e in await log.past.events("a", EventFilter(), 4)]
        odd = [e.offset for e in await log.past.events("a", EventFilter(type="t1"), 3, before=9)]
        return forward, rest, newest, odd

    found = use_log(tmp_path, use, segment_records=4)

    assert len(list((tmp_path / "log").glob("*.db"))) == 5
    assert found == ([3, 4, 5, 6, 7], [8, 9, 10], [10, 9, 8, 7], [8, 6, 4])


def test_a_new_day_begins_a_new_segment(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> None:
        await log.append("a", [make_incoming(id="1")])
        clock.advance(_DAY_MS)
        await log.append("a", [make_incoming(id="2")])
        await log.append("a", [make_incoming(id="3")])

    use_log(tmp_path, use, clock=clock)

    assert len(list((tmp_path / "log").glob("*.db"))) == 2


@pytest.mark.parametrize("segment_records", [1, 3, 1_000])
@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize("has_filters", [True, False])
def test_a_repeat_is_known_within_the_dedupe_window_only(
    tmp_path: Path, segment_records: int, *, is_restarted: bool, has_filters: bool
) -> None:
    clock = VirtualClock()
    options: dict[str, Any] = {"dedupe_window_ms": 10_000, "segment_records": segment_records}

    async def first(log: SqliteEventLog) -> list[Receipt]:
        return [(await log.append("a", [make_incoming(id=id_)]))[0] for id_ in "1234"]

    async def then(log: SqliteEventLog) -> list[Receipt]:
        clock.advance(9_999)
        inside = await log.append("a", [make_incoming(id="1")])
        clock.advance(1)
        outside = await log.append("a", [make_incoming(id="1"), make_incoming(id="1")])
        again = await log.append("a", [make_incoming(id="1")])
        found = await log.past.find("a", "1")
        assert found
        return [*inside, *outside, *again, Receipt(found.id, found.offset)]

    async def both(log: SqliteEventLog) -> list[Receipt]:
        await first(log)
        return await then(log)

    if is_restarted:
        use_log(tmp_path, first, clock=clock, **options)
        if not has_filters:
            for path in (tmp_path / "log").glob("*.filter"):
                path.unlink()
    found = use_log(tmp_path, then if is_restarted else both, clock=clock, **options)

    assert found == [
        Receipt("1", 1, is_duplicate=True),
        Receipt("1", 5),
        Receipt("1", 5, is_duplicate=True),
        Receipt("1", 5, is_duplicate=True),
        Receipt("1", 5),
    ]


def test_a_change_is_told_once_over_all_segments(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[int]:
        told = [await log.append_change("a", "pat_1", 1)]
        for n in range(5):
            await log.append("a", [make_incoming(id=f"{n}")])
        return [*told, await log.append_change("a", "pat_1", 1)]

    assert use_log(tmp_path, use, segment_records=2) == [1, 1]


def test_appends_from_many_sides_while_segments_are_sealed_lose_and_double_nothing(
    tmp_path: Path,
) -> None:
    async def use(log: SqliteEventLog) -> list[int]:
        seen: list[int] = []

        async def follow() -> None:
            while len(seen) < 200:
                seen.extend(r.offset for r in await log.read("a", len(seen), 7))

        following = asyncio.create_task(follow())
        await asyncio.gather(*(log.append("a", [make_incoming(id=f"{n}")]) for n in range(100)))
        for n in range(100, 200):
            await log.append("a", [make_incoming(id=f"{n}")])
        await following
        return seen

    assert use_log(tmp_path, use, segment_records=9) == list(range(1, 201))


def test_a_repeat_is_known_while_the_filter_of_its_segment_is_made(tmp_path: Path) -> None:
    async def use(log: SqliteEventLog) -> list[Receipt]:
        for id_ in "12":
            await log.append("a", [make_incoming(id=id_)])
        return await log.append("a", [make_incoming(id="1")])

    again = use_log(tmp_path, use, segment_records=1)

    assert again == [Receipt("1", 1, is_duplicate=True)]
    assert {"1.filter", "2.filter"} <= {*_files(tmp_path)}


def _files(folder: Path) -> list[str]:
    return sorted(path.name.lstrip("0") for path in (folder / "log").iterdir())


async def _archive_and_drop(log: SqliteEventLog, before_ms: int, needed: dict[str, int]) -> None:
    """Archive each record by itself, and let go of what is not needed."""
    await log.segments.drop(0, {})
    await archive_all(log, full=1)
    await log.segments.drop(before_ms, needed)


async def _fill(log: SqliteEventLog, clock: VirtualClock) -> None:
    """Two days of events of two accounts; on the second, of one of them only."""
    for n in range(2):
        await log.append("a", [make_incoming(id=f"{n}")])
        await log.append("b", [make_incoming(id=f"{n}")])
    clock.advance(_DAY_MS)
    await log.append("a", [make_incoming(id="2")])


@pytest.mark.parametrize(
    ("age_ms", "needed", "window_ms", "left"),
    [
        pytest.param(0, {"a": 9, "b": 9}, 0, [3], id="the first day is old"),
        pytest.param(-2, {"a": 9, "b": 9}, 0, [], id="all is old, the open segment too"),
        pytest.param(_DAY_MS, {"a": 9, "b": 9}, 0, [1, 2, 3], id="nothing is old"),
        pytest.param(0, {"a": 9, "b": 1}, 0, [1, 2, 3], id="one account was not matched so far"),
        pytest.param(0, {"a": 9}, 0, [1, 2, 3], id="one account was never matched"),
        pytest.param(0, {"a": 9, "b": 9}, 2 * _DAY_MS, [1, 2, 3], id="it may still be repeated"),
    ],
)
def test_what_is_old_is_deleted_by_file(
    tmp_path: Path, age_ms: int, needed: dict[str, int], window_ms: int, left: list[int]
) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> tuple[list[int], list[int]]:
        await _fill(log, clock)
        clock.advance(1)
        await _archive_and_drop(log, clock.now_ms() - age_ms - 1, needed)
        read = [record.offset for record in await log.read("a", 0, 10)]
        return read, [event.offset for event in await log.past.events("a", EventFilter(), 10)]

    options = {"clock": clock, "dedupe_window_ms": window_ms, "archive": archive_in(tmp_path)}

    assert use_log(tmp_path, use, **options) == (left, left[::-1])


def test_offsets_go_on_though_all_that_had_them_are_deleted(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> list[Receipt]:
        await _fill(log, clock)
        clock.advance(_DAY_MS)
        await _archive_and_drop(log, clock.now_ms(), {"a": 9, "b": 9})
        return await log.append("a", [make_incoming(id="2")])

    async def again(log: SqliteEventLog) -> tuple[int, int, list[Receipt]]:
        heads = log.head("a"), log.head("b")
        return *heads, await log.append("b", [make_incoming(id="1")])

    options = {"clock": clock, "dedupe_window_ms": 0}
    archive = archive_in(tmp_path)

    assert use_log(tmp_path, use, archive=archive, **options) == [Receipt("2", 4)]
    assert use_log(tmp_path, again, **options) == (4, 2, [Receipt("1", 3)])
    assert _files(tmp_path) == ["3.db"]


def test_offsets_of_an_account_go_on_after_it_was_quiet_for_long(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> list[Receipt]:
        await log.append("b", [make_incoming(id="1")])
        for number in range(3):
            clock.advance(_DAY_MS)
            await log.append("a", [make_incoming(id=f"{number}")])
            await _archive_and_drop(log, 0, {"a": 9, "b": 9})
        assert [event.id for event in await log.past.events("b", EventFilter(), 9)] == ["1"]
        return await log.append("b", [make_incoming(id="2")])

    options = {"clock": clock, "dedupe_window_ms": 0, "archive": archive_in(tmp_path)}

    assert use_log(tmp_path, use, **options) == [Receipt("2", 2)]


def test_readers_of_a_segment_that_is_deleted_read_on(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> tuple[list[LogRecord], list[LogRecord]]:
        await _fill(log, clock)
        reading = [asyncio.ensure_future(log.read("a", 0, 10)) for _ in range(20)]
        await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
        await _archive_and_drop(log, clock.now_ms(), {"a": 9, "b": 9})
        return (await asyncio.gather(*reading))[-1], await log.read("a", 0, 10)

    options = {"clock": clock, "dedupe_window_ms": 0, "archive": archive_in(tmp_path)}
    before, after = use_log(tmp_path, use, **options)

    assert [record.offset for record in before][-1] == 3
    assert [record.offset for record in after] == [3]


def test_a_segment_that_cannot_be_begun_is_begun_later(tmp_path: Path) -> None:
    obstacle = tmp_path / "log" / "0000000000000002.db"

    async def main() -> list[int]:
        log = SqliteEventLog(tmp_path / "log", VirtualClock(), full=Full(2))
        for number in range(2):
            await log.append("a", [make_incoming(id=f"e-{number}")])
        obstacle.mkdir()
        for _ in range(2):
            with pytest.raises(Overloaded):
                await log.append("a", [make_incoming(id="e-2")])
            assert len(await log.read("a", 0, 10)) == 2
        obstacle.rmdir()
        await log.append("a", [make_incoming(id="e-2")])
        repeated = await log.append("a", [make_incoming(id="e-0")])
        found = [record.offset for record in await log.read("a", 0, 10)]
        await log.close()
        return [*found, repeated[0].offset]

    assert asyncio.run(main()) == [1, 2, 3, 1]

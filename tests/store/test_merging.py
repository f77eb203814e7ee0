"""Small files of the archive become one, and nobody notices."""

import asyncio
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.errors import Overloaded
from oncue.core.event import EventFilter
from oncue.engine.retention import DAY_MS
from oncue.store.archive.files import ArchivedFile, Wanted
from oncue.store.archive.merging import STRETCH_RECORDS, Ripe, next_to_merge
from oncue.store.sqlite.archived import LogArchive
from oncue.store.sqlite.copies import copy_database
from oncue.store.sqlite.log import INDEX, SqliteEventLog
from oncue.testing.clock import VirtualClock
from tests.installation import Crash, CrashError
from tests.make import make_incoming
from tests.store.logs import archive_in, use_log

SPAN_MS = 9 * DAY_MS
EVER = Ripe(2**60, 2**60)


def file(first: int, records: int, arrived_ms: int = 0, bodies: int = 0) -> ArchivedFile:
    last = first + records - 1
    wanted = Wanted((first, last), (arrived_ms, arrived_ms), (arrived_ms, arrived_ms))
    return ArchivedFile("a", f"{first}", wanted, records, 0, bodies)


def row(counts: Iterable[int]) -> list[ArchivedFile]:
    files: list[ArchivedFile] = []
    for place, records in enumerate(counts):
        first = files[-1].last + 1 if files else 1
        files.append(file(first, records, place * DAY_MS))
    return files


@pytest.mark.parametrize(
    ("files", "ripe", "merged"),
    [
        pytest.param(row([5] * 7), EVER, [], id="a few stay"),
        pytest.param(row([5] * 8), EVER, [0, 8], id="several become one"),
        pytest.param(row([90_000, *[5] * 8]), EVER, [1, 9], id="a large one stays as it is"),
        pytest.param(row([40, *[5] * 8]), EVER, [0, 9], id="one as large as the others joins them"),
        pytest.param(row([20_000] * 9), EVER, [], id="a full one would have too few"),
        pytest.param(row([12_000] * 9), EVER, [0, 8], id="no more than a full one"),
        pytest.param(row([1] * 100), EVER, [0, 64], id="so many at once"),
        pytest.param(row([5] * 12), Ripe(10 * DAY_MS, 2**60), [0, 10], id="what is new stays"),
        pytest.param(row([5] * 12), Ripe(2**60, SPAN_MS), [0, 10], id="of about the same age"),
        pytest.param([*row([5] * 5), *row([5] * 14)[6:]], EVER, [5, 13], id="without a gap"),
        pytest.param(
            [file(n, 1, bodies=10 << 20) for n in range(1, 12)], EVER, [], id="as large as may be read"
        ),
    ],
)  # fmt: skip
def test_which_files_become_one(files: list[ArchivedFile], ripe: Ripe, merged: list[int]) -> None:
    found = next_to_merge(files, ripe)

    assert [*found] == (files[slice(*merged)] if merged else [])


@given(st.lists(st.integers(1, 30_000), max_size=200))
def test_few_files_are_left_and_what_is_written_again_doubles(counts: list[int]) -> None:
    files: list[ArchivedFile] = []
    written = 0
    for added in row(counts):
        files.append(added)
        while run := next_to_merge(files, EVER):
            sizes = [one.last - one.first + 1 for one in run]
            assert sum(sizes) >= 2 * max(sizes)
            assert sum(sizes) <= STRETCH_RECORDS
            written += sum(sizes)
            begin = files.index(run[0])
            files[begin : begin + len(run)] = [file(run[0].first, sum(sizes))]

    total = sum(counts)
    assert sum(one.last - one.first + 1 for one in files) == total
    assert len(files) <= 8 * 17 + 4 * total / STRETCH_RECORDS
    assert written <= 17 * total


async def fill(log: SqliteEventLog, clock: VirtualClock, days: int) -> None:
    """Let two accounts have a file a day."""
    for day in range(days):
        for account in "ab":
            events = [make_incoming(id=f"{account}-{day}-{n}", data={"n": n}) for n in range(3)]
            await log.append(account, events)
        clock.advance(DAY_MS)
        await log.segments.drop(0, {})
        while await log.segments.archive_due():
            pass


async def merge_all(log: SqliteEventLog, clock: VirtualClock) -> int:
    merging = LogArchive(log.segments, clock, SPAN_MS)
    count = 0
    while await merging.merge_next():
        count += 1
    return count


async def ids(log: SqliteEventLog, folder: Path, account: str = "a") -> list[Any]:
    """Return how everybody who reads sees the events of an account."""
    import duckdb

    past = log.past
    listed = [event.id for event in await past.events(account, EventFilter(), 500)]
    found = [event.id for id_ in listed if (event := await past.find(account, id_))]
    async with past.all_rows(account, folder / "lines") as files:
        count = len((folder / "lines").read_text().splitlines())
        for one in files:
            row = duckdb.execute(f"SELECT count(*) FROM '{one}' WHERE kind = 0").fetchone()
            count += row[0] if row else 0
    read = [record.offset for record in await log.read(account, 0, 1_000)]
    return [listed, found, count, read]


def test_merged_files_read_as_those_that_they_were(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> tuple[list[Any], ...]:
        await fill(log, clock, 20)
        archive = log.segments.archive
        before = [await ids(log, tmp_path, account) for account in "ab"]
        counts = [len(archive.files("a")), await merge_all(log, clock), len(archive.files("a"))]
        await log.segments.drop(0, {"a": log.head("a"), "b": log.head("b")})
        after = [await ids(log, tmp_path, account) for account in "ab"]
        return counts, before, after

    options: dict[str, Any] = {"clock": clock, "dedupe_window_ms": 0}
    counts, before, after = use_log(tmp_path, use, archive=archive_in(tmp_path), **options)
    again = use_log(
        tmp_path, lambda log: ids(log, tmp_path), archive=archive_in(tmp_path), **options
    )

    assert counts == [20, 4, 3]
    assert before == after
    assert again == after[0]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", range(1, 8))
def test_a_crash_while_files_are_merged_loses_and_doubles_nothing(
    tmp_path: Path, moment: str, at: int
) -> None:
    clock = VirtualClock()
    options: dict[str, Any] = {"clock": clock, "dedupe_window_ms": 0}

    async def live(log: SqliteEventLog) -> None:
        await merge_all(log, clock)
        clock.advance(8 * DAY_MS)
        await log.segments.archive.drop(0, {}, clock.now_ms())

    async def read(log: SqliteEventLog) -> list[Any]:
        return await ids(log, tmp_path)

    use_log(tmp_path, lambda log: fill(log, clock, 10), archive=archive_in(tmp_path), **options)
    before = use_log(tmp_path, read, archive=archive_in(tmp_path), **options)
    with suppress(CrashError):
        use_log(tmp_path, live, archive=archive_in(tmp_path, Crash(at, moment)), **options)
    seen = use_log(tmp_path, read, archive=archive_in(tmp_path), **options)
    use_log(tmp_path, live, archive=archive_in(tmp_path), **options)
    after = use_log(tmp_path, read, archive=archive_in(tmp_path), **options)

    assert before[2] == 30
    assert seen == before == after
    assert not list((tmp_path / "archive").rglob("*.part"))


def test_a_query_that_runs_keeps_the_files_that_were_merged(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> tuple[list[bool], list[Path], int]:
        await fill(log, clock, 12)
        async with log.past.all_rows("a", tmp_path / "lines") as files:
            await merge_all(log, clock)
            clock.advance(8 * DAY_MS)
            await log.segments.drop(0, {})
            there = [one.exists() for one in files]
        await log.segments.drop(0, {})
        return there, [one for one in files if one.exists()], len(log.segments.archive.files("a"))

    options = {"clock": clock, "dedupe_window_ms": 0, "archive": archive_in(tmp_path)}
    there, left, count = use_log(tmp_path, use, **options)

    assert all(there)
    assert len(left) == count - 1


def test_files_that_were_merged_stay_for_a_week_but_not_beyond_their_time(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> list[int]:
        def there() -> int:
            return len(list((tmp_path / "archive" / "a").iterdir()))

        await fill(log, clock, 9)
        found = [there()]
        await merge_all(log, clock)
        for days in (0, 6, 1):
            clock.advance(days * DAY_MS)
            await log.segments.drop(0, {})
            found.append(there())
        return found

    async def short(log: SqliteEventLog) -> int:
        await fill(log, clock, 9)
        await merge_all(log, clock)
        await log.segments.drop(clock.now_ms(), {"a": log.head("a")})
        return len([*(tmp_path / "short/archive/a").iterdir()])

    options: dict[str, Any] = {"clock": clock, "dedupe_window_ms": 0}
    found = use_log(tmp_path, use, archive=archive_in(tmp_path), **options)
    nothing = use_log(tmp_path / "short", short, archive=archive_in(tmp_path / "short"), **options)

    assert found == [9, 10, 10, 2]
    assert nothing == 0


def test_a_merged_file_is_dropped_once_all_in_it_is_old(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> list[int]:
        began_ms = clock.now_ms()
        await fill(log, clock, 10)
        await merge_all(log, clock)
        left = []
        for days in (1, 7, 8, 9, 10):
            before_ms = began_ms + days * DAY_MS
            await log.segments.drop(before_ms, {"a": log.head("a"), "b": log.head("b")})
            left.append(len(await log.past.events("a", EventFilter(), 100)))
        return left

    options = {"clock": clock, "dedupe_window_ms": 0, "archive": archive_in(tmp_path)}

    assert use_log(tmp_path, use, **options) == [30, 30, 30, 3, 0]


def test_what_is_dropped_while_it_is_merged_is_gone(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> list[Any]:
        await fill(log, clock, 9)
        merging = asyncio.create_task(merge_all(log, clock))
        await log.segments.drop(clock.now_ms(), {"a": log.head("a"), "b": log.head("b")})
        await merging
        await log.segments.drop(clock.now_ms(), {})
        return [*await ids(log, tmp_path), [*(tmp_path / "archive" / "a").iterdir()]]

    options = {"clock": clock, "dedupe_window_ms": 0, "archive": archive_in(tmp_path)}

    assert use_log(tmp_path, use, **options) == [[], [], 0, [], []]


def test_a_file_that_cannot_be_read_leaves_all_as_it_was(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def use(log: SqliteEventLog) -> tuple[int, int]:
        await fill(log, clock, 9)
        archive = log.segments.archive
        (path,) = await archive.local(archive.files("a")[:1])
        whole = path.read_bytes()
        path.write_bytes(b"no parquet")
        merging = LogArchive(log.segments, clock, SPAN_MS)
        assert await merging.merge_next()
        assert not archive.files("b")[8:]
        with pytest.raises(Overloaded, match="expected the archive to take a file"):
            await merging.merge_next()
        assert not await merging.merge_next()
        count = len(archive.files("a"))
        path.write_bytes(whole)
        await merge_all(log, clock)
        return count, len(archive.files("a"))

    assert use_log(tmp_path, use, clock=clock, dedupe_window_ms=0) == (9, 2)


@pytest.mark.parametrize("index_of", ["before", "after"])
def test_a_backup_that_is_written_while_files_are_merged_has_everything(
    tmp_path: Path, index_of: str
) -> None:
    clock, old, restored = VirtualClock(), tmp_path / "old", tmp_path / "restored"
    options: dict[str, Any] = {"clock": clock, "dedupe_window_ms": 0}

    async def live(log: SqliteEventLog) -> list[Any]:
        await fill(log, clock, 12)
        before = await ids(log, tmp_path)
        for path in (old / "log").glob("*.db"):
            copy_database(path, restored / "log" / path.name)
        copy_database(old / INDEX, restored / "before.db")
        await merge_all(log, clock)
        clock.advance(DAY_MS)
        await log.segments.drop(0, {"a": log.head("a"), "b": log.head("b")})
        copy_database(old / INDEX, restored / "after.db")
        shutil.copytree(old / "archive", restored / "archive")
        return before

    (restored / "log").mkdir(parents=True)
    before = use_log(old, live, archive=archive_in(old), **options)
    (restored / f"{index_of}.db").rename(restored / INDEX)
    after = use_log(
        restored, lambda log: ids(log, tmp_path), archive=archive_in(restored), **options
    )

    assert after == before
